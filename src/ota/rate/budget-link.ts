/**
 * Keeps a connection to the shared budget, and the latest facts about the workers that share it.
 *
 *   closed ── open ─────────────────────────────────► down
 *   down   ── Redis answers ────────────────────────► up
 *   up     ── Redis fails, hangs, or answers nonsense ► down, and another try after half a second
 *   any    ── close ────────────────────────────────► closed
 */
import { RECONNECT_AFTER_MS } from '../redis-connection.ts';
import { type Booking, Budget, GONE_AFTER_MS } from './budget.ts';
import { Leads } from './fleet/leads.ts';

export interface BudgetLinkOptions {
  readonly url: string;
  /** Distinguishes this worker from others: random. */
  readonly workerId: string;
  /** Whether this worker uses the rate that the fleet's controller has found. */
  readonly byFleet: boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Called once per change; `reason` is the error. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
}

/** The number of workers assumed before Redis has named any. */
const UNKNOWN_WORKERS = 10;
/** An idle worker reports this often that it is alive, in milliseconds. */
const SIGN_OF_LIFE_MS = 5_000;

export class BudgetLink {
  readonly #options: BudgetLinkOptions;
  readonly #listeners = new Set<() => void>();
  /** One object for each time from `open` to `close`. Steps begun in an earlier one are recognized by it. */
  #period: object | undefined;
  #budget: Budget | undefined;
  /** Since when there has been a budget, or none. */
  #changedAt: number;
  #reported: boolean | undefined;
  #timer: NodeJS.Timeout | undefined;
  #own = Number.POSITIVE_INFINITY;
  #ceiling = Number.POSITIVE_INFINITY;
  #rate = Number.POSITIVE_INFINITY;
  #wanting = 1;
  /** The most workers reported recently: after a FLUSHALL, Redis learns of them one by one. */
  #workers = { count: UNKNOWN_WORKERS, at: Number.NEGATIVE_INFINITY };

  /** Closed at first. */
  constructor(options: BudgetLinkOptions) {
    this.#options = options;
    this.#changedAt = options.now();
  }

  /** The budget while the link is up. Each connection has its own object. */
  get budget(): Budget | undefined {
    return this.#budget;
  }

  get workerId(): string {
    return this.#options.workerId;
  }

  /** How long the link has been up, or not up, in milliseconds. */
  get forMs(): number {
    return this.#options.now() - this.#changedAt;
  }

  /** Of the permits used recently. */
  readonly leads = new Leads();

  /** The most permits per second of all workers: the lowest that any of them is set to. */
  get ceiling(): number {
    return this.#ceiling;
  }

  /** Permits per second that all workers share now; while the link is down, as last reported. */
  get rate(): number {
    return this.#rate;
  }

  /** The number of workers to assume, this one included. */
  get workers(): number {
    return this.#workers.count;
  }

  /** How many of them wanted permits recently, this one included. */
  get wanting(): number {
    return this.#wanting;
  }

  /**
   * Calls `listener` when the link has come up or gone down, and when the ceiling or the rate has changed.
   * @returns a function that ends this.
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Connects in the background. @param ceiling permits per second that this worker is set to; finite. */
  open(ceiling: number): void {
    const period = {};
    this.#period = period;
    this.#own = ceiling;
    this.#ceiling = ceiling;
    this.#rate = ceiling;
    this.#reported = undefined;
    this.#changedAt = this.#options.now();
    void this.#connect(period);
  }

  /** This worker is set to another ceiling. The lowest of all workers applies. */
  setCeiling(perSecond: number): void {
    // While this worker was the lowest, the ceiling of the others is unknown here; Redis's next answer has it.
    const unfound = this.#rate === this.#ceiling;
    this.#ceiling = this.#ceiling === this.#own ? perSecond : Math.min(this.#ceiling, perSecond);
    this.#rate = unfound ? this.#ceiling : Math.min(this.#rate, this.#ceiling);
    this.#own = perSecond;
    if (this.#budget !== undefined) this.#budget.ceiling = perSecond;
    void this.book(0);
  }

  /**
   * @param waits whether permits booked earlier are still waited for.
   * @returns undefined when the connection has failed, or was replaced meanwhile; never rejects.
   */
  async book(permits: number, waits = false): Promise<Booking | undefined> {
    const budget = this.#budget;
    if (budget === undefined) return undefined;
    try {
      const booking = await budget.book(permits, waits);
      if (budget !== this.#budget) return undefined;
      this.#learn(booking);
      return booking;
    } catch (error) {
      this.lost(error, budget);
      return undefined;
    }
  }

  /** Redis has failed, or given an invalid answer. @param budget the connection; an earlier one is ignored. */
  lost(reason: unknown, budget: Budget): void {
    if (budget !== this.#budget || this.#period === undefined) return;
    this.#changedAt = this.#options.now();
    this.#budget = undefined;
    this.leads.clear();
    budget.disconnect();
    this.#tryAgain(reason, this.#period);
    this.#tell();
  }

  /** Reports that this worker is gone. */
  close(): void {
    const budget = this.#budget;
    this.#period = undefined;
    this.#budget = undefined;
    clearTimeout(this.#timer);
    budget?.leave();
    if (budget !== undefined) this.#tell();
  }

  async #connect(period: object): Promise<void> {
    const { url, workerId, byFleet, now } = this.#options;
    let budget: Budget | undefined;
    try {
      budget = await Budget.connect({ url, worker: workerId, ceiling: this.#own, byFleet });
      const booking = await budget.book(0);
      if (period !== this.#period) {
        budget.leave();
        return;
      }
      const connected = budget;
      budget.ceiling = this.#own;
      this.#budget = budget;
      this.#changedAt = now();
      budget.onClosed(() => this.lost(new Error('the connection to Redis is closed'), connected));
      this.#timer = setTimeout(() => void this.#signOfLife(connected), SIGN_OF_LIFE_MS);
      this.#report(true);
      this.#learn(booking);
      this.#tell();
    } catch (error) {
      budget?.disconnect();
      if (period === this.#period) this.#tryAgain(error, period);
    }
  }

  #tryAgain(reason: unknown, period: object): void {
    clearTimeout(this.#timer);
    this.#report(false, reason);
    this.#timer = setTimeout(() => void this.#connect(period), RECONNECT_AFTER_MS);
  }

  /** Keeps this worker among those that the others count, and detects a Redis that hangs. */
  async #signOfLife(budget: Budget): Promise<void> {
    await this.book(0);
    if (budget === this.#budget)
      this.#timer = setTimeout(() => void this.#signOfLife(budget), SIGN_OF_LIFE_MS);
  }

  #learn({ workers, wanting, ceiling, rate }: Booking): void {
    const now = this.#options.now();
    this.#wanting = wanting;
    if (workers >= this.#workers.count || now - this.#workers.at > GONE_AFTER_MS)
      this.#workers = { count: workers, at: now };
    if (this.#budget !== undefined) this.#budget.known = rate < ceiling ? rate : Number.POSITIVE_INFINITY;
    const before = [this.#ceiling, this.#rate];
    this.#ceiling = Math.min(ceiling, this.#own);
    this.#rate = Math.min(rate, this.#own);
    if (before[0] !== this.#ceiling || before[1] !== this.#rate) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #report(shared: boolean, reason?: unknown): void {
    if (this.#reported === shared) return;
    this.#reported = shared;
    this.#options.onShared(shared, reason);
  }
}
