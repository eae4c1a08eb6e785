/**
 * Tells noise from a limit: noise is a share of 429s that does not fall when the rate does.
 *
 * Now and then the rate dips for some seconds. All workers dip at the same times of the clock, because what a single one of many
 * leaves, the others take. In a dip at a limit nothing is throttled; what is throttled there is noise.
 *
 *   steady ── the time of a dip has come ─► dipping ── it is over ─► steady
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
  /** Calls begun from here on count. */
  readonly from: number;
  readonly to: number;
  /** Part of the rate that it takes off. */
  readonly depth: number;
  /** Whether what it shows is noise, and not the end of something else. */
  readonly calm: boolean;
}

/** A dip that is missed by so much is left out. */
const LATE_MS = 500;
/** A dip is longer where calls are few: by this factor at most. */
const LONGER = 2;
/** Of the calls a dip needs, so many are enough in the end. */
const ENOUGH = 0.8;
/** In a dip at a limit as many calls are accepted as before, or nearly; this part of its depth must be missing. */
const FELL = 0.55;
/** Two counts differ clearly by so many standard deviations of each. */
const CLEARLY = 2;
/** What a pool that is full keeps. */
const KEPT = 0.6;
/** A rate counts as lately for so long, in milliseconds. */
const LATELY_MS = 60_000;
/** Noise that is learnt anew is at least so much more. */
const ANEW = 0.001;

export class NoiseTest {
  readonly #tuning: NoiseTuning;
  readonly #wallAheadMs: () => number;
  #dip: Dip | undefined;
  /** Calls since the last dip. */
  #outside: Counts = { calls: 0, throttled: 0 };
  /** Calls of dips; and how many of these had throttled ones. */
  #pool = { calls: 0, throttled: 0, dips: 0 };
  #firstAt: number | undefined;
  #share = 0;
  #seenAt = 0;
  /** The latest time of a dip, in wall time. */
  #dueAt: number | undefined;
  #highest = { rate: 0, at: 0 };

  /** @param wallAheadMs by which wall time is ahead of the monotonic one: workers dip together by their wall clocks. */
  constructor(tuning: NoiseTuning, wallAheadMs: () => number) {
    this.#tuning = tuning;
    this.#wallAheadMs = wallAheadMs;
  }

  /** The noise as far as it is certain: a share of the calls. */
  get share(): number {
    return this.#share;
  }

  /** What a dip leaves of the rate; 1 while there is none. */
  get factor(): number {
    return this.#dip === undefined ? 1 : 1 - this.#dip.depth;
  }

  /** Takes in a call that has ended. */
  observe(call: ObservedCall, throttled: boolean): void {
    const dip = this.#dip;
    const counts = dip ?? this.#outside;
    if (dip !== undefined && (call.startedAt < dip.from || call.startedAt >= dip.to)) return;
    counts.calls++;
    if (throttled) counts.throttled++;
  }

  /**
   * Begins and ends dips.
   * @param rate calls per second, without a dip. @param calm whether nothing but the rate decides what is throttled.
   * @returns a rate to go back to, in calls per second, when noise has just been learnt that was not known.
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
    if (this.#dip === undefined && due && this.#tuning.tested) this.#begin(now, rate, calm);
    return undefined;
  }

  /** What is under way says nothing any more. */
  abort(): void {
    this.#dip = undefined;
    this.#outside = { calls: 0, throttled: 0 };
    this.#highest = { rate: 0, at: this.#seenAt };
  }

  #isDue(now: number): boolean {
    const { apart, young, apartLater } = this.#tuning;
    this.#firstAt ??= now;
    const apartMs = 1_000 * (now - this.#firstAt < 1_000 * young ? apart : apartLater);
    const wall = now + this.#wallAheadMs();
    const time = Math.floor(wall / apartMs) * apartMs;
    const isNew = time !== this.#dueAt;
    this.#dueAt = time;
    this.#seenAt = now;
    return isNew && wall - time < LATE_MS;
  }

  #begin(now: number, rate: number, calm: boolean): void {
    const { depth: least, depthPerShare, deepest, length, settling, leastCalls } = this.#tuning;
    const { calls, throttled } = this.#outside;
    const share = calls < leastCalls ? 0 : throttled / calls;
    const depth = Math.min(deepest, Math.max(least, depthPerShare * share));
    const seconds = Math.max(length, settling + leastCalls / ((1 - depth) * rate));
    this.#dip = {
      from: now + 1_000 * settling,
      to: now + 1_000 * Math.min(seconds, LONGER * length),
      depth,
      calm,
      calls: 0,
      throttled: 0,
    };
  }

  #end(dip: Dip): void {
    const outside = this.#outside;
    this.#dip = undefined;
    this.#outside = { calls: 0, throttled: 0 };
    if (!dip.calm || dip.calls < ENOUGH * this.#tuning.leastCalls) return;
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

  /** A dip with clearly fewer throttled calls than the noise that is believed shows that it is none. */
  #unlearn({ calls, throttled }: Dip): void {
    const expected = this.#share * calls;
    if (expected <= 2 || throttled >= expected - this.#tuning.unlearn * Math.sqrt(expected)) return;
    this.#share = 0;
    this.#pool = { calls: 0, throttled: 0, dips: 0 };
  }

  /**
   * Not if as many calls were accepted as before: then the dip was not below the limit. Not if clearly more were throttled than
   * outside: then the limit fell meanwhile, or another caller came. Nor if it is too much.
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

/** The most that the share of throttled calls may be where so many were counted. */
function possible({ calls, throttled }: Counts): number {
  return calls === 0 ? 1 : (throttled + CLEARLY * Math.sqrt(throttled + 1)) / calls;
}

/** What is allowed beyond the noise that is certain: a twentieth of it; and a quarter, up to so much as a share of the calls. */
const TWENTIETH = 1 / 20;
const QUARTER = 1 / 4;
const MOST_OF_QUARTER = 0.003;
/** Throttled calls that may be excused at once: these, and so many for each of noise. */
const AT_ONCE = 5;
const AT_ONCE_PER_SHARE = 200;
/** Excused after noise has been learnt. */
const NEWLY = 3;

/** Excuses as many throttled calls as the noise explains. */
export class NoiseAllowance {
  #credit = 0;

  /** To be called for each call. @param noise as a share of the calls. @returns whether it is throttled by noise. */
  excuses(throttled: boolean, noise: number): boolean {
    if (noise <= 0) return false;
    const earned = noise + TWENTIETH * noise + Math.min(QUARTER * noise, MOST_OF_QUARTER);
    this.#credit = Math.min(AT_ONCE + AT_ONCE_PER_SHARE * noise, this.#credit + earned);
    if (!throttled || this.#credit < 1) return false;
    this.#credit--;
    return true;
  }

  /** Noise has been learnt that was not excused so far. */
  refill(): void {
    this.#credit = Math.max(this.#credit, NEWLY);
  }
}
