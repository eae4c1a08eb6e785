/**
 * A limit that is spent: the API accepts nothing until its window is over, or until the next tick brings tokens.
 *
 *   open ── a run of throttled calls, none accepted between ─► waiting ── a call is accepted ─► open
 *
 * During a wait, single calls probe whether it is over. The calls accepted from the end of one wait to the end of the next are
 * what the limit allows on average. Times are monotonic milliseconds.
 */
import type { ObservedCall } from '../rate-control.ts';
import { AcceptedCalls } from './accepted-calls.ts';

/** A wait that is over. */
export interface Wait {
  /**
   * Calls accepted per second over a period of the limit, or recently if no period is known; undefined when too little time has
   * passed to know.
   */
  readonly acceptedPerSecond: number | undefined;
  /** Whether this is what a whole period of the limit allows. */
  readonly ofPeriod: boolean;
}

/** The first time between two probes: the time of this many calls, and at least this many milliseconds. */
const FIRST_GAP_CALLS = 2;
const FIRST_GAP_MS = 30;
/** Each time between probes is longer than the last by this factor, up to the largest of the next three bounds. */
const GAP_FACTOR = 1.25;
/** In milliseconds; as a share of the wait so far, so that it ends only little too late; as a share of the period. */
const LONGEST_GAP_MS = 100;
const GAP_PART_OF_WAIT = 1 / 6;
const GAP_PART_OF_PERIOD = 1 / 40;
/**
 * Calls made within this share of a call's duration of each other may reach the API in another order. So up to this many accepted
 * calls among the throttled do not end a run. If a rate is too high but the limit is not spent, more calls are accepted.
 */
const SWAPPED = 0.25;
const MOST_SWAPPED = 2;
/**
 * A wait shorter than this, in milliseconds, may have another cause than a window or tick, unless the known period is this long.
 */
const SHORT_WAIT_MS = 400;
const LONG_PERIOD_MS = 4_000;
/** After a short wait, the calls accepted in at most this time count, if at least the second has passed. In milliseconds. */
const LATELY_MS = 2_000;
const TOO_SOON_MS = 600;
/** A wait that comes sooner than this share of a period after the last one does not end another period. */
const SOONER = 1 / 2;
/** In that case the assumed period shrinks by this factor, so that a wrong one is unlearnt. */
const UNLEARN = 0.9;
/**
 * A time of more than this many periods may include windows that were not spent. A longer period is accepted only when the next
 * time is as long, within this share.
 */
const LONGER = 1.5;
const AS_LONG = 0.2;

/** After a wait the rate is somewhat lower than what was accepted, so that the next wait comes later. */
const AFTER_WAIT = 0.98;

/**
 * The rate after a wait, in calls per second; undefined when the wait shows none.
 * @param little the rate after a small cut. @param used whether the rate limited the calls until now.
 */
export function rateAfter(
  { acceptedPerSecond, ofPeriod }: Wait,
  little: number,
  used: boolean,
): number | undefined {
  // The calls accepted recently show no limit if the queue had little work.
  if (acceptedPerSecond === undefined || !(ofPeriod || used)) return undefined;
  const allowed = AFTER_WAIT * acceptedPerSecond;
  return ofPeriod ? allowed : Math.min(little, allowed);
}

/** A wait: since when, which call began it, and the time between two probes. */
interface Waiting {
  readonly since: number;
  readonly firstCallAt: number;
  gapMs: number;
}

export class SpentLimit {
  readonly #runOfWait: number;
  readonly #accepted = new AcceptedCalls();
  #waiting: Waiting | undefined;
  #run = 0;
  #runSince = 0;
  /** When the first call of the run was made. */
  #runBegan = Number.NEGATIVE_INFINITY;
  #swapped = 0;
  /** When the last wait ended; before the first wait, when the first call was seen. */
  #openSince: number | undefined;
  #periodMs = 0;
  #seenTwice = false;
  /** The last time between two waits if it was longer than the period; 0 if it was not. */
  #longerMs = 0;

  /** @param run throttled calls in a row that begin a wait. */
  constructor(run: number) {
    this.#runOfWait = run;
  }

  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Calls per second during a wait; `Infinity` otherwise. */
  get probesPerSecond(): number {
    return this.#waiting === undefined ? Number.POSITIVE_INFINITY : 1_000 / this.#waiting.gapMs;
  }

  /** From one refill of the limit to the next, in milliseconds; 0 until seen twice, because once may be a storm of 429s. */
  get periodMs(): number {
    return this.#seenTwice ? this.#periodMs : 0;
  }

  /**
   * Registers a call that has ended.
   * @param now when it ended, or the end of a later call if that was seen before. @param rate calls per second in force;
   * undefined if the call cannot begin a wait, because it was made at another rate.
   * @returns the wait that this call has ended, if any.
   */
  observe(call: ObservedCall, throttled: boolean, now: number, rate: number | undefined): Wait | undefined {
    this.#openSince ??= now;
    if (!throttled) this.#accepted.add(now);
    if (this.#waiting !== undefined) return this.#probed(this.#waiting, call, throttled, now);
    if (!throttled) {
      const mayBeSwapped = call.startedAt < this.#runBegan + SWAPPED * (call.endedAt - call.startedAt);
      if (!mayBeSwapped || ++this.#swapped > MOST_SWAPPED) this.#run = 0;
    } else if (rate !== undefined && this.#run++ === 0) {
      this.#runSince = now;
      this.#runBegan = call.startedAt;
      this.#swapped = 0;
    }
    if (rate !== undefined && this.#run >= this.#runOfWait) {
      const gapMs = Math.max(FIRST_GAP_MS, (FIRST_GAP_CALLS * 1_000) / rate);
      this.#waiting = { since: this.#runSince, firstCallAt: now, gapMs };
    }
    return undefined;
  }

  /** A call that began before the wait shows nothing about it. */
  #probed(waiting: Waiting, call: ObservedCall, throttled: boolean, now: number): Wait | undefined {
    if (call.startedAt < waiting.firstCallAt) return undefined;
    if (!throttled) return this.#end(waiting, now);
    const longest = Math.max(
      LONGEST_GAP_MS,
      (now - waiting.since) * GAP_PART_OF_WAIT,
      this.#periodMs * GAP_PART_OF_PERIOD,
    );
    waiting.gapMs = Math.min(waiting.gapMs * GAP_FACTOR, longest);
    return undefined;
  }

  #end({ since }: Waiting, now: number): Wait {
    this.#waiting = undefined;
    this.#run = 0;
    const openMs = now - (this.#openSince ?? now);
    if (now - since < SHORT_WAIT_MS && this.#periodMs < LONG_PERIOD_MS) {
      const lately = this.#accepted.perSecond(now, Math.min(Math.max(1, openMs), LATELY_MS));
      return { acceptedPerSecond: openMs < TOO_SOON_MS ? undefined : lately, ofPeriod: false };
    }
    this.#openSince = now;
    const spanMs = Math.max(1, this.#learn(openMs));
    return { acceptedPerSecond: this.#accepted.perSecond(now, spanMs), ofPeriod: true };
  }

  /** @returns the milliseconds over which the accepted calls are what the limit allows. */
  #learn(openMs: number): number {
    const before = this.#periodMs;
    const sooner = openMs < SOONER * before;
    const longer =
      before > 0 && openMs > LONGER * before && Math.abs(openMs - this.#longerMs) > AS_LONG * openMs;
    this.#longerMs = longer ? openMs : 0;
    if (before > 0 && !sooner && !longer) this.#seenTwice = true;
    this.#periodMs = sooner ? UNLEARN * before : longer ? before : openMs;
    return sooner || longer ? before : openMs;
  }
}
