/** What decides the rate of calls. */

/** A call that has ended. Times are monotonic milliseconds. */
export interface ObservedCall {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure?: { readonly kind: string };
}

export interface RateControl {
  /** Calls per second allowed now; `Infinity` when unpaced. */
  readonly rate: number;
  /** Since when `rate` is below the configured one, monotonic milliseconds; undefined while it is not. */
  readonly foundAt: number | undefined;
  /** To be called with every call that has ended. */
  observe(call: ObservedCall): void;
}

/** The configured rate, whatever the API answers. */
export class FixedRate implements RateControl {
  readonly rate: number;
  readonly foundAt = undefined;

  constructor(rate: number) {
    this.rate = rate;
  }

  observe(): void {}
}
