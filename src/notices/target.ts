/** A destination for notices. */
import type { Notice } from './notice.ts';
import type { TargetName } from './outbox.ts';

/** How one sending has ended. */
export type Telling =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The reason, as a sentence without its full stop: safe for a terminal, without secrets. */
      readonly why: string;
      /** Whether the same request may succeed later. */
      readonly passing: boolean;
      /** The wait that the target asks for, in milliseconds. */
      readonly afterMs?: number;
    };

export interface Target {
  readonly name: TargetName;
  /** Where the target is, for a person to read: without parts that may be secret. */
  readonly place: string;
  /** Sends the notice once. Never rejects. Ends soon after `signal` aborts; the notice may have arrived even so. */
  tell(notice: Notice, signal: AbortSignal): Promise<Telling>;
  close(): void;
}

/** Time limit of one sending, from its start to the last byte of the answer, in milliseconds. */
export const TELL_TIMEOUT_MS = 10_000;
