/**
 * Distinguishes noise from a limit: noise is a share of 429s that does not fall when the rate does.
 *
 * From time to time the rate dips for some seconds. All workers dip at the same clock times, because the others would take what
 * a single worker leaves. A dip is below the limit, where nothing should be throttled: calls that are throttled there are noise.
 *
 * The only controller at a limit makes further dips: one as soon as the rate has fallen by half without overload. Noise above the
 * target would otherwise lower the rate until there are too few calls to find the noise.
 *
 *   steady ── a dip is due ─► dipping ── it is over ─► steady
 *
 * Times are monotonic milliseconds.
 */
import type { ObservedCall } from '../rate-control.ts';
import type { NoiseTuning } from './tuning.ts';

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
interface DipSetting extends Pick<Dip, 'depth' | 'calm'> {
  /** It lasts until this many calls have begun, */
  readonly calls: number;
  /** or for this many seconds. */
  readonly longest: number;
}

/** A dip missed by more than this is skipped, in milliseconds: others dip without this worker. */
const LATE_MS = 500;
/** With few calls a dip is longer, at most by this factor. */
const LONGER = 2;
/** The share of the calls a dip needs that is enough at its end. */
const ENOUGH = 0.8;
/** If a dip is not below the limit, accepted calls hardly fall. To count, they must fall by this share of its depth. */
const FELL = 0.55;
/** Two counts differ clearly if they are this many standard deviations of each apart. */
const CLEARLY = 2;
/** The share that a full pool keeps. */
const KEPT = 0.6;
/** How long a rate counts as recent, in milliseconds. */
const LATELY_MS = 60_000;
/** Noise counts as newly found if it is higher by at least this. */
const ANEW = 0.001;

export class NoiseTest {
  readonly #tuning: NoiseTuning;
  readonly #wallAheadMs: () => number;
  #dip: Dip | undefined;
  /** Calls since the last dip. */
  #outside: Counts = { calls: 0, throttled: 0 };
  /** The calls of dips that had too few to show anything: the next dip continues them. Only for a controller that is alone. */
  #begun: Pick<Dip, 'depth' | 'calls' | 'throttled'> | undefined;
  /** The calls in dips, and the number of dips that had throttled ones. */
  #pool = { calls: 0, throttled: 0, dips: 0 };
  #firstAt: number | undefined;
  #share = 0;
  #seenAt = 0;
  /** The latest scheduled time of a dip, in wall time. */
  #dueAt: number | undefined;
  #highest = { rate: 0, at: 0 };
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

  /** The share of the rate that the current dip leaves; 1 outside dips. */
  get factor(): number {
    return this.#dip === undefined ? 1 : 1 - this.#dip.depth;
  }

  /** Registers a call that has ended. */
  observe(call: ObservedCall, throttled: boolean): void {
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
    if ((calm && rate > this.#highest.rate) || now - this.#highest.at > LATELY_MS)
      this.#highest = { rate, at: now };
    if (this.#dip !== undefined && now > this.#dip.to) {
      const before = this.#share;
      this.#end(this.#dip);
      return this.#share > before + ANEW ? this.#tuning.back * this.#highest.rate : undefined;
    }
    if (this.#dip !== undefined || !this.#tuning.tested) return undefined;
    const { alone } = this.#tuning;
    this.#declinesFrom = Math.max(this.#declinesFrom, rate);
    if (alone !== undefined && calm && rate < alone.declined * this.#declinesFrom) {
      this.#declinesFrom = rate;
      this.#begin(now, rate, { ...alone, depth: this.#tuning.deepest, calm });
    } else if (due) this.#begin(now, rate, this.#ordinary(calm));
    return undefined;
  }

  /** The measurement under way has become meaningless: discards it. */
  abort(): void {
    this.#dip = undefined;
    this.#begun = undefined;
    this.#outside = { calls: 0, throttled: 0 };
    this.#highest = { rate: 0, at: this.#seenAt };
  }

  /** The limit has fallen: that the rate is lower now shows nothing. */
  limitFell(): void {
    this.#declinesFrom = 0;
  }

  #isDue(now: number): boolean {
    const { apart, young, apartLater, alone } = this.#tuning;
    this.#firstAt ??= now;
    const apartMs = 1_000 * (now - this.#firstAt < 1_000 * young ? apart : apartLater);
    const wall = now + this.#wallAheadMs();
    const time = Math.floor(wall / apartMs) * apartMs;
    const isNew = time !== this.#dueAt;
    this.#dueAt = time;
    this.#seenAt = now;
    return isNew && (alone !== undefined || wall - time < LATE_MS);
  }

  #ordinary(calm: boolean): DipSetting {
    const { depth: least, depthPerShare, deepest, length, leastCalls } = this.#tuning;
    const { calls, throttled } = this.#outside;
    const share = calls < leastCalls ? 0 : throttled / calls;
    const depth = Math.min(deepest, Math.max(least, depthPerShare * share));
    return { depth, calls: leastCalls, longest: LONGER * length, calm };
  }

  #begin(now: number, rate: number, { depth, calls, longest, calm }: DipSetting): void {
    const { length, settling } = this.#tuning;
    const begun = this.#begun ?? { depth: 0, calls: 0, throttled: 0 };
    this.#begun = undefined;
    const seconds = Math.max(length, settling + calls / ((1 - depth) * rate));
    this.#dip = {
      ...begun,
      from: now + 1_000 * settling,
      to: now + 1_000 * Math.min(seconds, longest),
      depth: Math.max(depth, begun.depth),
      calm,
    };
  }

  #end(dip: Dip): void {
    const outside = this.#outside;
    const hasFew = dip.calls < ENOUGH * this.#tuning.leastCalls;
    this.#dip = undefined;
    if (hasFew && dip.calm && this.#tuning.alone !== undefined) {
      this.#begun = { depth: dip.depth, calls: dip.calls, throttled: dip.throttled };
      return;
    }
    this.#outside = { calls: 0, throttled: 0 };
    if (!dip.calm || hasFew) return;
    this.#unlearn(dip);
    if (!this.#showsNoise(dip, outside)) return;
    if (this.#pool.calls > this.#tuning.pool) {
      this.#pool.calls *= KEPT;
      this.#pool.throttled *= KEPT;
    }
    this.#pool.calls += dip.calls;
    this.#pool.throttled += dip.throttled;
    if (dip.throttled > 0) this.#pool.dips++;
    this.#share = this.#measured();
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

  #measured(): number {
    const { calls, throttled, dips } = this.#pool;
    const { deviations, believedAtOnce, most } = this.#tuning;
    if (dips < 2 && throttled < believedAtOnce) return 0;
    return Math.min(most, Math.max(0, (throttled - deviations * Math.sqrt(throttled)) / calls));
  }
}

/** The highest plausible share of throttled calls, given these counts. */
function possible({ calls, throttled }: Counts): number {
  return calls === 0 ? 1 : (throttled + CLEARLY * Math.sqrt(throttled + 1)) / calls;
}

/**
 * The allowance beyond the certain noise: a twentieth of it, plus a quarter of it, the latter capped at this share of the calls.
 */
const TWENTIETH = 1 / 20;
const QUARTER = 1 / 4;
const MOST_OF_QUARTER = 0.003;
/** The most throttled calls excused at once: this many, plus this many times the noise. */
const AT_ONCE = 5;
const AT_ONCE_PER_SHARE = 200;
/** Throttled calls excused after noise has been found. */
const NEWLY = 3;

/** Excuses as many throttled calls as the noise explains. */
export class NoiseAllowance {
  #credit = 0;

  /**
   * Must be called for each call. @param noise as a share of the calls. @returns whether noise explains that it was throttled.
   */
  excuses(throttled: boolean, noise: number): boolean {
    if (noise <= 0) return false;
    const earned = noise + TWENTIETH * noise + Math.min(QUARTER * noise, MOST_OF_QUARTER);
    this.#credit = Math.min(AT_ONCE + AT_ONCE_PER_SHARE * noise, this.#credit + earned);
    if (!throttled || this.#credit < 1) return false;
    this.#credit--;
    return true;
  }

  /** Noise has been found that was not excused so far. */
  refill(): void {
    this.#credit = Math.max(this.#credit, NEWLY);
  }
}
