/** How fast rows end, and the window that follows from it. */

/** Rows sent and not ended at most, at whatever rate. */
export const LEAST_WINDOW = 200;
/** The window holds what ends in so many seconds. */
const WINDOW_SECONDS = 10;
/** The rate is that of the last so many milliseconds. */
const SPAN_MS = 10_000;
const SAMPLE_MS = 250;

export class Pace {
  readonly #now: () => number;
  readonly #samples: { readonly at: number; readonly ended: number }[];
  #lastChangeAt: number;
  #ended: number;

  /** @param now milliseconds, monotonic. @param ended rows that have ended before. */
  constructor(now: () => number, ended: number) {
    this.#now = now;
    this.#samples = [{ at: now(), ended }];
    this.#lastChangeAt = now();
    this.#ended = ended;
  }

  /** Takes note of how many rows have ended by now. */
  observe(ended: number): void {
    const at = this.#now();
    if (ended !== this.#ended) this.#lastChangeAt = at;
    this.#ended = ended;
    const last = this.#samples.at(-1);
    if (last === undefined || at - last.at >= SAMPLE_MS) this.#samples.push({ at, ended });
    // One sample is left that is older than the span, so that the whole of it is seen.
    while ((this.#samples[1]?.at ?? at) <= at - SPAN_MS) this.#samples.shift();
  }

  /** Ends per second, lately; of less than a second's run, as if it had been one. */
  get perSecond(): number {
    const first = this.#samples[0];
    if (first === undefined) return 0;
    return Math.max(0, (this.#ended - first.ended) / Math.max(1, (this.#now() - first.at) / 1_000));
  }

  /** Milliseconds since a row last ended. */
  get quietMs(): number {
    return this.#now() - this.#lastChangeAt;
  }

  get window(): number {
    return Math.max(LEAST_WINDOW, Math.ceil(this.perSecond * WINDOW_SECONDS));
  }
}
