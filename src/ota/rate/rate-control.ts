/** What decides the rate of calls. */
import type { ObservedCall } from './adaptive-rate.ts';

export interface RateControl {
  /** Calls per second allowed now; `Infinity` when unpaced. */
  readonly rate: number;
  /** To be called with every call that has ended. */
  observe(call: ObservedCall): void;
}

/** The configured rate, whatever the API answers. */
export class FixedRate implements RateControl {
  readonly rate: number;

  constructor(rate: number) {
    this.rate = rate;
  }

  observe(): void {}
}
