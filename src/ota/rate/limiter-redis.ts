/**
 * One rate budget for many workers: permits are booked on Redis, and each then passes the Bottleneck limiter of its worker.
 *
 *   alone  ── Redis answers ─────────────────────────► shared
 *   shared ── Redis fails, hangs, or answers nonsense ► alone
 *
 * Shared: all workers together keep the ceiling. Alone: this worker goes on with its part of the ceiling by the workers
 * that were last there, whatever it has used of it, and reconnects by itself.
 */
import { RECONNECT_AFTER_MS } from '../redis-connection.ts';
import { AskAhead, LEAD_MS } from './ask-ahead.ts';
import { type Booking, Budget, GONE_AFTER_MS } from './budget.ts';
import { grantInterval, grantSize, LocalRateLimiter, type RateLimiter } from './limiter.ts';

export interface RedisRateLimiterOptions {
  readonly url: string;
  /** Distinguishes this worker from others: random. */
  readonly workerId: string;
  /** Calls per second of all workers together, at the start; finite. */
  readonly ceiling: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Called once per change; `reason` is the error. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
}

/** Workers to reckon with before Redis has named any. */
const UNKNOWN_WORKERS = 10;
/** An idle worker says this often that it is there, in milliseconds. */
const SIGN_OF_LIFE_MS = 5_000;
/** Permits overdue for longer are not used any more, in milliseconds: they would come in a burst. */
export const STALE_MS = 2 * LEAD_MS;

/** Permits asked for. */
interface Booked {
  permits: number;
  /** Set when Redis has answered. */
  answer: { readonly at: number; readonly dueAt: number } | undefined;
}

/** The local pace, as a factor on the ceiling that is shared. */
const CATCH_UP = 1.05;

/** What is known of a budget while Redis answers. */
interface Session {
  readonly budget: Budget;
  /** In the order in which they become due. */
  readonly booked: Booked[];
  readonly askAhead: AskAhead;
}

export class RedisRateLimiter implements RateLimiter {
  readonly #options: RedisRateLimiterOptions;
  readonly #local: LocalRateLimiter;
  #session: Session | undefined;
  /** Since when there is one, or none. */
  #sessionAt: number;
  #reported: boolean | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What the rate control allows this worker. */
  #allowed: number;
  /** What this worker is set to. */
  #own: number;
  /** The lowest of all workers. */
  #ceiling: number;
  #wanting = 1;
  /** The most workers named lately: after a FLUSHALL, Redis knows of them one by one. */
  #workers = { count: UNKNOWN_WORKERS, at: Number.NEGATIVE_INFINITY };
  /** When the last grant came: one is asked for at once while there is a backlog. */
  #grantedAt = Number.NEGATIVE_INFINITY;
  /** Ends the waits of grants for their permits. */
  readonly #waits = new Set<() => void>();
  #closed = false;

  /** Connects in the background; while Redis is unreachable, grants come from the local limiter alone. */
  constructor(options: RedisRateLimiterOptions) {
    this.#options = options;
    this.#allowed = options.ceiling;
    this.#own = options.ceiling;
    this.#ceiling = options.ceiling;
    this.#sessionAt = options.now();
    this.#local = new LocalRateLimiter(this.#localRate, options.now);
    void this.#connect();
  }

  get rate(): number {
    const most = this.#session === undefined ? this.part : this.#ceiling;
    return Math.min(this.#allowed, most);
  }

  get part(): number {
    return this.#ceiling / this.#workers.count;
  }

  get ceiling(): number {
    return this.#ceiling;
  }

  get budget(): 'shared' | 'alone' {
    return this.#session === undefined ? 'alone' : 'shared';
  }

  get budgetMs(): number {
    return this.#options.now() - this.#sessionAt;
  }

  get intervalMs(): number {
    const shared = this.#session === undefined ? 0 : this.#workers.count * grantInterval(this.#ceiling);
    return Math.max(grantInterval(this.rate), shared);
  }

  async grant(wanted: number): Promise<number> {
    // Gone stale while they were wanted, they were held up by this machine: no reason to ask for fewer.
    const unwanted = this.#options.now() - this.#grantedAt > LEAD_MS;
    if (unwanted && this.#session !== undefined && this.#dropStale(this.#session))
      this.#session.askAhead.wasted();
    while (!this.#closed) {
      const size = Math.min(wanted, grantSize(this.#own), grantSize(this.#allowed));
      if (this.#session !== undefined) this.#askAhead(this.#session, size, wanted);
      const permits = await this.#local.grant();
      if (this.#closed) return 0;
      const session = this.#session;
      if (session === undefined || permits === 0) return permits;
      const taken = await this.#take(session, permits, size);
      this.#grantedAt = this.#options.now();
      if (taken > 0) return taken;
    }
    return 0;
  }

  setRate(perSecond: number): void {
    this.#allowed = perSecond;
    this.#local.setRate(this.#localRate);
  }

  setCeiling(perSecond: number): void {
    const raised = perSecond > this.#own;
    // What the others keep to is not known while it was this worker that was the lowest: Redis says so.
    this.#ceiling = this.#ceiling === this.#own ? perSecond : Math.min(this.#ceiling, perSecond);
    this.#own = perSecond;
    this.#allowed = perSecond;
    this.#local.setCeiling(this.#localRate);
    const session = this.#session;
    if (session === undefined) return;
    session.budget.ceiling = perSecond;
    // Those under way are as far apart as the rate before.
    if (raised) session.booked.length = 0;
    session.budget.book(0).then(
      (booking) => {
        if (session === this.#session) this.#learn(booking);
      },
      (error: unknown) => this.#lost(error, session),
    );
    this.#wake();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const session = this.#session;
    this.#session = undefined;
    session?.budget.leave();
    this.#wake();
    await this.#local.close();
  }

  /** Where the budget sets the pace, the local limiter must leave room to make up for a stall: two of one rate would not. */
  get #localRate(): number {
    const { rate } = this;
    return this.#session !== undefined && rate >= this.#ceiling ? rate * CATCH_UP : rate;
  }

  /** Asks for permits, `size` at a time, until as many are under way as are worth it. */
  #askAhead(session: Session, size: number, wanted: number): void {
    const underWay = session.booked.reduce((sum, { permits }) => sum + permits, 0);
    const bookings = session.askAhead.bookings(size, underWay, wanted);
    for (let i = 0; i < bookings; i++) this.#book(session, size);
  }

  #book(session: Session, permits: number): void {
    const { now } = this.#options;
    const booked: Booked = { permits, answer: undefined };
    session.booked.push(booked);
    const askedAt = now();
    session.budget.book(permits).then(
      (booking) => {
        if (session !== this.#session) return;
        const at = now();
        session.askAhead.answered(at - askedAt);
        this.#learn(booking);
        booked.answer = { at, dueAt: at + booking.waitMs };
        if (booked === session.booked[0]) this.#wake();
      },
      (error: unknown) => this.#lost(error, session),
    );
  }

  /**
   * Waits for the permits that are due first; asks for `size` where none are under way.
   * @returns those that are due by then, at most `most`; 0 when the session has ended.
   */
  async #take(session: Session, most: number, size: number): Promise<number> {
    while (session === this.#session) {
      this.#dropStale(session);
      const taken = this.#takeDue(session, most);
      if (taken > 0) return taken;
      if (session.booked.length === 0) this.#book(session, size);
      await this.#wait(session.booked[0]?.answer?.dueAt);
    }
    return 0;
  }

  #takeDue({ booked, askAhead }: Session, most: number): number {
    const now = this.#options.now();
    let taken = 0;
    for (let [first] = booked; first?.answer !== undefined && taken < most; [first] = booked) {
      if (first.answer.dueAt > now) break;
      const permits = Math.min(first.permits, most - taken);
      taken += permits;
      first.permits -= permits;
      if (first.permits === 0) booked.shift();
      const share = this.#ceiling / this.#wanting;
      askAhead.used({ permits, leadMs: now - first.answer.at, rate: this.rate, share });
    }
    return taken;
  }

  /** @returns whether there were any. */
  #dropStale({ booked }: Session): boolean {
    const before = this.#options.now() - STALE_MS;
    let dropped = false;
    for (let [first] = booked; first?.answer !== undefined && first.answer.dueAt < before; [first] = booked) {
      booked.shift();
      dropped = true;
    }
    return dropped;
  }

  /** Until then, where that is known, or until there is news. */
  async #wait(until: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waits.add(resolve);
    const timer =
      until === undefined ? undefined : setTimeout(resolve, Math.max(0, until - this.#options.now()));
    await promise;
    clearTimeout(timer);
    this.#waits.delete(resolve);
  }

  #wake(): void {
    for (const end of this.#waits) end();
  }

  #learn({ workers, wanting, rate }: Booking): void {
    const now = this.#options.now();
    this.#wanting = wanting;
    const ceiling = Math.min(rate, this.#own);
    if (workers >= this.#workers.count || now - this.#workers.at > GONE_AFTER_MS)
      this.#workers = { count: workers, at: now };
    if (ceiling === this.#ceiling) return;
    this.#ceiling = ceiling;
    this.#local.setRate(this.#localRate);
  }

  async #connect(): Promise<void> {
    const { url, workerId } = this.#options;
    let budget: Budget | undefined;
    try {
      budget = await Budget.connect(url, workerId, this.#own);
      this.#learn(await budget.book(0));
      if (this.#closed) {
        budget.leave();
        return;
      }
      const session: Session = { budget, booked: [], askAhead: new AskAhead() };
      this.#session = session;
      this.#sessionAt = this.#options.now();
      this.#local.setRate(this.#localRate);
      budget.onClosed(() => this.#lost(new Error('the connection to Redis is closed'), session));
      this.#timer = setTimeout(() => void this.#signOfLife(session), SIGN_OF_LIFE_MS);
      this.#report(true);
    } catch (error) {
      budget?.disconnect();
      this.#lost(error);
    }
  }

  /** Keeps this worker among those that the others reckon with, and notices a Redis that hangs. */
  async #signOfLife(session: Session): Promise<void> {
    try {
      this.#learn(await session.budget.book(0));
      if (session === this.#session)
        this.#timer = setTimeout(() => void this.#signOfLife(session), SIGN_OF_LIFE_MS);
    } catch (error) {
      this.#lost(error, session);
    }
  }

  /** @param from the session that failed; the failure of an earlier one is ignored. */
  #lost(reason: unknown, from?: Session): void {
    if (this.#closed || from !== this.#session) return;
    clearTimeout(this.#timer);
    // Tried in vain, it has been alone for longer.
    if (from !== undefined) this.#sessionAt = this.#options.now();
    this.#session = undefined;
    from?.budget.disconnect();
    this.#local.setRate(this.#localRate);
    this.#wake();
    this.#report(false, reason);
    this.#timer = setTimeout(() => void this.#connect(), RECONNECT_AFTER_MS);
  }

  #report(shared: boolean, reason?: unknown): void {
    if (this.#reported === shared) return;
    this.#reported = shared;
    this.#options.onShared(shared, reason);
  }
}
