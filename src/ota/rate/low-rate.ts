/**
 * Detects that the rate that the API accepts stays far below the configured one.
 *
 *   usual ── below half of the part for a minute ─► low ── half of it or more ─► usual
 */

export interface LowRateOptions {
  /** Calls per second that the settings allow this worker; `Infinity` for no limit, which has no half. */
  readonly part: () => number;
  /** Called once per change, with the rate found and the part, in calls per second. */
  readonly onLow: (low: boolean, found: number, part: number) => void;
  /** How long the rate must stay low before that is reported, in milliseconds. Default: a minute. */
  readonly afterMs?: number;
}

const AFTER_MS = 60_000;

export class LowRate {
  readonly #options: LowRateOptions;
  #found = Number.POSITIVE_INFINITY;
  #low = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LowRateOptions) {
    this.#options = options;
  }

  /** Must be called with every change of the rate found, in calls per second. */
  see(found: number): void {
    this.#found = found;
    if (!this.#isLow()) this.#set(false);
    else if (!this.#low)
      this.#timer ??= setTimeout(() => this.#set(this.#isLow()), this.#options.afterMs ?? AFTER_MS);
  }

  /** From now on nothing is reported. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #isLow(): boolean {
    const part = this.#options.part();
    return Number.isFinite(part) && this.#found < part / 2;
  }

  #set(low: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (low === this.#low) return;
    this.#low = low;
    this.#options.onLow(low, this.#found, this.#options.part());
  }
}
