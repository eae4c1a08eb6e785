/**
 * The rate of a fleet whose workers share a budget on Redis: one worker finds it, all use it. `FleetMember` decides; this class
 * communicates with the fleet, at the right times, over the link to the budget.
 */

import type { FoundLimit } from '../adaptive/limit-estimate.ts';
import { fleetTuning } from '../adaptive/tuning.ts';
import type { Budget } from '../budget.ts';
import type { BudgetLink } from '../budget-link.ts';
import type { FleetRole, ObservedCall, RateControl } from '../rate-control.ts';
import { Board } from './board.ts';
import { FleetMember, type MemberOptions } from './member.ts';

export interface FleetRateOptions extends MemberOptions {
  readonly link: BudgetLink;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Calls that have ended are reported within this time, in milliseconds. */
const REPORT_MS = 100;
/**
 * How long until the leader sees the effect of the rate, in milliseconds, besides the call itself: permits are booked ahead, and
 * calls are reported. Found by simulation: with less, a fleet has more 429s (at 10/s more than 3%); with more, it climbs so
 * slowly that noise of 3% keeps it at half of the limit.
 */
const LATE_MS = 400;

/** How the adaptive rate of a fleet differs from that of one worker. */
export const fleetControl = { lateMs: LATE_MS, tuning: fleetTuning } as const;
/** How often the leader looks for reports, and how often after a long time without any, in milliseconds. */
const LEAD_EVERY_MS = 50;
const LEAD_IDLY_EVERY_MS = 500;
const IDLE_AFTER_MS = 2_000;
/** How often a worker without calls asks since when the rate has been what it is, in milliseconds. */
const HEAR_MS = 5_000;

/**
 * The longest time until the next exchange with the fleet, in milliseconds.
 * @param idleMs since the leader last judged a call.
 */
export function nextExchangeMs(
  { role, hasNews }: Pick<FleetMember, 'role' | 'hasNews'>,
  idleMs: number,
): number {
  if (role !== 'leading') return hasNews ? REPORT_MS : HEAR_MS;
  return idleMs <= IDLE_AFTER_MS || hasNews ? LEAD_EVERY_MS : LEAD_IDLY_EVERY_MS;
}

/** The exchanges over one connection. */
interface Talk {
  readonly budget: Budget;
  readonly board: Board;
}

export class FleetRate implements RateControl {
  readonly #link: BudgetLink;
  readonly #now: () => number;
  readonly #member: FleetMember;
  #talk: Talk | undefined;
  #busyAt = Number.NEGATIVE_INFINITY;
  /** Of the next exchange; undefined while one is under way. */
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(options: FleetRateOptions) {
    this.#link = options.link;
    this.#now = options.now;
    this.#member = new FleetMember(options);
    options.link.onChange(() => this.#follow());
  }

  get fleet(): FleetRole {
    return this.#member.role;
  }

  get rate(): number {
    return this.#member.rate;
  }

  get foundAt(): number | undefined {
    return this.#member.foundAt;
  }

  get limit(): FoundLimit | undefined {
    return this.#member.limit;
  }

  /** This worker's own part of the rate. */
  get own(): Pick<RateControl, 'rate' | 'foundAt'> {
    const member = this.#member;
    return {
      get rate() {
        return member.ownRate;
      },
      get foundAt() {
        return member.foundAt;
      },
    };
  }

  observe(call: ObservedCall): void {
    // What counts is the rate at which the call's permit was booked.
    const startedAt = this.#link.leads.bookedAt(call.startedAt);
    this.#member.observe({ ...call, startedAt });
    if (this.#timer !== undefined)
      this.#exchangeWithin(nextExchangeMs(this.#member, this.#now() - this.#busyAt));
  }

  held(from: number, to: number): void {
    this.#member.held(from, to);
  }

  setCeiling(perSecond: number): void {
    this.#member.setCeiling(perSecond);
  }

  /** The link came up or went down, or reports another rate. */
  #follow(): void {
    const { budget, ceiling, rate, wanting, workerId } = this.#link;
    if (budget !== this.#talk?.budget) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#talk = budget && { budget, board: new Board(budget.redis, workerId) };
      if (this.#talk === undefined) this.#member.lose(this.#now());
      else void this.#exchange(this.#talk);
    }
    this.#member.hear({ ceiling, rate, wanting });
  }

  async #exchange(talk: Talk): Promise<void> {
    this.#timer = undefined;
    const sentAt = this.#now();
    try {
      const answer = await talk.board.exchange(this.#member.write(sentAt));
      if (talk !== this.#talk) return;
      const at = this.#now();
      // Assumes that Redis answered halfway between request and answer.
      const { role } = this.#member;
      const judged = this.#member.read(answer, (sentAt + at) / 2);
      if (judged > 0) this.#busyAt = at;
      // A worker that has just begun to lead reports at once at which rate.
      const begun = this.#member.role === 'leading' && role !== 'leading';
      this.#exchangeWithin(begun ? 0 : nextExchangeMs(this.#member, at - this.#busyAt));
    } catch (error) {
      this.#link.lost(error, talk.budget);
    }
  }

  #exchangeWithin(ms: number): void {
    const talk = this.#talk;
    const dueAt = this.#now() + ms;
    if (talk === undefined || (this.#timer !== undefined && this.#dueAt <= dueAt)) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => void this.#exchange(talk), ms);
  }
}
