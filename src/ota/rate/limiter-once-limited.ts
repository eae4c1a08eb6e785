/**
 * A limiter for workers that share a budget, but only while there is a limit: without one there is nothing to share.
 *
 *   unpaced ── a finite ceiling ─► sharing ── no ceiling any more ─► unpaced
 */
import { LocalRateLimiter, type RateLimiter } from './limiter.ts';

export interface LimiterOnceLimitedOptions {
  /** Creates the limiter that shares a budget. */
  readonly share: (ceiling: number) => RateLimiter;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export class LimiterOnceLimited implements RateLimiter {
  readonly #options: LimiterOnceLimitedOptions;
  #current: RateLimiter;
  #closed = false;

  /** Unpaced at first. */
  constructor(options: LimiterOnceLimitedOptions) {
    this.#options = options;
    this.#current = new LocalRateLimiter(Number.POSITIVE_INFINITY, options.now);
  }

  get rate(): number {
    return this.#current.rate;
  }

  get ceiling(): number {
    return this.#current.ceiling;
  }

  get part(): number {
    return this.#current.part;
  }

  get budget(): RateLimiter['budget'] {
    return this.#current.budget;
  }

  get budgetMs(): number {
    return this.#current.budgetMs;
  }

  get intervalMs(): number {
    return this.#current.intervalMs;
  }

  async grant(wanted: number): Promise<number> {
    while (!this.#closed) {
      const asked = this.#current;
      const permits = await asked.grant(wanted);
      // A limiter that was closed and replaced grants no permits.
      if (permits > 0 || asked === this.#current) return permits;
    }
    return 0;
  }

  setRate(perSecond: number): void {
    this.#current.setRate(perSecond);
  }

  setCeiling(perSecond: number): void {
    const limited = Number.isFinite(perSecond);
    if (limited === Number.isFinite(this.#current.ceiling)) {
      this.#current.setCeiling(perSecond);
      return;
    }
    const before = this.#current;
    this.#current = limited
      ? this.#options.share(perSecond)
      : new LocalRateLimiter(perSecond, this.#options.now);
    void before.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#current.close();
  }
}
