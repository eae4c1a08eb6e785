/**
 * Whose turn it is, of all deliveries in hand.
 *
 *   standard queue   one at a time per Identifier; what is not valid, and so never called for, at once
 *   FIFO queue       one at a time per message group until it is settled, valid or not; within that, per Identifier
 */
import type { Delivery } from './delivery.ts';
import { Groups } from './groups.ts';
import { Lanes } from './lanes.ts';

export class Turns {
  readonly #work: (delivery: Delivery) => Promise<void>;
  readonly #lanes: Lanes<Delivery>;
  /** Of a FIFO queue only. */
  readonly #groups: Groups<Delivery> | undefined;

  /** @param work does the work of one delivery whose turn it is. Must not reject. */
  constructor(fifo: boolean, work: (delivery: Delivery) => Promise<void>) {
    this.#work = work;
    this.#lanes = new Lanes(work);
    this.#groups = fifo ? new Groups((delivery) => this.#enter(delivery)) : undefined;
  }

  /** Deliveries that wait for another of their Identifier; those behind another of their group not counted. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  /** Begins the work of `delivery` when its turn has come. */
  add(delivery: Delivery): void {
    if (this.#groups === undefined) this.#enter(delivery);
    else this.#groups.add(delivery.message.groupId ?? delivery.message.messageId, delivery);
  }

  /** Takes a delivery that has not started out of the order of turns; false when it has started, or is not here. */
  withdraw(delivery: Delivery): boolean {
    if (this.#groups?.withdraw(delivery)) return true;
    return delivery.check.ok && this.#lanes.withdraw(delivery.check.update.Identifier, delivery);
  }

  /** The delivery is settled or lost, and its work has ended. */
  leave(delivery: Delivery): void {
    this.#groups?.leave(delivery);
  }

  /** Those that must not be called for once `delivery` has been lost, deferred or released, in order. */
  behind(delivery: Delivery): Delivery[] {
    return this.#groups?.behind(delivery) ?? [];
  }

  /** Whether `delivery` waits for another of its group to be settled. */
  isBehind(delivery: Delivery): boolean {
    return this.#groups?.isBehind(delivery) ?? false;
  }

  #enter(delivery: Delivery): void {
    if (delivery.check.ok) this.#lanes.add(delivery.check.update.Identifier, delivery);
    else void this.#work(delivery);
  }
}
