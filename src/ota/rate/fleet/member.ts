/**
 * One worker of a fleet in which one worker finds the rate for all. PURE: time is passed in.
 *
 *   alone     ── an answer of the fleet ─► following, or leading when nobody leads
 *   following ── the leader is gone ─────► leading
 *   leading   ── another one leads ──────► following
 *   any       ── Redis is lost ──────────► alone
 *
 * A follower reports how its calls have ended. The leader puts all reports in order and lets one rate control judge them, the
 * same that a lone worker has. A worker alone has a rate control for its part of the rate.
 */

import type { FoundLimit } from '../adaptive/limit-estimate.ts';
import type { FleetRole, ObservedCall, RateControl } from '../rate-control.ts';
import type { Answer, Message } from './board.ts';
import { MOST_CALLS, readCalls, writeCalls } from './calls.ts';
import { readLimit, writeLimit } from './limit-text.ts';

/** Where a rate control begins: at the ceiling, or at a rate that was found. */
export interface Start {
  /** Calls per second; `Infinity` for none. */
  readonly ceiling: number;
  readonly startAt?: number;
  /** Since when `startAt` has been below the ceiling, monotonic milliseconds. */
  readonly startFoundAt?: number;
  /** Whether calls are made at `startAt` now, so that no careful start is needed. */
  readonly inForce?: boolean;
}

export interface MemberOptions {
  /** Where this worker begins, alone. */
  readonly begin: Start;
  /** @param onChange must be called with every change of its rate. */
  readonly control: (start: Start, onChange: () => void) => RateControl;
  /** Called when the rate or the role has changed. */
  readonly onChange: (perSecond: number, role: FleetRole) => void;
}

/** What the budget reports about the workers that share it, in calls per second. */
export interface Shared {
  readonly ceiling: number;
  readonly rate: number;
  /** Workers that make calls, this one included. */
  readonly wanting: number;
}

type State =
  /** `parts`: what the fleet's rate was divided by; `proved`: calls have ended since. */
  | { readonly role: 'alone'; readonly control: RateControl; readonly parts: number; proved: boolean }
  | {
      readonly role: 'following';
      readonly foundAt: number | undefined;
      readonly limit: FoundLimit | undefined;
    }
  | { readonly role: 'leading'; readonly control: RateControl; provedAt: number };

/** A found rate is still in force if a call has confirmed it within this time, in milliseconds. */
const IN_FORCE_MS = 10_000;
/** The most calls judged at once: more cannot come from workers. */
const MOST_AT_ONCE = 5 * MOST_CALLS;
/**
 * How long until a rate that depends on a call has reached Redis, in milliseconds: the report, its reading, and the writing.
 */
const WRITTEN_AFTER_MS = 200;

export class FleetMember {
  readonly #options: MemberOptions;
  #own: number;
  #shared: Shared;
  #state: State;
  /** Calls that have ended and are not reported yet, and those of the report under way. */
  #pending: ObservedCall[] = [];
  #sent: readonly ObservedCall[] = [];
  /** When the last judged call ended: calls are judged in order. */
  #judgedAt = Number.NEGATIVE_INFINITY;

  constructor(options: MemberOptions) {
    this.#options = options;
    const { begin } = options;
    const { ceiling } = begin;
    this.#own = ceiling;
    this.#shared = { ceiling, rate: ceiling, wanting: 1 };
    const control = options.control(begin, () => this.#tell());
    this.#state = { role: 'alone', control, parts: 1, proved: false };
  }

  get role(): FleetRole {
    return this.#state.role;
  }

  /** Calls per second: of the fleet, or of this worker when it is alone. */
  get rate(): number {
    return this.#state.role === 'following' ? this.#shared.rate : this.#state.control.rate;
  }

  /** Since when `rate` has been below the ceiling, monotonic milliseconds; undefined while it is not. */
  get foundAt(): number | undefined {
    return this.#state.role === 'following' ? this.#state.foundAt : this.#state.control.foundAt;
  }

  /** The limit that keeps `rate` below the ceiling; undefined if unknown. */
  get limit(): FoundLimit | undefined {
    return this.#state.role === 'following' ? this.#state.limit : this.#state.control.limit;
  }

  /** This worker's own part of the rate: an equal part of the fleet's. */
  get ownRate(): number {
    return this.role === 'alone' ? this.rate : this.rate / Math.max(1, this.#shared.wanting);
  }

  /** Whether there are calls to report. */
  get hasNews(): boolean {
    return this.#pending.length > 0;
  }

  observe(call: ObservedCall): void {
    if (this.#state.role === 'alone') {
      this.#state.proved = true;
      this.#state.control.observe(call);
      return;
    }
    this.#pending.push(call);
    if (this.#pending.length > 2 * MOST_CALLS) this.#pending = this.#pending.slice(-MOST_CALLS);
  }

  /** This worker's calls were held. A leader assumes that those of the others were held as well. */
  held(from: number, to: number): void {
    if (this.#state.role !== 'following') this.#state.control.held(from, to);
  }

  /** This worker is set to another ceiling. */
  setCeiling(perSecond: number): void {
    this.#own = perSecond;
    if (this.#state.role !== 'following') this.#state.control.setCeiling(this.#ceiling);
  }

  /** What the budget reports has changed. */
  hear(shared: Shared): void {
    const before = this.#ceiling;
    this.#shared = shared;
    const { role } = this.#state;
    if (role === 'leading' && before !== this.#ceiling) this.#state.control.setCeiling(this.#ceiling);
    if (role === 'following') this.#tell();
  }

  /** The message to send to the fleet now. */
  write(now: number): Message {
    this.#sent = this.#pending;
    this.#pending = [];
    const calls = writeCalls(this.#sent, now);
    if (this.#state.role !== 'leading') return { calls };
    const { control, provedAt } = this.#state;
    if (!(control.rate < this.#ceiling)) return { calls, leads: { found: undefined } };
    const provedMs = Math.max(0, now - provedAt);
    const foundMs = Math.max(0, now - (control.foundAt ?? now));
    const limit = writeLimit(control.limit, now);
    return { calls, leads: { found: { rate: control.rate, foundMs, provedMs, ...(limit && { limit }) } } };
  }

  /**
   * Handles the fleet's answer to the last message.
   * @param at when the answer was given, monotonic milliseconds.
   * @returns how many calls were judged.
   */
  read(answer: Answer, at: number): number {
    const sent = this.#sent;
    this.#sent = [];
    if (!answer.leads) {
      const { found } = answer;
      const limit = readLimit(found?.limit, at);
      this.#enter({ role: 'following', foundAt: found && at - found.foundMs, limit });
      return 0;
    }
    const state = this.#lead(answer, at);
    const calls = [...sent, ...reported(answer, at)].toSorted((one, other) => one.endedAt - other.endedAt);
    for (const call of calls) this.#judge(call, state);
    return calls.length;
  }

  /** Redis has failed, or gives invalid answers. @param at monotonic milliseconds. */
  lose(at: number): void {
    if (this.#state.role === 'alone') return;
    const parts = Math.max(1, this.#shared.wanting);
    const control = this.#control(this.#own, this.#known(parts, at));
    this.#pending = [];
    this.#sent = [];
    this.#enter({ role: 'alone', control, parts, proved: false });
  }

  #judge(call: ObservedCall, state: State & { readonly role: 'leading' }): void {
    this.#judgedAt = Math.max(this.#judgedAt, call.endedAt);
    state.provedAt = this.#judgedAt;
    const startedAt = call.startedAt - WRITTEN_AFTER_MS;
    state.control.observe({ ...call, startedAt, endedAt: this.#judgedAt });
  }

  /** Of this worker when alone, else of all. */
  get #ceiling(): number {
    return this.#state.role === 'alone' ? this.#own : Math.min(this.#own, this.#shared.ceiling);
  }

  #lead(answer: Answer, at: number): State & { readonly role: 'leading' } {
    const before = this.#state;
    if (before.role === 'leading' && answer.before !== 'other') return before;
    const state = { role: 'leading' as const, control: this.#controlOfAll(answer, at), provedAt: at };
    if (answer.found !== undefined) state.provedAt = at - answer.found.provedMs;
    this.#state = state;
    // Before `#tell`, because a reported rate must never exceed the ceiling of all.
    state.control.setCeiling(this.#ceiling);
    this.#tell();
    return state;
  }

  /** Begins at the fleet's current rate; else with this worker's own finding; else with an old finding of the fleet. */
  #controlOfAll({ found }: Answer, at: number): RateControl {
    const before = this.#state;
    const inForce = found !== undefined && found.provedMs <= IN_FORCE_MS;
    if (before.role === 'alone' && !inForce && (before.proved || found === undefined))
      return this.#controlOfParts(before);
    // Redis has lost the fleet's rate.
    if (found === undefined) return this.#control(this.#own, this.#known(1, at));
    return this.#control(this.#own, {
      startAt: found.rate,
      startFoundAt: at - found.foundMs,
      ...(inForce && { inForce }),
    });
  }

  /** The rate of the fleet as this worker knows it, divided by `parts`. */
  #known(parts: number, at: number): Omit<Start, 'ceiling'> {
    const { rate, foundAt = at } = this;
    return rate < this.#ceiling ? { startAt: rate / parts, startFoundAt: foundAt, inForce: true } : {};
  }

  #controlOfParts({ control, parts }: State & { readonly role: 'alone' }): RateControl {
    if (parts === 1) return control;
    const { rate, foundAt } = control;
    if (foundAt === undefined) return this.#control(this.#own);
    return this.#control(this.#own, { startAt: rate * parts, startFoundAt: foundAt, inForce: true });
  }

  #control(ceiling: number, start: Omit<Start, 'ceiling'> = {}): RateControl {
    return this.#options.control({ ceiling, ...start }, () => this.#tell());
  }

  #enter(state: State): void {
    this.#state = state;
    this.#tell();
  }

  #tell(): void {
    this.#options.onChange(this.rate, this.role);
  }
}

/** The calls of all other workers, converted to this worker's clock. */
function reported({ reports }: Answer, at: number): ObservedCall[] {
  const calls: ObservedCall[] = [];
  for (const report of reports) {
    if (calls.length > MOST_AT_ONCE) break;
    calls.push(...(readCalls(report.calls, at - report.agoMs) ?? []));
  }
  return calls;
}
