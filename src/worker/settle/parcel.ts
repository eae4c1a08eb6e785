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
  /** SQS refuses this parcel, which may be too much: one with less in its place; undefined when nothing is left to try. */
  readonly amend: (delivery: Delivery, parcel: P) => P | undefined;
  /** Requests under way at most, while all is well. */
  readonly parallel: number;
  /** How long a parcel waits for others to share its request, in milliseconds; 0: until the end of the turn. */
  readonly lingerMs: number;
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  /** SQS refuses one particular parcel, and nothing is left to amend; called once per parcel. */
  readonly onRefused: (delivery: Delivery, error: unknown) => void;
  readonly onReachable: (reachable: boolean, error?: unknown) => void;
  /** A request, or so many of its parcels, will be tried again. */
  readonly onFailed?: (count: number, error: unknown) => void;
  readonly backoff?: BackoffSettings;
}
