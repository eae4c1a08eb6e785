/**
 * One rate budget for many workers: permits are booked on Redis, and each then passes its worker's Bottleneck limiter.
 *
 *   alone  ── the link to the budget is up ───► shared
 *   shared ── the link is down ───────────────► alone
 *
 * Shared: all workers together keep to the budget's rate. Alone: this worker goes on with its part of the ceiling, which is
 * divided by the number of workers last known, however much of it this worker had used.
 */
import { AskAhead, LEAD_MS } from './ask-ahead.ts';
import type { Budget } from './budget.ts';
import type { BudgetLink } from './budget-link.ts';
import {
  GRANTS_AT_CEILING,
  grantInterval,
  grantSize,
  LocalRateLimiter,
  type RateLimiter,
} from './limiter.ts';

export interface RedisRateLimiterOptions {
  /** Opened and closed with the limiter. */
  readonly link: BudgetLink;
  /** Calls per second of all workers together, at the start; finite. */
  readonly ceiling: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Permits overdue for longer than this are not used any more, in milliseconds: they would come in a burst. */
const STALE_MS = 2 * LEAD_MS;

/** Permits that were requested. */
interface Booked {
  permits: number;
  /** When they were requested. A call that uses one of them counts for the rate at that time. */
  readonly at: number;
  /** The rate by which their due time was set. */
  rate: number;
  /** Set when Redis has answered. */
  answer: { readonly at: number; readonly dueAt: number } | undefined;
}

/** While permits are waited for, the rate is checked this often, in milliseconds. */
const LOOK_MS = 500;
/** A rise by less than this factor changes nothing about the permits booked. */
const RISE = 1.5;

/** The most bookings per second of all workers together: Redis can book some ten thousand. */
const BOOKINGS_PER_SECOND = 1_000;

/**
 * Permits to book at once, so that this worker's part comes in grants of the size that a lone worker would have. With more they
 * would be booked further ahead of their use, and a change of the rate would reach the calls later.
 */
export function bookingSize({ rate, wanting }: Pick<BudgetLink, 'rate' | 'wanting'>): number {
  return Math.max(grantSize(rate / wanting), Math.ceil(rate / BOOKINGS_PER_SECOND));
}

/** The local pace, as a factor on the shared rate. */
const CATCH_UP = 1.05;

/** The state while the link is up. */
interface Session {
  readonly budget: Budget;
  /** In the order in which they become due. */
  readonly booked: Booked[];
  readonly askAhead: AskAhead;
}

export class RedisRateLimiter implements RateLimiter {
  readonly #link: BudgetLink;
  readonly #now: () => number;
  readonly #local: LocalRateLimiter;
  #session: Session | undefined;
  /** What the rate control allows this worker. */
  #allowed: number;
  /** The lowest rate since the last rise: the local limiter may still use it. */
  #lowest = Number.POSITIVE_INFINITY;
  /** When the last grant came: under backlog the next one is asked for at once. */
  #grantedAt = Number.NEGATIVE_INFINITY;
  /** Ends the waits of grants for their permits. */
  readonly #waits = new Set<() => void>();
  readonly #forget: () => void;
  #closed = false;

  /** While Redis is unreachable, grants come from the local limiter alone. */
  constructor({ link, ceiling, now }: RedisRateLimiterOptions) {
    this.#link = link;
    this.#now = now;
    this.#allowed = ceiling;
    link.open(ceiling);
    this.#local = new LocalRateLimiter(this.#localRate, now, GRANTS_AT_CEILING);
    this.#forget = link.onChange(() => this.#follow());
  }

  get rate(): number {
    return Math.min(this.#allowed, this.#session === undefined ? this.part : this.#link.rate);
  }

  get part(): number {
    return this.#link.ceiling / this.#link.workers;
  }

  get ceiling(): number {
    return this.#link.ceiling;
  }

  get budget(): 'shared' | 'alone' {
    return this.#session === undefined ? 'alone' : 'shared';
  }

  get budgetMs(): number {
    return this.#link.forMs;
  }

  get intervalMs(): number {
    const { workers, rate } = this.#link;
    const shared = this.#session === undefined ? 0 : workers * grantInterval(rate);
    return Math.max(grantInterval(this.rate), shared);
  }

  async grant(wanted: number): Promise<number> {
    // If permits went stale while they were wanted, this machine was slow: no reason to request fewer.
    const unwanted = this.#now() - this.#grantedAt > LEAD_MS;
    if (unwanted && this.#session !== undefined && this.#dropStale(this.#session))
      this.#session.askAhead.wasted();
    while (!this.#closed) {
      const size = Math.min(wanted, bookingSize(this.#link), grantSize(this.#allowed));
      if (this.#session !== undefined) this.#askAhead(this.#session, size, wanted);
      const permits = await this.#local.grant();
      if (this.#closed) return 0;
      const session = this.#session;
      if (session === undefined || permits === 0) return permits;
      const taken = await this.#take(session, permits, size);
      this.#grantedAt = this.#now();
      if (taken > 0) return taken;
    }
    return 0;
  }

  setRate(perSecond: number): void {
    this.#allowed = perSecond;
    this.#local.setRate(this.#localRate);
  }

  setCeiling(perSecond: number): void {
    const before = this.ceiling;
    this.#allowed = perSecond;
    this.#link.setCeiling(perSecond);
    this.#local.setCeiling(this.#localRate);
    // The permits under way are still spaced by the earlier rate.
    if (this.ceiling > before && this.#session !== undefined) this.#session.booked.length = 0;
    this.#wake();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#session = undefined;
    this.#link.close();
    this.#wake();
    await this.#local.close();
  }

  /** The link came up or went down, or reports another rate. */
  #follow(): void {
    const { budget } = this.#link;
    if (budget !== this.#session?.budget) {
      this.#session = budget && { budget, booked: [], askAhead: new AskAhead() };
      this.#wake();
    }
    if (this.#session !== undefined) this.#hasten(this.#session);
    const { rate } = this;
    const rises = rate > this.#lowest * RISE;
    this.#lowest = rises ? rate : Math.min(this.#lowest, rate);
    // A grant may have a long wait at the earlier rate.
    if (rises) this.#local.setCeiling(this.#localRate);
    else this.#local.setRate(this.#localRate);
  }

  /** Permits booked at a lower rate become due sooner: Redis has done its part, and this does the same here. */
  #hasten({ booked }: Session): void {
    const { rate } = this.#link;
    const now = this.#now();
    for (const each of booked) {
      const { answer } = each;
      if (answer === undefined || each.rate * RISE >= rate) continue;
      const waitMs = Math.max(0, answer.dueAt - now) * (each.rate / rate);
      each.answer = { ...answer, dueAt: now + waitMs };
      each.rate = rate;
    }
    this.#wake();
  }

  /**
   * When the budget sets the pace, the local limiter must be faster to catch up after a stall: at the same rate it could not.
   */
  get #localRate(): number {
    const { rate } = this;
    return this.#session !== undefined && rate >= this.#link.rate ? rate * CATCH_UP : rate;
  }

  /** Requests permits, `size` at a time, until enough are under way. */
  #askAhead(session: Session, size: number, wanted: number): void {
    const underWay = session.booked.reduce((sum, { permits }) => sum + permits, 0);
    const bookings = session.askAhead.bookings(size, underWay, wanted);
    for (let i = 0; i < bookings; i++) this.#book(session, size);
  }

  #book(session: Session, permits: number): void {
    const askedAt = this.#now();
    const booked: Booked = { permits, at: askedAt, rate: this.#link.rate, answer: undefined };
    session.booked.push(booked);
    void this.#link.book(permits).then((booking) => {
      if (booking === undefined || session !== this.#session) return;
      const at = this.#now();
      session.askAhead.answered(at - askedAt);
      booked.answer = { at, dueAt: at + booking.waitMs };
      if (booked === session.booked[0]) this.#wake();
    });
  }

  /**
   * Waits for the permits that are due first; requests `size` if none are under way.
   * @returns the number due by then, at most `most`; 0 when the session has ended.
   */
  async #take(session: Session, most: number, size: number): Promise<number> {
    while (session === this.#session) {
      this.#dropStale(session);
      const taken = this.#takeDue(session, most);
      if (taken > 0) return taken;
      if (session.booked.length === 0) this.#book(session, size);
      const dueAt = session.booked[0]?.answer?.dueAt;
      if (dueAt === undefined || dueAt <= this.#now() + LOOK_MS) await this.#wait(dueAt);
      else {
        await this.#wait(this.#now() + LOOK_MS);
        void this.#link.book(0, true);
      }
    }
    return 0;
  }

  #takeDue({ booked, askAhead }: Session, most: number): number {
    const now = this.#now();
    let taken = 0;
    for (let [first] = booked; first?.answer !== undefined && taken < most; [first] = booked) {
      if (first.answer.dueAt > now) break;
      const permits = Math.min(first.permits, most - taken);
      taken += permits;
      this.#link.leads.add(now, first.at);
      first.permits -= permits;
      if (first.permits === 0) booked.shift();
      const share = this.#link.rate / this.#link.wanting;
      askAhead.used({ permits, leadMs: now - first.answer.at, rate: this.rate, share });
    }
    return taken;
  }

  /** @returns whether any were dropped. */
  #dropStale({ booked }: Session): boolean {
    const before = this.#now() - STALE_MS;
    let dropped = false;
    for (let [first] = booked; first?.answer !== undefined && first.answer.dueAt < before; [first] = booked) {
      booked.shift();
      dropped = true;
    }
    return dropped;
  }

  /** Waits until `until`, if given, or until there is news. */
  async #wait(until: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waits.add(resolve);
    const timer = until === undefined ? undefined : setTimeout(resolve, Math.max(0, until - this.#now()));
    await promise;
    clearTimeout(timer);
    this.#waits.delete(resolve);
  }

  #wake(): void {
    for (const end of this.#waits) end();
  }
}
