/**
 * Distinguishes noise from a limit: noise is a share of 429s that does not fall when the rate does.
 *
 * From time to time the rate dips for some seconds. All workers dip together (`dip-schedule.ts`) and for the same time, because
 * the others would take what a single worker leaves. A dip is below the limit, where nothing should be throttled: calls that are
 * throttled there are noise. A dip with too few calls is continued by the next one.
 *
 * The only controller at a limit makes further dips: one as soon as the rate has fallen by half without overload. Noise above the
 * target would otherwise lower the rate until there are too few calls to find the noise.
 *
 *   steady ── a dip is due ─► dipping ── it is over ─► steady
 *
 * Times are monotonic milliseconds.
 */
import type { ObservedCall } from '../rate-control.ts';
import { lastDipTime } from './dip-schedule.ts';
import type { AloneTuning, NoiseTuning } from './tuning.ts';

/** How calls ended. */
interface Counts {
  calls: number;
  throttled: number;
}

interface Dip extends Counts {
  /** Only calls begun from here on count. */
  readonly from: number;
  readonly to: number;
  /** The share of the rate that the dip takes off. */
  readonly depth: number;
  /** Whether its result shows noise, and not the after-effects of something else. */
  readonly calm: boolean;
}

/** How a dip is to be made. */
interface DipShape extends Pick<Dip, 'depth'> {
  readonly seconds: number;
}

/** The calls of dips that had too few to show anything. */
interface Unfinished extends Readonly<Counts> {
  readonly depth: number;
  /** When the first of these dips ended. */
  readonly at: number;
}

const NONE = { calls: 0, throttled: 0, depth: 0 };

/** A dip missed by more than this is skipped, in milliseconds: others dip without this worker. */
const LATE_MS = 500;
/** The share of the calls a dip needs that is enough at its end. */
const ENOUGH = 0.8;
/** If a dip is not below the limit, accepted calls hardly fall. To count, they must fall by this share of its depth. */
const FELL = 0.55;
/** As many dips with throttled calls show noise: two, of which the first counts somewhat less. */
const SEVERAL = 1.3;
/** Two counts differ clearly if they are this many standard deviations of each apart. */
const CLEARLY = 2;
/** The same for what is tested again after each dip, so that chance has many attempts. */
const SURELY = 3;
/** How long a rate counts as recent, in milliseconds. */
const LATELY_MS = 60_000;
/** How long at most the highest rate is kept: at the lowest rates dips have too few calls to show a limit. In milliseconds. */
const LONG_AGO_MS = 900_000;
/** Noise counts as newly found if it is higher by at least this, and by this many standard deviations of what is measured. */
const ANEW = 0.001;
const ANEW_DEVIATIONS = 0.4;

export class NoiseTest {
  readonly #tuning: NoiseTuning;
  readonly #wallAheadMs: () => number;
  #dip: Dip | undefined;
  /** Calls since the last dip that had enough. */
  #outside: Counts = { calls: 0, throttled: 0 };
  #unfinished: Unfinished | undefined;
  /** The calls in dips, the older the less they count, and the number of dips that had throttled ones. */
  #pool = { calls: 0, throttled: 0, dips: 0 };
  #pooledAt = 0;
  #firstAt: number | undefined;
  #share = 0;
  #latestShare = 0;
  #seenAt = 0;
  /** The latest scheduled time of a dip, in wall time. */
  #dueAt: number | undefined;
  #highest = { rate: 0, at: 0 };
  /** Since the highest rate: the calls in dips that would have been throttled if as many were as outside, and those that were. */
  #expected = 0;
  #had = 0;
  /** The rate that a decline is measured from, in calls per second. */
  #declinesFrom = 0;

  /** @param wallAheadMs how far wall time is ahead of monotonic time: workers dip together by their wall clocks. */
  constructor(tuning: NoiseTuning, wallAheadMs: () => number) {
    this.#tuning = tuning;
    this.#wallAheadMs = wallAheadMs;
  }

  /** The noise as far as it is certain: a share of the calls. */
  get share(): number {
    return this.#share;
  }

  /** Whether so much is throttled that it is no noise. */
  get isTooMuch(): boolean {
    return this.#latestShare > this.#tuning.most;
  }

  /**
   * The highest calm rate, in calls per second, since the limit fell; 0 if none is known. It ends when dips show a limit, or after a
   * minute without a higher one; while more is throttled than at a limit, after a quarter of an hour.
   */
  get highest(): number {
    return this.#highest.rate;
  }

  /** The share of the rate that the current dip leaves; 1 outside dips. */
  get factor(): number {
    return this.#dip === undefined ? 1 : 1 - this.#dip.depth;
  }

  /** Registers a call that has ended. */
  observe(call: ObservedCall, throttled: boolean): void {
    this.#latestShare += ((throttled ? 1 : 0) - this.#latestShare) / this.#tuning.latest;
    const dip = this.#dip;
    const counts = dip ?? this.#outside;
    if (dip !== undefined && (call.startedAt < dip.from || call.startedAt >= dip.to)) return;
    counts.calls++;
    if (throttled) counts.throttled++;
  }

  /**
   * Begins and ends dips.
   * @param rate calls per second, without a dip. @param calm whether only the rate decides what is throttled.
   * @returns a rate to return to, in calls per second, when new noise has just been found.
   */
  advance(now: number, rate: number, calm: boolean): number | undefined {
    const due = this.#isDue(now);
    // As long as more is throttled than at a limit, the fall of the rate is due to noise, or the limit has fallen.
    const age = now - this.#highest.at;
    const isOver = age > LONG_AGO_MS || (age > LATELY_MS && this.#latestShare <= this.#tuning.ordinary);
    if ((calm && rate > this.#highest.rate) || isOver) this.#setHighest(rate, now);
    if (this.#dip !== undefined && now > this.#dip.to) {
      const before = this.#share;
      this.#end(now, this.#dip);
      return this.#share > before + this.#anew ? this.#tuning.back * this.#highest.rate : undefined;
    }
    if (this.#dip !== undefined || !this.#tuning.tested) return undefined;
    const { alone } = this.#tuning;
    this.#declinesFrom = Math.max(this.#declinesFrom, rate);
    if (alone !== undefined && calm && rate < alone.declined * this.#declinesFrom) {
      this.#declinesFrom = rate;
      this.#begin(now, calm, this.#deep(rate, alone));
    } else if (due) this.#begin(now, calm, this.#ordinary(rate));
    return undefined;
  }

  /** The measurement under way has become meaningless: discards it. */
  abort(): void {
    this.#dip = undefined;
    this.#startOver();
  }

  /** The limit has fallen: that the rate is lower now shows nothing. */
  limitFell(): void {
    this.#setHighest(0, this.#seenAt);
    this.#declinesFrom = 0;
    this.#latestShare = 0;
  }

  #isDue(now: number): boolean {
    const { young, alone } = this.#tuning;
    this.#firstAt ??= now;
    const wall = now + this.#wallAheadMs();
    const time = lastDipTime(wall, now - this.#firstAt < 1_000 * young, this.#tuning);
    const isNew = time !== this.#dueAt;
    this.#dueAt = time;
    this.#seenAt = now;
    return isNew && (alone !== undefined || wall - time < LATE_MS);
  }

  #ordinary(rate: number): DipShape {
    const { depth: least, depthPerShare, deepest, length, settling, leastCalls, alone } = this.#tuning;
    const { calls, throttled } = this.#outside;
    const share = calls < leastCalls ? 0 : throttled / calls;
    const depth = Math.min(deepest, Math.max(least, depthPerShare * share));
    // Only where others do not dip for the same time: at the lowest rates no call would begin in a dip of the usual length.
    const forOneCall = alone === undefined ? 0 : settling + 1 / ((1 - depth) * rate);
    return { depth, seconds: Math.max(length, forOneCall) };
  }

  /** The dip of a controller that is alone, when its rate has fallen. */
  #deep(rate: number, { calls, longest }: AloneTuning): DipShape {
    const { length, settling, deepest } = this.#tuning;
    const seconds = Math.max(length, settling + calls / ((1 - deepest) * rate));
    return { depth: deepest, seconds: Math.min(seconds, longest) };
  }

  #begin(now: number, calm: boolean, { depth, seconds }: DipShape): void {
    const { settling, continued } = this.#tuning;
    if (this.#unfinished !== undefined && now - this.#unfinished.at >= 1_000 * continued) {
      this.#seekLimit(now, this.#unfinished, this.#outside);
      this.#startOver();
    }
    // What else throttles calls in a dip that is not calm must not be mixed with the others.
    const { calls, throttled, depth: earlier } = (calm ? this.#unfinished : undefined) ?? NONE;
    this.#dip = {
      calls,
      throttled,
      depth: Math.max(depth, earlier),
      from: now + 1_000 * settling,
      to: now + 1_000 * seconds,
      calm,
    };
  }

  /** Discards the calls of dips that had too few, and those between them. */
  #startOver(): void {
    this.#unfinished = undefined;
    this.#outside = { calls: 0, throttled: 0 };
  }

  #end(now: number, dip: Dip): void {
    const { calls, throttled, depth } = dip;
    this.#dip = undefined;
    if (!dip.calm) {
      this.#startOver();
      return;
    }
    if (calls < ENOUGH * this.#tuning.leastCalls) {
      this.#unfinished = { calls, throttled, depth, at: this.#unfinished?.at ?? now };
      return;
    }
    const outside = this.#outside;
    this.#startOver();
    this.#seekLimit(now, dip, outside);
    this.#unlearn(dip);
    if (!this.#showsNoise(dip, outside)) return;
    const kept = Math.exp((this.#pooledAt - now) / (1_000 * this.#tuning.memory));
    const pool = this.#pool;
    this.#pooledAt = now;
    this.#pool = {
      calls: kept * pool.calls + calls,
      throttled: kept * pool.throttled + throttled,
      dips: kept * pool.dips + (throttled > 0 ? 1 : 0),
    };
    this.#share = this.#measured();
  }

  /** If dips since the highest rate have clearly fewer throttled calls than outside, the rate is at a limit, which has fallen. */
  #seekLimit(now: number, { calls, throttled }: Readonly<Counts>, outside: Counts): void {
    if (outside.calls === 0) return;
    this.#expected += (calls * outside.throttled) / outside.calls;
    this.#had += throttled;
    if (this.#had < this.#expected - SURELY * Math.sqrt(this.#expected)) this.#setHighest(0, now);
  }

  #setHighest(rate: number, at: number): void {
    this.#highest = { rate, at };
    this.#expected = 0;
    this.#had = 0;
  }

  /** If a dip has clearly fewer throttled calls than the noise assumed, that noise does not exist. */
  #unlearn({ calls, throttled }: Dip): void {
    const expected = this.#share * calls;
    if (expected <= 2 || throttled >= expected - this.#tuning.unlearn * Math.sqrt(expected)) return;
    this.#share = 0;
    this.#pool = { calls: 0, throttled: 0, dips: 0 };
  }

  /**
   * A dip shows no noise in these cases:
   * - As many calls were accepted as before: the dip was not below the limit.
   * - Clearly more were throttled than outside: the limit fell meanwhile, or another caller came.
   * - The share is too large.
   */
  #showsNoise({ calls, throttled, depth }: Dip, outside: Counts): boolean {
    const shareOutside = outside.calls === 0 ? 0 : outside.throttled / outside.calls;
    const kept = ((1 - depth) * (1 - throttled / calls)) / Math.max(1e-9, 1 - shareOutside);
    const certain = (throttled - CLEARLY * Math.sqrt(throttled)) / calls;
    return kept <= 1 - FELL * depth && certain <= Math.min(this.#tuning.most, possible(outside));
  }

  /** The least rise of the share that counts as new noise. */
  get #anew(): number {
    const { calls, throttled } = this.#pool;
    return calls === 0 ? ANEW : Math.max(ANEW, (ANEW_DEVIATIONS * Math.sqrt(throttled)) / calls);
  }

  #measured(): number {
    const { calls, throttled, dips } = this.#pool;
    const { deviations, believedAtOnce, most } = this.#tuning;
    if (calls === 0 || (dips < SEVERAL && throttled < believedAtOnce)) return 0;
    return Math.min(most, Math.max(0, (throttled - deviations * Math.sqrt(throttled)) / calls));
  }
}

/** The highest plausible share of throttled calls, given these counts. */
function possible({ calls, throttled }: Counts): number {
  return calls === 0 ? 1 : (throttled + CLEARLY * Math.sqrt(throttled + 1)) / calls;
}
