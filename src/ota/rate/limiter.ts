/** The rate limiter of one process, on Bottleneck. */
import Bottleneck from 'bottleneck';

/**
 * Grants permits at a rate. A Bottleneck job is not a call but a grant of k permits, because Bottleneck admits only about 420
 * jobs a second. One grant is in progress at a time.
 */
export interface RateLimiter {
  /** The most permits per second given out now; `Infinity` is unpaced. */
  readonly rate: number;
  /** What `rate` may rise to: the budget's ceiling, if there is a budget. */
  readonly ceiling: number;
  /** This worker's part of the ceiling when all that share it make calls. */
  readonly part: number;
  /** Whether the ceiling is one budget of all workers, and if so, whether this worker uses it now or, alone, its part. */
  readonly budget: 'none' | 'shared' | 'alone';
  /** How long `budget` has had this value, in milliseconds. */
  readonly budgetMs: number;
  /** Milliseconds from one grant to the next, when all workers that share the rate want permits. */
  readonly intervalMs: number;
  /**
   * Waits for the next grant.
   * @param wanted permits that would be used at once, at least 1; `Infinity` for a backlog.
   * @returns how many permits it holds: at least 1, `Infinity` when unpaced, 0 once closed.
   */
  grant(wanted: number): Promise<number>;
  /** Takes effect with the next grant. */
  setRate(perSecond: number): void;
  /**
   * Sets this worker's ceiling; in a budget the lowest of all workers applies. A grant that waits follows the new ceiling too.
   */
  setCeiling(perSecond: number): void;
  /** Ends a waiting grant with 0 permits. */
  close(): Promise<void>;
}

/** The most grants per second. */
const GRANTS_PER_SECOND = 100;

/** A grant that waits no longer than this may still use the earlier rate, in milliseconds. */
const SHORT_WAIT_MS = 500;

/** Relative changes of the rate below this are not applied. */
const MIN_CHANGE = 0.002;

/** The most missed intervals that one grant makes up for. */
export const MAX_MISSED_INTERVALS = 3;

/** Permits in one grant at this rate. */
export function grantSize(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond / GRANTS_PER_SECOND));
}

/** Milliseconds from one grant to the next at this rate. */
export function grantInterval(perSecond: number): number {
  return (1_000 * grantSize(perSecond)) / perSecond;
}

/** A difference between wall and monotonic time that means a step of the clock, not rounding, in milliseconds. */
const STEP_MS = 20;

/**
 * Bottleneck paces by the wall clock and supports no other. After a step of that clock, a new limiter replaces the old one: the
 * next grant stays due when it was, and waiting grants move over.
 */
export class LocalRateLimiter implements RateLimiter {
  #bottleneck: Bottleneck;
  #ceiling: number;
  readonly budget = 'none';
  #rate: number;
  /** The rate that Bottleneck has been set to. */
  #applied: number;
  readonly #now: () => number;
  readonly #madeAt: number;
  /** Wall time minus monotonic time when `#bottleneck` was made. */
  #wallAhead = 0;
  /** When the last grant was due. */
  #dueAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /**
   * @param perSecond above 0; `Infinity` is unpaced.
   * @param now monotonic milliseconds.
   */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#madeAt = now();
    this.#ceiling = perSecond;
    this.#rate = perSecond;
    this.#applied = perSecond;
    this.#bottleneck = this.#create(paced(perSecond));
  }

  get rate(): number {
    return this.#rate;
  }

  get ceiling(): number {
    return this.#ceiling;
  }

  get part(): number {
    return this.#ceiling;
  }

  get budgetMs(): number {
    return this.#now() - this.#madeAt;
  }

  get intervalMs(): number {
    return paced(this.#rate);
  }

  async grant(): Promise<number> {
    const requestedAt = this.#now();
    while (!this.#closed) {
      if (this.#rate === Number.POSITIVE_INFINITY) return this.#rate;
      if (this.#clockStepped) this.#replace();
      this.#apply();
      const bottleneck = this.#bottleneck;
      try {
        return await bottleneck.schedule(async () => this.#due(requestedAt));
      } catch (error) {
        // Dropped with the limiter in which it waited.
        if (bottleneck === this.#bottleneck && !this.#closed) throw error;
      }
    }
    return 0;
  }

  setRate(perSecond: number): void {
    this.#rate = perSecond;
  }

  setCeiling(perSecond: number): void {
    this.#ceiling = perSecond;
    this.#rate = perSecond;
    // A grant may have been waiting for long at a low rate.
    if (this.#rate <= this.#applied || paced(this.#applied) <= SHORT_WAIT_MS) return;
    this.#applied = this.#rate;
    this.#replace();
  }

  /**
   * The permits that are due. Bottleneck counts from when its timer runs: without making up for intervals that a busy event loop
   * missed, a worker under load would stay below its rate.
   */
  #due(requestedAt: number): number {
    const interval = grantInterval(this.#applied);
    const due = Math.max(requestedAt, this.#dueAt + interval);
    const now = this.#now();
    const missed = Math.max(0, Math.floor((now - due) / interval));
    // After a fall of the rate, a grant comes before it would be due.
    this.#dueAt = Math.min(now, due + missed * interval);
    return grantSize(this.#applied) * (1 + Math.min(missed, MAX_MISSED_INTERVALS));
  }

  /** At most once per grant, because the rate may change with every call. */
  #apply(): void {
    if (Math.abs(this.#rate - this.#applied) < this.#applied * MIN_CHANGE) return;
    this.#applied = this.#rate;
    // Only minTime can be changed safely at run time (Bottleneck issue 185).
    void this.#bottleneck.updateSettings({ minTime: paced(this.#rate) });
  }

  get #clockStepped(): boolean {
    return Math.abs(Date.now() - this.#now() - this.#wallAhead) > STEP_MS;
  }

  #create(minTime: number): Bottleneck {
    this.#wallAhead = Date.now() - this.#now();
    const bottleneck = new Bottleneck({ maxConcurrent: 1, minTime });
    // Bottleneck has just computed a job's wait by the wall clock. From here on a timer runs, which no clock step affects.
    bottleneck.on('scheduled', () => {
      if (bottleneck === this.#bottleneck && !this.#closed && this.#clockStepped) this.#replace();
    });
    return bottleneck;
  }

  #replace(): void {
    const waitMs = Math.max(0, this.#dueAt + paced(this.#applied) - this.#now());
    this.#applied = this.#rate;
    const stopped = this.#bottleneck;
    const bottleneck = this.#create(waitMs);
    this.#bottleneck = bottleneck;
    // The first job stands for the last grant. It keeps its place until the jobs after the next are spaced by the rate.
    void bottleneck
      .schedule(async () => {
        await bottleneck.updateSettings({ minTime: paced(this.#applied) });
      })
      .catch(ignore);
    void stopped.stop({ dropWaitingJobs: true }).catch(ignore);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#bottleneck.stop({ dropWaitingJobs: true });
  }
}

function ignore(): void {}

function paced(perSecond: number): number {
  return perSecond === Number.POSITIVE_INFINITY ? 0 : grantInterval(perSecond);
}
