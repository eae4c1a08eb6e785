/**
 * Give-backs: which of the deliveries in hand are given up, when fewer may be held or their time is up.
 *
 * On a FIFO queue whoever is lost, deferred or released takes along those behind it in its group: called for before it,
 * they would be overwritten by an older value later (design 2.4.2).
 */

import type { Disposition } from '../message/disposition.ts';
import { deferralSeconds } from '../message/disposition.ts';
import type { GiveUp } from '../ota/interruption.ts';
import type { Delivery } from './delivery.ts';
import type { Holdings } from './holdings.ts';
import type { Processor } from './processor.ts';
import { closedSlots, RECEIVE_SIZE } from './slots.ts';
import type { Turns } from './turns.ts';

/** Room for the rate to waver before messages are given back, as a factor on what may wait. */
const LATE_FACTOR = 1.5;

export interface GiveBacksOptions {
  readonly holdings: Holdings;
  readonly turns: Turns;
  readonly processor: Pick<Processor, 'giveUp' | 'secondsToExpiring'>;
  readonly random: () => number;
  /** Carries out what becomes of a delivery that had not started. */
  readonly settle: (delivery: Delivery, disposition: Disposition) => void;
}

export class GiveBacks {
  readonly #options: GiveBacksOptions;

  constructor(options: GiveBacksOptions) {
    this.#options = options;
  }

  /** Gives back a delivery that is waiting for anything but an answer. */
  giveUp(delivery: Delivery, giveUp: GiveUp = {}): void {
    if (delivery.settling) return;
    const { turns, processor, settle } = this.#options;
    delivery.interruption.request(giveUp);
    if (turns.withdraw(delivery)) settle(delivery, processor.giveUp(delivery));
  }

  all(): void {
    for (const delivery of this.#options.holdings) this.giveUp(delivery);
  }

  /** Those whose turn would come after `delivery`, which is not ours any more or soon will not be. */
  behind(delivery: Delivery): void {
    for (const other of this.#options.turns.behind(delivery)) this.giveUp(other);
  }

  /**
   * The rate has fallen: what cannot be started soon any more is for others to take.
   * @param waiting how many wait for their call.
   * @param limit how many may.
   */
  late(waiting: number, limit: number): void {
    const late = waiting - (limit * LATE_FACTOR + RECEIVE_SIZE);
    if (late <= 0) return;
    const { holdings, turns } = this.#options;
    // Whoever is behind another waits for it and not for the rate, and goes when that one goes.
    const newest = holdings.newestUntried(Math.ceil(late), (delivery) => !turns.isBehind(delivery));
    for (const delivery of newest) this.giveUp(delivery);
  }

  /** Calls are paused: little is held, and that is there to probe with. */
  surplus(): void {
    const { holdings, turns, random } = this.#options;
    // Behind another of its group none can be a probe.
    for (const delivery of holdings) if (turns.isBehind(delivery)) this.giveUp(delivery);
    const { release, defer } = holdings.surplus(closedSlots);
    for (const delivery of release) this.giveUp(delivery);
    for (const delivery of defer) {
      this.giveUp(delivery, { deferSeconds: deferralSeconds(delivery.message.receiveCount, random) });
    }
  }

  /** What must not be left to the queue any longer. In a group each waits for its turn, which comes to the oldest first. */
  expiring(): void {
    const { holdings, turns, processor } = this.#options;
    for (const delivery of holdings) {
      if (delivery.calling || turns.isBehind(delivery)) continue;
      if (processor.secondsToExpiring(delivery.message) <= 0) this.giveUp(delivery);
    }
  }
}
