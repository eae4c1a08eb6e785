/**
 * Which limit was found, how certain it is, and since when. Only for display: nothing is decided by it. PURE.
 *
 * A rate that follows a limit climbs until a call is throttled, and is then cut: the limit lies between the rates before and
 * after the cut. If a limit is spent and refills after a long time, the calls accepted in a whole period show more.
 *
 * Rates are calls per second, times monotonic milliseconds, noise is a share of the calls.
 */

/** A limit that was found. */
export interface FoundLimit {
  /** Calls that the API accepts, per second. */
  readonly perSecond: number;
  /** Standard deviation of the latest observations, as a share of `perSecond`; undefined while there are too few. */
  readonly withinShare: number | undefined;
  /** When the limit was first observed, monotonic milliseconds. */
  readonly since: number;
  /** From one refill of the limit to the next, in milliseconds; undefined if it refills continuously, or within a second. */
  readonly periodMs: number | undefined;
  /** The share of calls that is throttled whatever the rate, as far as it is certain. */
  readonly noise: number;
}

/** Observations of one limit, from cuts or from periods. */
interface Seen {
  readonly since: number;
  /** When the latest observation began. */
  readonly lastAt: number;
  /** The latest rates, oldest first. */
  readonly rates: readonly number[];
  /** undefined: observed from cuts. */
  readonly periodMs: number | undefined;
}

/** Only this many of the latest observations count, because limits drift. */
const LATEST = 12;
/** Fewer cuts may be chance. A spent period cannot be. */
const LEAST_CUTS = 3;
/** Fewer observations give no standard deviation. */
const LEAST_FOR_DEVIATION = 4;
/** Cuts within this many milliseconds are one observation: a rate that was too high is cut until it is below the limit. */
const TOGETHER_MS = 2_000;
/** Rates belong to the same limit if they differ by at most this share, or this many standard deviations if larger. */
const SAME = 0.15;
const DEVIATIONS = 3;
/** Rates that differ by more than this share never belong to the same limit. */
const OTHER = 0.3;
/** The shortest period worth reporting, in milliseconds. */
const SHORTEST_MS = 1_000;
/** A time counts as a whole number of periods if it differs by no more than this share. */
const WHOLE = 0.05;
/** After this many periods in which the limit was not spent, it has no period any more. */
const PERIODS = 3;

export class LimitEstimate {
  #seen: Seen | undefined;
  /** Cuts at another limit. They are chance unless the next cuts confirm them. */
  #other: Seen | undefined;
  #refilledAt = Number.NEGATIVE_INFINITY;

  /** A call was throttled, and the rate was cut by a small step. */
  cut(now: number, before: number, after: number, noise: number): void {
    const seen = this.#seen;
    if (seen?.periodMs !== undefined && now - seen.lastAt < PERIODS * seen.periodMs) return;
    const rate = ((before + after) / 2) * (1 - noise);
    if (seen === undefined || seen.periodMs !== undefined) this.#hold(first(now, rate));
    else if (isOf(seen, rate)) this.#hold(withCut(seen, now, rate));
    else if (this.#other === undefined || !isOf(this.#other, rate)) this.#other = first(now, rate);
    else if (isTogether(this.#other, now)) this.#other = withCut(this.#other, now, rate);
    else this.#hold(withCut(this.#other, now, rate));
  }

  /**
   * The limit was spent, and has been refilled.
   * @param rate what was accepted in a period. @param periodMs the length of the period in milliseconds, as far as known.
   */
  refill(now: number, rate: number, periodMs: number): void {
    const ms = now - this.#refilledAt;
    this.#refilledAt = now;
    const seen = this.#seen;
    const periods = wholePeriods(ms, seen?.periodMs);
    if (seen !== undefined && periods !== undefined && isOf(seen, rate))
      this.#hold({ ...withRate(seen, now, rate), periodMs: ms / periods });
    // If the time since the last refill was not a period, the calls accepted in it do not show what a period allows.
    else if (periodMs >= SHORTEST_MS && isNear(ms, periodMs, WHOLE))
      this.#hold({ ...first(now, rate), periodMs: ms });
  }

  /**
   * Many calls were throttled at once. @param rate calls accepted per second; `Infinity`: too little time has passed to know.
   */
  overload(rate: number): void {
    if (rate === Number.POSITIVE_INFINITY) return;
    if (this.#seen !== undefined && !isNear(rate, mean(this.#seen.rates), OTHER)) this.#seen = undefined;
    this.#other = undefined;
  }

  /** @param rate in force. @returns undefined if no limit is known, or none that still holds. */
  found(rate: number, noise: number): FoundLimit | undefined {
    if (this.#seen === undefined) return undefined;
    const { rates, since, periodMs } = this.#seen;
    const isFew = periodMs === undefined && rates.length < LEAST_CUTS;
    // The limit has then gone up.
    const above = periodMs === undefined ? tolerance(rates) : OTHER;
    const isAbove = rate * (1 - noise) > mean(rates) * (1 + above);
    if (isFew || isAbove) return undefined;
    const withinShare = rates.length < LEAST_FOR_DEVIATION ? undefined : deviation(rates);
    return { perSecond: mean(rates), withinShare, since, periodMs, noise };
  }

  #hold(seen: Seen): void {
    this.#seen = seen;
    this.#other = undefined;
  }
}

function first(now: number, rate: number): Seen {
  return { since: now, lastAt: now, rates: [rate], periodMs: undefined };
}

function withCut(seen: Seen, now: number, rate: number): Seen {
  return isTogether(seen, now) ? { ...seen, rates: seen.rates.with(-1, rate) } : withRate(seen, now, rate);
}

function withRate(seen: Seen, now: number, rate: number): Seen {
  return { ...seen, lastAt: now, rates: [...seen.rates, rate].slice(-LATEST) };
}

function isTogether({ lastAt }: Seen, now: number): boolean {
  return now - lastAt < TOGETHER_MS;
}

/** How many periods `ms` spans, because the limit is not spent in every one. @returns undefined: not a whole number. */
function wholePeriods(ms: number, periodMs: number | undefined): number | undefined {
  if (periodMs === undefined) return undefined;
  const count = Math.max(1, Math.round(ms / periodMs));
  return isNear(ms, count * periodMs, count === 1 ? SAME : WHOLE) ? count : undefined;
}

function isOf({ rates }: Seen, rate: number): boolean {
  return isNear(rate, mean(rates), tolerance(rates));
}

function isNear(value: number, expected: number, share: number): boolean {
  return Math.abs(value - expected) <= share * expected;
}

function tolerance(rates: readonly number[]): number {
  return Math.min(OTHER, Math.max(SAME, DEVIATIONS * deviation(rates)));
}

function mean(rates: readonly number[]): number {
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

/** As a share of the mean. */
function deviation(rates: readonly number[]): number {
  const middle = mean(rates);
  return Math.sqrt(mean(rates.map((rate) => (rate / middle - 1) ** 2)));
}
