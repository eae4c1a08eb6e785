/** Where notices wait until they are told: the ledger. */
import type { Notice } from './notice.ts';

/** Where notices are sent. */
export type TargetName = 'webhook' | 'sns' | 'eventbridge';

/** A notice that one target has not got yet. */
export interface PendingNotice {
  /** The outbox's own number of the notice. */
  readonly key: number;
  readonly notice: Notice;
  readonly target: TargetName;
  /** How often sending it there has failed so far. */
  readonly failures: number;
}

/**
 * Each method is one transaction. A notice is entered with the change of the job that it tells of, in one transaction, for each
 * of the targets that are set up then: so none is lost by a kill. Where somebody without targets brings a job to its end, it is
 * entered for the targets of the process that takes it first.
 */
export interface Outbox {
  /**
   * Takes notices whose time has come, the oldest first. Until `hiddenUntil` no other process gets them; after that they are
   * due again, unless they were told or have failed by then: whoever took them may have died.
   * @param targets of these targets only: those that this process can reach.
   * @param max notices, each for one target at least.
   * @param hiddenUntil epoch milliseconds.
   */
  due(targets: readonly TargetName[], max: number, hiddenUntil: number): Promise<readonly PendingNotice[]>;
  /** The target has it, or will never take it. */
  told(key: number, target: TargetName): Promise<void>;
  /** The target does not have it, as far as is known. @param nextAt when it is due again. */
  failed(key: number, target: TargetName, nextAt: number): Promise<void>;
}
