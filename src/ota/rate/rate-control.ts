/** Decides the rate of calls. */
import type { FoundLimit } from './adaptive/limit-estimate.ts';

/** A call that has ended. Times are monotonic milliseconds. */
export interface ObservedCall {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure?: { readonly kind: string };
}

/**
 * Who finds a fleet's rate: this worker for all (`leading`), another one (`following`), or each worker for itself (`alone`).
 */
export type FleetRole = 'leading' | 'following' | 'alone';

export interface RateControl {
  /** Calls per second allowed now, of the whole fleet when this worker leads or follows; `Infinity` when unpaced. */
  readonly rate: number;
  /** Since when `rate` is below the configured one, monotonic milliseconds; undefined while it is not. */
  readonly foundAt: number | undefined;
  /** The limit that keeps `rate` below the configured one; undefined if unknown. */
  readonly limit?: FoundLimit | undefined;
  /** undefined: there is no fleet. */
  readonly fleet?: FleetRole | undefined;
  /** Must be called with every call that has ended. */
  observe(call: ObservedCall): void;
  /** Calls were held in this time, so it shows nothing about how much of the rate is used. Monotonic milliseconds. */
  held(from: number, to: number): void;
  /** The configured rate is now this; `Infinity` for none. */
  setCeiling(perSecond: number): void;
}

/** The configured rate, whatever the API answers. */
export class FixedRate implements RateControl {
  #rate: number;
  readonly foundAt = undefined;

  constructor(rate: number) {
    this.#rate = rate;
  }

  get rate(): number {
    return this.#rate;
  }

  observe(): void {}

  held(): void {}

  setCeiling(perSecond: number): void {
    this.#rate = perSecond;
  }
}
