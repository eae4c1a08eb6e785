const WINDOW_SECONDS = 30;

/** Permits per second that a worker got of a shared budget, over the last 30 s or since the first permit if later. */
export class ShareMeter {
  readonly #now: () => number;
  readonly #counts = new Float64Array(WINDOW_SECONDS);
  #second = 0;
  #since: number | undefined;

  /** @param now monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(permits: number): void {
    this.#advance();
    this.#since ??= this.#now();
    const slot = this.#second % WINDOW_SECONDS;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + permits;
  }

  /** Discards what was measured: after a reconnection the share may be another. */
  restart(): void {
    this.#counts.fill(0);
    this.#since = undefined;
  }

  /** undefined within the first second. */
  perSecond(): number | undefined {
    this.#advance();
    const seconds = Math.min(WINDOW_SECONDS, (this.#now() - (this.#since ?? this.#now())) / 1_000);
    if (seconds < 1) return undefined;
    return this.#counts.reduce((sum, count) => sum + count, 0) / seconds;
  }

  #advance(): void {
    const second = Math.floor(this.#now() / 1_000);
    const passed = Math.min(second - this.#second, WINDOW_SECONDS);
    for (let i = 1; i <= passed; i++) this.#counts[(second - passed + i) % WINDOW_SECONDS] = 0;
    this.#second = second;
  }
}
