/**
 * The adaptive rate: finds the rate that the API accepts, below a ceiling, from how calls end.
 *
 *   at the ceiling ── a call is throttled ─► following
 *   following:
 *     cut    when a call that began after the last cut is throttled: by a few percent; when a large share of the latest
 *            calls was throttled, a deep cut to the rate accepted meanwhile
 *     hold   for some calls
 *     climb  by the same absolute amount in every worker, so that two workers that share a limit converge
 *     boost  when nothing has been throttled for long, the limit has probably gone up: climb faster and faster
 *
 * The numbers were chosen by simulation: docs/decisions/0002-adaptive-rate.md.
 */
import { CarefulStart, startRate } from './careful-start.ts';
import type { ObservedCall, RateControl } from './rate-control.ts';

export interface AdaptiveRateOptions {
  /** Calls per second at most; `Infinity` for none. */
  readonly ceiling: number;
  /** Called with every change. */
  readonly onChange: (perSecond: number) => void;
  /** Calls per second that were found earlier, to start below; without it the start is at the ceiling. */
  readonly startAt?: number;
  /** When that was found, in monotonic milliseconds, below 0 for before; default: the end of the first call. */
  readonly startFoundAt?: number;
  readonly tuning?: Tuning;
}

/** Parameters of the algorithm. Rates are in calls per second. */
export interface Tuning {
  /** Share of the rate that a cut takes off; grows with a power of the rate, so that the faster of two workers yields more. */
  readonly cut: {
    readonly least: number;
    readonly most: number;
    readonly at100: number;
    readonly power: number;
  };
  /** Number of latest calls kept; overload is `share` throttled among at least `leastCalls` since the first throttled one. */
  readonly overload: { readonly calls: number; readonly leastCalls: number; readonly share: number };
  /** Calls to hold the rate for after a cut; above `aboveRate` fewer, by its square, because a hold favours the faster worker. */
  readonly hold: { readonly calls: number; readonly aboveRate: number };
  /**
   * Climb per second: an absolute amount. Below `fromRate`, where one throttled call matters more, less by a power of the
   * rate; above `relativeAbove`, where a cut takes more, additionally this share of the rate in excess of it.
   */
  readonly climb: {
    readonly absolute: number;
    readonly fromRate: number;
    readonly power: number;
    readonly relative: number;
    readonly relativeAbove: number;
  };
  /**
   * Climb per second as a share of the rate after a deep cut, which may have been too deep: `perCall` times the rate, up
   * to `most`, until the next throttled call; then `least` until `seconds` after the cut.
   */
  readonly recovery: {
    readonly perCall: number;
    readonly most: number;
    readonly least: number;
    readonly seconds: number;
  };
  /** The boost begins after this many calls without throttling, within bounds in seconds; then the climb doubles repeatedly. */
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

/** The deepest cut leaves this share: in a short time the API may have accepted nothing. */
const MIN_SHARE = 0.2;
/** Lowest rate, in calls per second. */
const FLOOR = 0.1;
/** Fewer calls per second than this, far below the rate, say nothing of what the API accepts. */
const QUIET = 20;
/** Below this utilization the queue limits the calls, not the rate, which then does not climb. */
const UTILIZED = 0.8;

export class AdaptiveRate implements RateControl {
  readonly #options: AdaptiveRateOptions;
  readonly #tuning: Tuning;
  #ceiling: number;
  #rate: number;
  #foundAt: number | undefined;
  #following = false;
  /** Until the remembered rate is proved; then and without one undefined. */
  #start: CarefulStart | undefined;
  #lastCutAt = Number.NEGATIVE_INFINITY;
  #lastDeepCutAt = Number.NEGATIVE_INFINITY;
  #lastSeenAt = Number.NEGATIVE_INFINITY;
  /** Milliseconds since the last cut in which the rate was utilized. */
  #usedMs = 0;
  #accepted = 0;
  readonly #latest: LatestCalls;
  #recovery: 'fast' | 'slow' | undefined;
  readonly #utilization = new UtilizationMeter();

  constructor(options: AdaptiveRateOptions) {
    this.#options = options;
    this.#tuning = options.tuning ?? defaultTuning;
    this.#latest = new LatestCalls(this.#tuning.overload.calls);
    this.#ceiling = options.ceiling;
    this.#rate = startRate(options.startAt ?? Number.POSITIVE_INFINITY, options.ceiling);
    if (this.#rate === options.ceiling) return;
    this.#start = new CarefulStart();
    this.#following = true;
    this.#foundAt = options.startFoundAt;
  }

  get rate(): number {
    return this.#rate;
  }

  get foundAt(): number | undefined {
    return this.#foundAt;
  }

  observe(call: ObservedCall): void {
    const now = Math.max(call.endedAt, this.#lastSeenAt);
    this.#utilization.add(now, this.#rate);
    if (this.#start !== undefined) this.#startCarefully(this.#start, call, now);
    else this.#follow(call, now);
    this.#lastSeenAt = now;
  }

  #startCarefully(start: CarefulStart, call: ObservedCall, now: number): void {
    this.#foundAt ??= now;
    const verdict = start.observe(call, this.#rate);
    if (verdict === 'halve') this.#cutTo(now, this.#rate / 2);
    else if (verdict === 'over') this.#start = undefined;
  }

  #follow(call: ObservedCall, now: number): void {
    const throttled = call.failure?.kind === 'throttled';
    // Small cuts change the rate little: all calls since the last deep cut count, so that overload is detected sooner.
    if (call.startedAt >= this.#lastDeepCutAt) this.#latest.add(now, throttled);
    // A call begun before the last cut belongs to the rate before it.
    if (call.startedAt >= this.#lastCutAt) {
      if (throttled) this.#onThrottled(now);
      else this.#accepted++;
    }
    if (this.#following) this.#climb(now);
  }

  held(from: number, to: number): void {
    this.#utilization.leaveOut(from, to);
    this.#lastSeenAt = Math.max(this.#lastSeenAt, to);
  }

  setCeiling(perSecond: number): void {
    this.#ceiling = perSecond;
    // What has never been throttled has found nothing: it goes to a higher ceiling as it began at the first.
    this.#set(this.#lastSeenAt, this.#following ? this.#rate : perSecond);
    this.#foundAt = this.#rate < perSecond ? (this.#foundAt ?? this.#lastSeenAt) : undefined;
  }

  #onThrottled(now: number): void {
    const { overload, recovery } = this.#tuning;
    const measured = this.#utilization.perSecond(now);
    // The queue is slow, not the API: what is measured is no limit, and one refusal tells nothing of the rate in force.
    const unlimited = this.#rate === Number.POSITIVE_INFINITY;
    const quiet = !unlimited && this.#utilization.shareSoFar < UTILIZED && measured < QUIET;
    // Without a ceiling the rate is infinite: cut from the measured one, where the queue is not too slow to tell.
    const from = quiet ? this.#rate : Math.min(this.#rate, unlimited ? Math.max(measured, QUIET) : measured);
    if (!quiet) this.#following = true;
    // Nothing measured yet: the next throttled call decides.
    if (from === Number.POSITIVE_INFINITY) return;
    const little = from * (1 - cutShare(from, this.#tuning));
    const { calls, throttledShare, acceptedPerSecond } = this.#latest.overload(now);
    if (calls >= overload.leastCalls && throttledShare > overload.share) {
      this.#latest.clear();
      this.#recovery = 'fast';
      this.#lastDeepCutAt = now;
      // The first is too low after a stall of this process, the second after small cuts.
      const accepted = Math.max(acceptedPerSecond, from * (1 - throttledShare));
      this.#following = true;
      this.#cutTo(now, Math.max(from * MIN_SHARE, Math.min(little, accepted)));
    } else if (!quiet) {
      if (this.#recovery !== undefined)
        this.#recovery = now - this.#lastDeepCutAt > recovery.seconds * 1_000 ? undefined : 'slow';
      this.#cutTo(now, little);
    }
  }

  #cutTo(now: number, perSecond: number): void {
    this.#lastCutAt = now;
    this.#usedMs = 0;
    this.#accepted = 0;
    this.#set(now, perSecond);
  }

  #climb(now: number): void {
    const elapsedMs = now - this.#lastSeenAt;
    if (!(elapsedMs > 0) || elapsedMs === Number.POSITIVE_INFINITY || this.#utilization.share < UTILIZED)
      return;
    if (this.#rate === Number.POSITIVE_INFINITY) return;
    this.#usedMs += elapsedMs;
    const { hold, boost } = this.#tuning;
    const holdCalls = hold.calls * Math.min(1, hold.aboveRate / this.#rate) ** 2;
    if (this.#accepted < holdCalls && this.#usedMs < boost.maxSeconds * 1_000) return;
    const climb = climbPerSecond(this.#rate, this.#usedMs / 1_000, this.#tuning);
    const perSecond = Math.max(climb, this.#rate * this.#recoveryShare());
    this.#set(now, this.#rate + (perSecond * elapsedMs) / 1_000);
  }

  #recoveryShare(): number {
    const { perCall, most, least } = this.#tuning.recovery;
    if (this.#recovery === undefined) return 0;
    return this.#recovery === 'slow' ? least : Math.max(least, Math.min(most, perCall * this.#rate));
  }

  #set(now: number, perSecond: number): void {
    const rate = Math.min(Math.max(perSecond, FLOOR), this.#ceiling);
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#foundAt = rate < this.#ceiling ? (this.#foundAt ?? now) : undefined;
    this.#options.onChange(rate);
  }
}

/** Share of the rate that a throttled call takes off. */
export function cutShare(rate: number, { cut }: Tuning): number {
  return Math.min(Math.max(cut.at100 * (rate / 100) ** cut.power, cut.least), cut.most);
}

/** Climb of the rate, in calls per second per second. */
export function climbPerSecond(rate: number, secondsSinceCut: number, { climb, boost }: Tuning): number {
  const gentle = climb.absolute * Math.min(1, rate / climb.fromRate) ** climb.power;
  const ordinary = gentle + climb.relative * Math.max(0, rate - climb.relativeAbove);
  const boostAfter = Math.min(Math.max(boost.afterCalls / rate, boost.minSeconds), boost.maxSeconds);
  const late = secondsSinceCut - boostAfter;
  if (late <= 0) return ordinary;
  return Math.max(ordinary, Math.min(ordinary * 2 ** (late / boost.doublingSeconds), boost.relative * rate));
}

/** Share of the rate that is used, over windows of a second or of twenty calls, whichever is longer. */
class UtilizationMeter {
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

  /** This time belongs to no window. */
  leaveOut(from: number, to: number): void {
    this.#windowStart += to - Math.max(from, this.#windowStart);
    this.#last = to;
  }

  /** Of the last full window; before there is one, of the present one. */
  get shareSoFar(): number {
    return this.#lastPerSecond === Number.POSITIVE_INFINITY && this.#allowed > 0
      ? this.#calls / this.#allowed
      : this.share;
  }

  /** Calls per second in the last full window or the present one, whichever is higher. */
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

/** Measured from the first throttled call among the latest: since then the API has been at its limit. */
interface Overload {
  /** Calls that have ended since. */
  readonly calls: number;
  /** Share of them that was throttled. */
  readonly throttledShare: number;
  /** Calls accepted per second; `Infinity` when no time has passed. */
  readonly acceptedPerSecond: number;
}

export class LatestCalls {
  readonly #size: number;
  readonly #calls: { readonly endedAt: number; readonly throttled: boolean }[] = [];

  /** @param size number of calls kept. */
  constructor(size: number) {
    this.#size = size;
  }

  add(endedAt: number, throttled: boolean): void {
    this.#calls.push({ endedAt, throttled });
    if (this.#calls.length > this.#size) this.#calls.shift();
  }

  /** The first throttled call only starts the measurement: counted, it would make the share too large. */
  overload(now: number): Overload {
    const first = this.#calls.findIndex(({ throttled }) => throttled);
    const start = this.#calls[first];
    const since = this.#calls.slice(first + 1);
    if (start === undefined || since.length === 0)
      return { calls: 0, throttledShare: 0, acceptedPerSecond: Number.POSITIVE_INFINITY };
    const throttled = since.filter((call) => call.throttled).length;
    const seconds = (now - start.endedAt) / 1_000;
    return {
      calls: since.length,
      throttledShare: throttled / since.length,
      acceptedPerSecond: seconds > 0 ? (since.length - throttled) / seconds : Number.POSITIVE_INFINITY,
    };
  }

  clear(): void {
    this.#calls.length = 0;
  }
}
