/** Where notices wait until they are sent: the ledger. */
import type { Notice } from './notice.ts';

/** Where notices are sent. */
export type TargetName = 'webhook' | 'sns' | 'eventbridge';

/** A notice that one target does not have yet. */
export interface PendingNotice {
  /** The outbox's own number for the notice. */
  readonly key: number;
  readonly notice: Notice;
  readonly target: TargetName;
  /** How often sending it to this target has failed so far. */
  readonly failures: number;
}

/**
 * Each method is one transaction. A notice is entered in the same transaction as the change of the job that it reports, for
 * each of the targets configured then, so that a kill loses none. If a process without targets brings a job to its end, the
 * notice is entered for the targets of the process that takes it first.
 */
export interface Outbox {
  /**
   * Takes notices whose time has come, the oldest first. Until `hiddenUntil` no other process gets them. After that they are
   * due again unless they were told or have failed by then, because the process that took them may have died.
   * @param targets only these: the ones that this process can reach.
   * @param max the most notices, each for at least one target.
   * @param hiddenUntil epoch milliseconds.
   */
  due(targets: readonly TargetName[], max: number, hiddenUntil: number): Promise<readonly PendingNotice[]>;
  /** The target has the notice, or will never take it. */
  told(key: number, target: TargetName): Promise<void>;
  /** As far as known, the target does not have the notice. @param nextAt when it is due again. */
  failed(key: number, target: TargetName, nextAt: number): Promise<void>;
}
