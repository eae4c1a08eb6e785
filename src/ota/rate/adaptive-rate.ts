/**
 * The adaptive rate: finds the rate that the API accepts, below a ceiling, from how calls end. Its states: `adaptive/states.ts`.
 * Besides the states there are waits while a limit is spent (`SpentLimit`), and dips, which distinguish noise from a limit
 * (`NoiseTest`). Why: docs/decisions/0002-adaptive-rate.md.
 */
import { Comeback } from './adaptive/comeback.ts';
import { acceptedOf, isOverload, LatestCalls } from './adaptive/latest-calls.ts';
import {
  betweenCutsMs,
  boostShare,
  calmSeconds,
  climbShare,
  cutShare,
  mostInPeriod,
  targetShare,
} from './adaptive/law.ts';
import { type FoundLimit, LimitEstimate } from './adaptive/limit-estimate.ts';
import { Noise } from './adaptive/noise.ts';
import { rateAfter, SpentLimit, type Wait } from './adaptive/spent-limit.ts';
import { climbOf, following, rateOfFailed, type State } from './adaptive/states.ts';
import { defaultTuning, type Tuning } from './adaptive/tuning.ts';
import { QUIET, UtilizationMeter } from './adaptive/utilization.ts';
import { CarefulStart, startRate } from './careful-start.ts';
import type { ObservedCall, RateControl } from './rate-control.ts';

export interface AdaptiveRateOptions {
  /** The most calls per second; `Infinity` for no ceiling. */
  readonly ceiling: number;
  /** Called with every change. */
  readonly onChange: (perSecond: number) => void;
  /** A rate found earlier, in calls per second: the control starts somewhat below it. Omitted: it starts at the ceiling. */
  readonly startAt?: number;
  /**
   * When `startAt` was found, monotonic milliseconds, negative if before the clock's origin. Default: the end of the first call.
   */
  readonly startFoundAt?: number;
  /** Whether other workers now call at `startAt`: then the control starts at it, not below. Default: no. */
  readonly inForce?: boolean;
  /** How far wall time is now ahead of monotonic time, in milliseconds. Workers dip together by wall time. Default: 0. */
  readonly wallAheadMs?: () => number;
  /** How long after its end a call is observed, in milliseconds. In a fleet, other workers report it. Default: 0. */
  readonly lateMs?: number;
  readonly tuning?: Tuning;
}

/** The deepest cut leaves this share: in a short time the API may have accepted nothing. */
const MIN_SHARE = 0.2;
/** The lowest rate, in calls per second. */
const FLOOR = 0.1;
/** A rate not cut deep for this long is settled, in milliseconds. */
const SETTLED_MS = 5_000;
/** After this many periods in which a limit was not spent, it may no longer have a period. */
const PERIODS_WITHOUT_WAIT = 3;
/** Weight of the latest call in the mean round trip. */
const ROUND_TRIP_WEIGHT = 0.05;

export class AdaptiveRate implements RateControl {
  readonly #options: AdaptiveRateOptions;
  readonly #tuning: Tuning;
  #ceiling: number;
  /** The target in calls per second. `rate` is lower in dips and waits. */
  #aim: number;
  #rate: number;
  #foundAt: number | undefined;
  #state: State;
  #firstSeenAt: number | undefined;
  #lastSeenAt = Number.NEGATIVE_INFINITY;
  #lastCutAt = Number.NEGATIVE_INFINITY;
  #lastDeepCutAt = Number.NEGATIVE_INFINITY;
  #lastWaitAt = Number.NEGATIVE_INFINITY;
  /** The milliseconds in which the rate was utilized since it was cut, or a call was throttled. */
  #usedMs = 0;
  /** The calls since the last cut that were accepted, or throttled by noise. */
  #accepted = 0;
  #roundTripMs = 0;
  readonly #latest: LatestCalls;
  #utilization = new UtilizationMeter();
  readonly #spent: SpentLimit;
  readonly #noise: Noise;
  readonly #comeback: Comeback;
  readonly #limit = new LimitEstimate();

  constructor(options: AdaptiveRateOptions) {
    this.#options = options;
    this.#tuning = options.tuning ?? defaultTuning;
    this.#latest = new LatestCalls(this.#tuning.overload.latest);
    this.#spent = new SpentLimit(this.#tuning.spent.run);
    this.#noise = new Noise(this.#tuning.noise, options.wallAheadMs ?? (() => 0));
    this.#comeback = new Comeback(this.#tuning.comeback);
    this.#ceiling = options.ceiling;
    const { startAt = Number.POSITIVE_INFINITY, inForce = false, ceiling } = options;
    this.#aim = inForce ? Math.min(startAt, ceiling) : startRate(startAt, ceiling);
    this.#rate = this.#aim;
    this.#state = { kind: 'ceiling' };
    if (this.#aim === ceiling) return;
    this.#foundAt = options.startFoundAt;
    this.#state = inForce ? following : { kind: 'remembered', start: new CarefulStart() };
    // The known rate is the limit, not a ceiling, so an overload from here on is not the first one.
    if (inForce) this.#lastDeepCutAt = options.startFoundAt ?? 0;
  }

  get rate(): number {
    return this.#rate;
  }

  get foundAt(): number | undefined {
    return this.#foundAt;
  }

  get limit(): FoundLimit | undefined {
    return this.#foundAt === undefined ? undefined : this.#limit.found(this.#rate, this.#noise.share);
  }

  observe(call: ObservedCall): void {
    const now = Math.max(call.endedAt, this.#lastSeenAt);
    const elapsedMs = this.#firstSeenAt === undefined ? 0 : now - this.#lastSeenAt;
    this.#firstSeenAt ??= now;
    this.#lastSeenAt = now;
    this.#utilization.add(now, this.#rate);
    const tookMs = call.endedAt - call.startedAt + (this.#options.lateMs ?? 0);
    this.#roundTripMs += (tookMs - this.#roundTripMs) * ROUND_TRIP_WEIGHT;
    const throttled = call.failure?.kind === 'throttled';
    if (this.#state.kind === 'remembered') this.#startCarefully(this.#state.start, call, now);
    else if (!this.#waits(call, throttled, now)) this.#follow(call, throttled, now, elapsedMs);
    this.#tell(now);
  }

  held(from: number, to: number): void {
    this.#utilization.leaveOut(from, to);
    this.#lastSeenAt = Math.max(this.#lastSeenAt, to);
  }

  setCeiling(perSecond: number): void {
    this.#ceiling = perSecond;
    // A rate that has never been throttled has no finding to keep: it follows the ceiling up, as at its start.
    if (this.#state.kind === 'ceiling') this.#aim = perSecond;
    this.#tell(this.#lastSeenAt);
    this.#foundAt = this.#aim < perSecond ? (this.#foundAt ?? this.#lastSeenAt) : undefined;
  }

  #startCarefully(start: CarefulStart, call: ObservedCall, now: number): void {
    this.#foundAt ??= now;
    const verdict = start.observe(call, this.#aim);
    if (verdict === 'halve') this.#cutTo(now, this.#aim / 2);
    else if (verdict === 'over') {
      this.#state = following;
      // The known rate is the limit, not a ceiling, so an overload from here on is not the first one.
      this.#lastDeepCutAt = now;
    }
  }

  /** @returns whether the limit is spent, or was until this call. */
  #waits(call: ObservedCall, throttled: boolean, now: number): boolean {
    const waited = this.#spent.waiting;
    const rate = call.startedAt >= this.#lastDeepCutAt ? this.#aim : undefined;
    const wait = this.#spent.observe(call, throttled, now, rate);
    if (wait !== undefined) this.#afterWait(wait, now);
    else if (this.#spent.waiting && !waited) {
      if (this.#state.kind === 'ceiling' || this.#state.kind === 'returning') this.#state = following;
      this.#latest.clear();
      this.#noise.abort();
    }
    return wait !== undefined || this.#spent.waiting;
  }

  #afterWait(wait: Wait, now: number): void {
    this.#lastWaitAt = now;
    const { acceptedPerSecond = 0, ofPeriod } = wait;
    const rate = rateAfter(wait, this.#little(this.#aim), this.#utilization.isUsed);
    if (rate === undefined) {
      this.#cutDeep(now, this.#aim * MIN_SHARE);
      return;
    }
    // Not yet known to be a period: it may have been a storm of 429s after a time with little work.
    if (ofPeriod && this.#spent.periodMs === 0) this.#comeback.remember(now, this.#aim);
    if (ofPeriod) this.#limit.refill(now, acceptedPerSecond, this.#spent.periodMs);
    this.#lastDeepCutAt = now;
    this.#latest.clear();
    this.#noise.limitFell();
    this.#cutTo(now, rate);
  }

  #follow(call: ObservedCall, throttled: boolean, now: number, elapsedMs: number): void {
    const counts = this.#noise.counts(call, throttled);
    // Small cuts change the rate little, so all calls since the last deep cut count, and an overload is detected sooner.
    if (call.startedAt >= this.#lastDeepCutAt) this.#latest.add(now, counts);
    // A call begun before the last cut belongs to the rate before it.
    if (call.startedAt >= this.#lastCutAt) {
      // If noise throttles more calls than the law aims at, a time without other throttled calls is not calm: the allowance excuses
      // calls for a while when the rate is above the limit.
      if (counts || (throttled && this.#noise.share > targetShare(this.#aim, this.#tuning))) this.#usedMs = 0;
      if (counts) this.#onThrottled(call, now);
      else this.#accepted++;
    }
    if (this.#state.kind === 'ceiling') return;
    this.#climb(now, elapsedMs);
    this.#testNoise(now);
  }

  #onThrottled({ startedAt }: ObservedCall, now: number): void {
    const measured = this.#utilization.perSecond(now);
    // If the queue is slow, not the API, the measured rate is no limit, and one refusal shows nothing about the rate in force.
    const unlimited = this.#aim === Number.POSITIVE_INFINITY;
    const quiet = !unlimited && this.#utilization.isQuiet(now);
    if (this.#state.kind === 'ceiling' && !quiet) this.#state = following;
    // Without a ceiling the rate is infinite: cut from the measured rate, unless the queue is too slow to show it.
    if (unlimited) {
      const isQuiet = measured < QUIET;
      this.#aim = Math.max(measured, QUIET);
      // Utilization measured against an infinite rate means nothing.
      this.#utilization = new UtilizationMeter(isQuiet ? 0 : 1);
      if (isQuiet) {
        // There are too few calls to judge: a backlog will find the limit.
        this.#state = { kind: 'ramping' };
        return;
      }
    }
    // Nothing measured yet: the next throttled call decides.
    if (this.#aim === Number.POSITIVE_INFINITY) return;
    const overload = this.#latest.overload(now);
    if (isOverload(overload, this.#tuning)) {
      const used = this.#aim * Math.min(1, this.#utilization.shareSoFar);
      this.#limit.overload(acceptedOf(this.#aim, overload));
      const from = quiet ? this.#aim : Math.min(this.#aim, Math.max(measured, used, overload.callsPerSecond));
      const accepted = Math.min(this.#little(from), acceptedOf(from, overload));
      this.#cutDeep(now, Math.max(from * MIN_SHARE, accepted));
      return;
    }
    // The flood before a ramp has used up the limit, so calls that begin within a round trip after the cut are still throttled.
    const isLeftover = this.#state.kind === 'ramping' && startedAt < this.#lastDeepCutAt + this.#roundTripMs;
    if (!quiet && !isLeftover) this.#cutLittle(now);
  }

  #cutLittle(now: number): void {
    const aim = this.#aim;
    const { growth } = this.#tuning;
    const state = this.#state;
    switch (state.kind) {
      case 'ramping':
        this.#state = { kind: 'growing', throttled: 0 };
        this.#noise.abort();
        this.#cutTo(now, aim);
        return;
      case 'returning':
        this.#state = following;
        this.#comeback.failed(now);
        this.#noise.abort();
        this.#cutTo(now, Math.min(aim, rateOfFailed(state, aim, this.#roundTripMs, this.#tuning)));
        return;
      case 'growing':
        state.throttled = Math.max(0, state.throttled - growth.share * this.#accepted) + 1;
        if (state.throttled >= growth.sum) this.#state = following;
    }
    if (now - this.#lastCutAt < betweenCutsMs(aim, this.#tuning)) return;
    const cut = this.#little(aim);
    if (cut < this.#leastLeft && !this.#noise.isTooMuch) return;
    if (aim < this.#ceiling) this.#limit.cut(now, aim, cut, this.#noise.share);
    this.#cutTo(now, cut);
  }

  #cutDeep(now: number, perSecond: number): void {
    const { ramp } = this.#tuning;
    let to = perSecond;
    if (this.#state.kind === 'returning') this.#comeback.failed(now);
    else if (this.#lastDeepCutAt === Number.NEGATIVE_INFINITY && this.#roundTripMs < ramp.roundTripMs) {
      to = Math.min(to, Math.max(this.#aim / ramp.from, ramp.least, to * ramp.part));
      this.#state = { kind: 'ramping' };
    } else if (now - this.#lastDeepCutAt > SETTLED_MS) this.#comeback.remember(now, this.#aim);
    else if (!this.#comeback.known) this.#state = { kind: 'growing', throttled: 0 };
    if (this.#state.kind === 'returning' || this.#state.kind === 'ceiling') this.#state = following;
    this.#comeback.wait(now);
    this.#lastDeepCutAt = now;
    this.#latest.clear();
    this.#noise.abort();
    this.#noise.limitFell();
    this.#cutTo(now, to);
  }

  /** What small cuts leave as long as all that is throttled may be noise. */
  get #leastLeft(): number {
    return this.#tuning.cut.leaves * Math.min(this.#noise.highest, this.#ceiling);
  }

  /** A rate after a small cut. */
  #little(rate: number): number {
    return rate * (1 - cutShare(rate, this.#tuning));
  }

  #cutTo(now: number, perSecond: number): void {
    this.#lastCutAt = now;
    this.#usedMs = 0;
    this.#accepted = 0;
    this.#aim = perSecond;
  }

  #climb(now: number, elapsedMs: number): void {
    const usable = this.#utilization.isUsedSoFar && this.#noise.factor === 1;
    if (!(elapsedMs > 0) || !usable || this.#aim === Number.POSITIVE_INFINITY) return;
    this.#usedMs += elapsedMs;
    this.#aim *= Math.exp((this.#climbShare(now) * elapsedMs) / 1_000);
  }

  /** The climb per second, as a share of the rate. */
  #climbShare(now: number): number {
    const aim = this.#aim;
    const tuning = this.#tuning;
    const ordinary = climbShare(aim, this.#roundTripMs, tuning);
    const inPeriod = mostInPeriod(this.#spent.periodMs, now - this.#lastWaitAt);
    if (inPeriod < Number.POSITIVE_INFINITY) return Math.min(ordinary, inPeriod);
    const { kind } = this.#state;
    // The effect of the rate shows only after a round trip.
    const calm = this.#usedMs > 1_000 * calmSeconds(aim, tuning) + 2 * this.#roundTripMs;
    if ((kind === 'following' || kind === 'growing') && this.#comeback.due(now, aim, calm))
      this.#state = { kind: 'returning', base: aim };
    if (this.#state.kind === 'returning' && this.#comeback.reached(now, aim)) this.#state = following;
    const boost = boostShare(aim, this.#usedMs, this.#roundTripMs, tuning);
    return Math.max(ordinary, boost, climbOf(this.#state, aim, this.#roundTripMs, tuning));
  }

  #testNoise(now: number): void {
    // 429s that come with a period are not noise, and a ramp is soon over.
    const inPeriods = now - this.#lastWaitAt < PERIODS_WITHOUT_WAIT * this.#spent.periodMs;
    if (inPeriods || this.#state.kind === 'ramping' || this.#aim === Number.POSITIVE_INFINITY) return;
    const since = Math.max(this.#lastDeepCutAt, this.#lastWaitAt, this.#firstSeenAt ?? now);
    const calm = now - since > 1_000 * this.#tuning.noise.calm && this.#state.kind !== 'returning';
    const back = this.#noise.advance(now, this.#aim, calm && this.#utilization.isUsed);
    if (back === undefined) return;
    this.#aim = Math.max(this.#aim, back);
    // Noise may have kept the rate far below the limit.
    if (this.#state.kind === 'following') this.#state = { kind: 'growing', throttled: 0 };
    this.#latest.clear();
  }

  #tell(now: number): void {
    this.#aim = Math.min(Math.max(this.#aim, FLOOR), this.#ceiling);
    const probes = this.#spent.waiting ? this.#spent.probesPerSecond : Number.POSITIVE_INFINITY;
    const rate = Math.min(Math.max(Math.min(this.#aim * this.#noise.factor, probes), FLOOR), this.#ceiling);
    if (this.#aim < this.#ceiling) this.#foundAt ??= now;
    else if (rate === this.#ceiling) this.#foundAt = undefined;
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#options.onChange(rate);
  }
}
