/** Room: how many messages more may be taken, given what is in hand, the rate and the gate. */
import type { RateControl } from '../ota/rate/rate-control.ts';
import type { Holdings } from './holdings.ts';
import { RECEIVE_SIZE, type SlotSettings, type Slots, slotsFor } from './slots.ts';
import type { Stages } from './stages.ts';

export interface RoomOptions extends SlotSettings {
  readonly stages: Pick<Stages, 'gate' | 'permits' | 'turns'>;
  readonly holdings: Holdings;
  readonly rate: Pick<RateControl, 'rate'>;
}

export class Room {
  readonly #options: RoomOptions;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get slots(): Slots {
    const { stages, rate } = this.#options;
    return slotsFor(rate.rate, stages.gate.closed, this.#options);
  }

  /** Messages waiting to be called for, first or again; not those behind another of their group, which wait for that. */
  get waiting(): number {
    const { permits, turns } = this.#options.stages;
    return permits.waiting + turns.waiting;
  }

  /** Messages that could be taken now; 0 or less: none. */
  get free(): number {
    const { stages, holdings } = this.#options;
    const { slots } = this;
    const waiting = stages.gate.closed ? holdings.untried() : this.waiting;
    return Math.min(slots.waiting - waiting, slots.held - holdings.size);
  }

  /** The least worth asking for: 1-10. */
  get batch(): number {
    return Math.min(RECEIVE_SIZE, this.slots.waiting);
  }
}
