/** What a notice can be sent to. */
import type { Notice } from './notice.ts';
import type { TargetName } from './outbox.ts';

/** How one sending has ended. */
export type Telling =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** Why, as a sentence without its full stop: fit for a terminal, without secrets. */
      readonly why: string;
      /** Whether the same may go well later. */
      readonly passing: boolean;
      /** The target asks for so long a wait, in milliseconds. */
      readonly afterMs?: number;
    };

export interface Target {
  readonly name: TargetName;
  /** Where it is, for a person: without what may be secret in it. */
  readonly place: string;
  /** Sends it once. Never rejects. Ends soon after `signal` aborts; it may have arrived all the same. */
  tell(notice: Notice, signal: AbortSignal): Promise<Telling>;
  close(): void;
}

/** Limit of one sending, from its start to the last byte of the answer, in milliseconds. */
export const TELL_TIMEOUT_MS = 10_000;
