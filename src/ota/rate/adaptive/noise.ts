/** Noise: throttled calls that show nothing about the rate. */
import type { ObservedCall } from '../rate-control.ts';
import { NoiseAllowance } from './noise-allowance.ts';
import { NoiseTest } from './noise-test.ts';
import type { NoiseTuning } from './tuning.ts';

export class Noise {
  readonly #test: NoiseTest;
  readonly #allowance = new NoiseAllowance();

  /** As {@link NoiseTest}. */
  constructor(tuning: NoiseTuning, wallAheadMs: () => number) {
    this.#test = new NoiseTest(tuning, wallAheadMs);
  }

  /** The noise as far as it is certain: a share of the calls. */
  get share(): number {
    return this.#test.share;
  }

  /** As {@link NoiseTest.isTooMuch}. */
  get isTooMuch(): boolean {
    return this.#test.isTooMuch;
  }

  /** As {@link NoiseTest.highest}. */
  get highest(): number {
    return this.#test.highest;
  }

  /** The share of the rate that the current dip leaves; 1 outside dips. */
  get factor(): number {
    return this.#test.factor;
  }

  /** Registers a call that has ended. @returns whether it was throttled, and not by noise. */
  counts(call: ObservedCall, throttled: boolean): boolean {
    this.#test.observe(call, throttled);
    return !this.#allowance.excuses(throttled, this.#test.share) && throttled;
  }

  /** As {@link NoiseTest.advance}. */
  advance(now: number, rate: number, calm: boolean): number | undefined {
    const back = this.#test.advance(now, rate, calm);
    if (back !== undefined) this.#allowance.refill();
    return back;
  }

  /** As {@link NoiseTest.abort}. */
  abort(): void {
    this.#test.abort();
  }

  /** As {@link NoiseTest.limitFell}. */
  limitFell(): void {
    this.#test.limitFell();
  }
}
