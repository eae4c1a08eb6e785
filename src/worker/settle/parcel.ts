/** What an outbox sends, and what it needs for that. */
import type { Disposition } from '../../message/disposition.ts';
import type { BatchFailure, OutgoingMessage } from '../../queue/types.ts';
import type { BackoffSettings } from '../../time/backoff.ts';
import type { Delivery } from '../delivery.ts';

/** What is sent for one delivery. */
export interface Parcel {
  /** Its `key` is the delivery's receipt handle. */
  readonly message: OutgoingMessage;
  /** Body and attributes, as SQS counts them. */
  readonly bytes: number;
}

export interface OutboxOptions<D extends Disposition, P extends Parcel> {
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  readonly pack: (delivery: Delivery, disposition: D) => P;
  /** SQS refuses this parcel, but may accept less of it. @returns a reduced one; undefined when nothing is left to try. */
  readonly amend: (delivery: Delivery, parcel: P) => P | undefined;
  /** The most requests under way, in the normal state. */
  readonly parallel: number;
  /** How long a parcel waits for others to share its request, in milliseconds; 0: until the end of the turn. */
  readonly lingerMs: number;
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  /** SQS refuses one particular parcel, and nothing is left to amend. Called once per parcel. */
  readonly onRefused: (delivery: Delivery, error: unknown) => void;
  readonly onReachable: (reachable: boolean, error?: unknown) => void;
  /** A request, or `count` of its parcels, will be tried again. */
  readonly onFailed?: (count: number, error: unknown) => void;
  readonly backoff?: BackoffSettings;
}
