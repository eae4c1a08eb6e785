/** Who decides how fast calls may go. */
import type { ObservedCall } from './adaptive-rate.ts';

/** Watches how calls end and sets the limiter's rate. */
export interface RateControl {
  /** Calls per second let through now; `Infinity` when unpaced. */
  readonly rate: number;
  observe(call: ObservedCall): void;
}

/** The rate as configured, whatever the API answers. */
export class FixedRate implements RateControl {
  readonly rate: number;

  constructor(rate: number) {
    this.rate = rate;
  }

  observe(): void {}
}
