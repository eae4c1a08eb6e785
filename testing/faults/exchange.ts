/** One request on its way through a proxy, and its result; times are epoch milliseconds. */
import type { FaultKind } from './faults.ts';

export interface Exchange {
  /** The access key id that it was signed with: every worker process has its own. */
  readonly sender: string;
  /** Such as `DeleteMessageBatch`, or the HTTP method if there is no such name. */
  readonly action: string;
  readonly path: string;
  readonly body: string;
  readonly arrivedAt: number;
  readonly fault: FaultKind | undefined;
  /**
   * When the service answered: its effect had happened by then. Undefined: the request never reached the
   * service.
   */
  readonly effectAt: number | undefined;
  readonly status: number | undefined;
  readonly answer: string;
  /** Whether the sender got the complete and correct answer, except for {@link damaged}. */
  readonly delivered: boolean;
  /** The receipt handle of the one message that reached the sender with a wrong checksum. */
  readonly damaged?: string;
}

/** The access key id in a signature's `Authorization` header; empty when there is none. */
export function senderOf(authorization: string | undefined): string {
  return /Credential=([^/,\s]+)/.exec(authorization ?? '')?.[1] ?? '';
}
