/**
 * The adaptive rate: finds what the API accepts, below a ceiling, from nothing but how calls end.
 *
 *   at the ceiling ── a call is throttled ─► following
 *   following:
 *     cut    a throttled call that began after the last cut: down by a few percent; when much of the latest calls was
 *            throttled, down to what was accepted meanwhile
 *     hold   some calls at the new rate
 *     climb  by the same absolute amount for every worker, so that two workers sharing a limit meet in the middle
 *     boost  nothing throttled for long: the limit must have gone up, so climb faster and faster
 *
 * The numbers were chosen by simulation: docs/decisions/0002-adaptive-rate.md.
 */
import { LatestCalls } from '../latest-calls.ts';
import type { RateControl } from './rate.ts';

/** What the controller looks at of a call that has ended. Times are monotonic milliseconds. */
export interface ObservedCall {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure?: { readonly kind: string };
}

export interface AdaptiveRateOptions {
  /** Calls per second at most; `Infinity` for none. */
  readonly ceiling: number;
  /** Told of every change. */
  readonly onChange: (perSecond: number) => void;
  readonly tuning?: Tuning;
}

/** The numbers of the algorithm. Rates are in calls per second. */
export interface Tuning {
  /** Part that is taken off at a cut: it grows with this power of the rate, so that the faster of two gives up more. */
  readonly cut: {
    readonly least: number;
    readonly most: number;
    readonly at100: number;
    readonly power: number;
  };
  /** The latest calls that are looked at; from so many on since the first throttled one, what share is far too much. */
  readonly overload: { readonly calls: number; readonly leastCalls: number; readonly share: number };
  /** Calls to hold the rate for after a cut; above this rate fewer by its square: a hold is unfair to the slower. */
  readonly hold: { readonly calls: number; readonly aboveRate: number };
  /**
   * Climb per second: an absolute amount; below `fromRate`, where a single throttled call weighs much, less by a power
   * of the rate; above `relativeAbove`, where a cut takes much away, more by this part of what the rate is above it.
   */
  readonly climb: {
    readonly absolute: number;
    readonly fromRate: number;
    readonly power: number;
    readonly relative: number;
    readonly relativeAbove: number;
  };
  /**
   * Climb per second, as a part of the rate, after a deep cut, which may have been too deep: until the next throttled
   * call by `perCall` of the rate for every call that it allows, up to `most`; by `least` for so long at least.
   */
  readonly recovery: {
    readonly perCall: number;
    readonly most: number;
    readonly least: number;
    readonly seconds: number;
  };
  /** Nothing throttled for so long, in calls and within bounds in seconds: climb faster and faster. */
  readonly boost: {
    readonly afterCalls: number;
    readonly minSeconds: number;
    readonly maxSeconds: number;
    readonly doublingSeconds: number;
    readonly relative: number;
  };
}

export const defaultTuning: Tuning = {
  cut: { least: 0.03, most: 0.05, at100: 0.042, power: 0.7 },
  overload: { calls: 60, leastCalls: 16, share: 0.4 },
  hold: { calls: 65, aboveRate: 4.5 },
  climb: { absolute: 8, fromRate: 70, power: 2.2, relative: 0.08, relativeAbove: 350 },
  recovery: { perCall: 0.002, most: 0.25, least: 0.05, seconds: 10 },
  boost: { afterCalls: 150, minSeconds: 6, maxSeconds: 90, doublingSeconds: 1.8, relative: 0.2 },
};

/** The deepest cut leaves this share: what was accepted in a short time may be nothing. */
const LEAST_SHARE = 0.2;
/** Calls per second at least: one every ten seconds keeps asking. */
const FLOOR = 0.1;
/** Below this part of the rate in use, the queue is the limit and not the rate: then it does not climb. */
const IN_USE = 0.8;

export class AdaptiveRate implements RateControl {
  readonly #options: AdaptiveRateOptions;
  readonly #tuning: Tuning;
  readonly #floor: number;
  #rate: number;
  #following = false;
  #lastCutAt = Number.NEGATIVE_INFINITY;
  #lastDeepCutAt = Number.NEGATIVE_INFINITY;
  #lastSeenAt = Number.NEGATIVE_INFINITY;
  /** Milliseconds since the last cut in which the rate was in use. */
  #usedMs = 0;
  #accepted = 0;
  readonly #latest: LatestCalls;
  #recovery: 'fast' | 'slow' | undefined;
  readonly #use = new UseMeter();

  constructor(options: AdaptiveRateOptions) {
    this.#options = options;
    this.#tuning = options.tuning ?? defaultTuning;
    this.#latest = new LatestCalls(this.#tuning.overload.calls);
    this.#rate = options.ceiling;
    this.#floor = Math.min(FLOOR, options.ceiling);
  }

  get rate(): number {
    return this.#rate;
  }

  observe(call: ObservedCall): void {
    const now = Math.max(call.endedAt, this.#lastSeenAt);
    this.#use.add(now, this.#rate);
    const throttled = call.failure?.kind === 'throttled';
    // Small cuts change little, so that every call since the last deep one tells of overload: the sooner it is seen.
    if (call.startedAt >= this.#lastDeepCutAt) this.#latest.add(now, throttled);
    // A call begun before the last cut says something of the rate before it.
    if (call.startedAt >= this.#lastCutAt) {
      if (throttled) this.#onThrottled(now);
      else this.#accepted++;
    }
    if (this.#following) this.#climb(now);
    this.#lastSeenAt = now;
  }

  #onThrottled(now: number): void {
    const { overload, recovery } = this.#tuning;
    // Unpaced until now: what was really called is what there is to cut.
    const from = Math.min(this.#rate, this.#use.perSecond(now));
    this.#following = true;
    // Unpaced, and nothing measured yet: the next throttled call tells more.
    if (from === Number.POSITIVE_INFINITY) return;
    const little = from * (1 - cutShare(from, this.#tuning));
    const { calls, throttledShare, acceptedPerSecond } = this.#latest.overload(now);
    if (calls >= overload.leastCalls && throttledShare > overload.share) {
      this.#latest.clear();
      this.#recovery = 'fast';
      this.#lastDeepCutAt = now;
      // What was accepted a second is too little after a stall of ours, the share too little after small cuts.
      const accepted = Math.max(acceptedPerSecond, from * (1 - throttledShare));
      this.#cutTo(now, Math.max(from * LEAST_SHARE, Math.min(little, accepted)));
    } else {
      if (this.#recovery !== undefined)
        this.#recovery = now - this.#lastDeepCutAt > recovery.seconds * 1_000 ? undefined : 'slow';
      this.#cutTo(now, little);
    }
  }

  #cutTo(now: number, perSecond: number): void {
    this.#lastCutAt = now;
    this.#usedMs = 0;
    this.#accepted = 0;
    this.#set(perSecond);
  }

  #climb(now: number): void {
    const elapsedMs = now - this.#lastSeenAt;
    if (!(elapsedMs > 0) || elapsedMs === Number.POSITIVE_INFINITY || this.#use.share < IN_USE) return;
    if (this.#rate === Number.POSITIVE_INFINITY) return;
    this.#usedMs += elapsedMs;
    const { hold, boost } = this.#tuning;
    const holdCalls = hold.calls * Math.min(1, hold.aboveRate / this.#rate) ** 2;
    if (this.#accepted < holdCalls && this.#usedMs < boost.maxSeconds * 1_000) return;
    const climb = climbPerSecond(this.#rate, this.#usedMs / 1_000, this.#tuning);
    const perSecond = Math.max(climb, this.#rate * this.#recoveryShare());
    this.#set(this.#rate + (perSecond * elapsedMs) / 1_000);
  }

  #recoveryShare(): number {
    const { perCall, most, least } = this.#tuning.recovery;
    if (this.#recovery === undefined) return 0;
    return this.#recovery === 'slow' ? least : Math.max(least, Math.min(most, perCall * this.#rate));
  }

  #set(perSecond: number): void {
    const rate = Math.min(Math.max(perSecond, this.#floor), this.#options.ceiling);
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#options.onChange(rate);
  }
}

/** What part of the rate is taken off for a throttled call. */
export function cutShare(rate: number, { cut }: Tuning): number {
  return Math.min(Math.max(cut.at100 * (rate / 100) ** cut.power, cut.least), cut.most);
}

/** By how much the rate climbs, in calls per second per second, so long after a cut. */
export function climbPerSecond(rate: number, secondsSinceCut: number, { climb, boost }: Tuning): number {
  const gentle = climb.absolute * Math.min(1, rate / climb.fromRate) ** climb.power;
  const ordinary = gentle + climb.relative * Math.max(0, rate - climb.relativeAbove);
  const boostAfter = Math.min(Math.max(boost.afterCalls / rate, boost.minSeconds), boost.maxSeconds);
  const late = secondsSinceCut - boostAfter;
  if (late <= 0) return ordinary;
  return Math.max(ordinary, Math.min(ordinary * 2 ** (late / boost.doublingSeconds), boost.relative * rate));
}

/** How much of the rate is used, over windows of a second or of twenty calls, whichever is longer. */
class UseMeter {
  #windowStart = Number.NEGATIVE_INFINITY;
  #calls = 0;
  #allowed = 0;
  #last = 0;
  #lastPerSecond = Number.POSITIVE_INFINITY;
  share = 1;

  add(now: number, rate: number): void {
    if (this.#windowStart === Number.NEGATIVE_INFINITY) {
      this.#windowStart = now;
      this.#last = now;
      return;
    }
    this.#calls++;
    this.#allowed += (rate * (now - this.#last)) / 1_000;
    this.#last = now;
    if (now - this.#windowStart < 1_000 || (this.#calls < 20 && this.#allowed < 20)) return;
    this.share = this.#allowed === Number.POSITIVE_INFINITY ? 1 : this.#calls / this.#allowed;
    this.#lastPerSecond = (this.#calls * 1_000) / (now - this.#windowStart);
    this.#windowStart = now;
    this.#calls = 0;
    this.#allowed = 0;
  }

  /** Calls per second in the last whole window, or in this one as far as it goes. */
  perSecond(now: number): number {
    if (this.#lastPerSecond !== Number.POSITIVE_INFINITY)
      return Math.max(this.#lastPerSecond, this.#partial(now));
    return this.#partial(now) || Number.POSITIVE_INFINITY;
  }

  #partial(now: number): number {
    const elapsed = now - this.#windowStart;
    return elapsed > 0 ? (this.#calls * 1_000) / elapsed : 0;
  }
}
