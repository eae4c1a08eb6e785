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

/** The most grants per second at the ceiling. */
export const GRANTS_AT_CEILING = 100;
/** The most below it: such a rate was found at an API that throttles, and may not accept a large grant at once. */
export const GRANTS_BELOW_CEILING = 200;

/** A grant that waits no longer than this may still use the earlier rate, in milliseconds. */
const SHORT_WAIT_MS = 500;

/** Relative changes of the rate below this are not applied. */
const MIN_CHANGE = 0.002;

/** A grant makes up for at most three missed intervals, or as many as fit into this time, in milliseconds. */
const MOST_MISSED = 3;
const MOST_MISSED_MS = 30;

/** Permits in one grant at this rate. */
export function grantSize(perSecond: number, grantsPerSecond = GRANTS_AT_CEILING): number {
  return Math.max(1, Math.ceil(perSecond / grantsPerSecond));
}

/** Milliseconds from one grant to the next at this rate. */
export function grantInterval(perSecond: number, grantsPerSecond = GRANTS_AT_CEILING): number {
  return (1_000 * grantSize(perSecond, grantsPerSecond)) / perSecond;
}

/** A rate in grants. */
interface Pace {
  readonly perSecond: number;
  /** In a grant. */
  readonly permits: number;
  /** From one grant to the next. */
  readonly intervalMs: number;
}

/** The most missed intervals of this length that one grant makes up for. */
export function mostMissed(intervalMs: number): number {
  return Math.max(MOST_MISSED, Math.floor(MOST_MISSED_MS / intervalMs));
}

function paceOf(perSecond: number, grants: number): Pace {
  const intervalMs = perSecond === Number.POSITIVE_INFINITY ? 0 : grantInterval(perSecond, grants);
  return { perSecond, permits: grantSize(perSecond, grants), intervalMs };
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
  /** What Bottleneck has been set to. */
  #applied: Pace;
  readonly #now: () => number;
  readonly #grantsBelow: number;
  readonly #madeAt: number;
  /** Wall time minus monotonic time when `#bottleneck` was made. */
  #wallAhead = 0;
  /** When the last grant was due. */
  #dueAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /**
   * @param perSecond above 0; `Infinity` is unpaced.
   * @param now monotonic milliseconds.
   * @param grantsBelowCeiling the most grants per second at a rate below the ceiling.
   */
  constructor(
    perSecond: number,
    now: () => number = () => performance.now(),
    grantsBelowCeiling = GRANTS_BELOW_CEILING,
  ) {
    this.#now = now;
    this.#madeAt = now();
    this.#ceiling = perSecond;
    this.#rate = perSecond;
    this.#grantsBelow = grantsBelowCeiling;
    this.#applied = this.#pace;
    this.#bottleneck = this.#create(this.#applied.intervalMs);
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
    return this.#pace.intervalMs;
  }

  get #pace(): Pace {
    return paceOf(this.#rate, this.#rate < this.#ceiling ? this.#grantsBelow : GRANTS_AT_CEILING);
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
    if (this.#rate <= this.#applied.perSecond || this.#applied.intervalMs <= SHORT_WAIT_MS) return;
    this.#applied = this.#pace;
    this.#replace();
  }

  /**
   * The permits that are due. Bottleneck counts from when its timer runs: without making up for intervals that a busy event loop
   * missed, a worker under load would stay below its rate.
   */
  #due(requestedAt: number): number {
    const { permits, intervalMs: interval } = this.#applied;
    const due = Math.max(requestedAt, this.#dueAt + interval);
    const now = this.#now();
    const missed = Math.max(0, Math.floor((now - due) / interval));
    // After a fall of the rate, a grant comes before it would be due.
    this.#dueAt = Math.min(now, due + missed * interval);
    return permits * (1 + Math.min(missed, mostMissed(interval)));
  }

  /** At most once per grant, because the rate may change with every call. */
  #apply(): void {
    const pace = this.#pace;
    const { perSecond, permits } = this.#applied;
    if (pace.permits === permits && Math.abs(this.#rate - perSecond) < perSecond * MIN_CHANGE) return;
    this.#applied = pace;
    // Only minTime can be changed safely at run time (Bottleneck issue 185).
    void this.#bottleneck.updateSettings({ minTime: pace.intervalMs });
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
    const waitMs = Math.max(0, this.#dueAt + this.#applied.intervalMs - this.#now());
    this.#applied = this.#pace;
    const stopped = this.#bottleneck;
    const bottleneck = this.#create(waitMs);
    this.#bottleneck = bottleneck;
    // The first job stands for the last grant. It keeps its place until the jobs after the next are spaced by the rate.
    void bottleneck
      .schedule(async () => {
        await bottleneck.updateSettings({ minTime: this.#applied.intervalMs });
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
