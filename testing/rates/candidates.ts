/**
 * The candidates that were not chosen for the adaptive rate, for the simulator only: docs/decisions/0002. Each starts
 * at the ceiling and never exceeds it. Times are monotonic milliseconds, rates calls per second.
 */
import type { ObservedCall } from '../../src/ota/rate/rate-control.ts';
import { type Controller, fixedController } from './simulator.ts';

/** What a caller finds besides its ceiling. */
interface World {
  /** Its even part of the true limit at the start: only a caller that knows it uses it. */
  readonly part?: number;
  /** How far wall time is ahead of virtual time, in milliseconds. */
  readonly wallAheadMs?: () => number;
}

export interface Candidate {
  readonly name: string;
  readonly create: (ceiling: number, world?: World) => Controller;
}

export const aimd5: Candidate = {
  name: 'AIMD, cut 5%',
  create: (ceiling) => new Aimd(ceiling, { keep: 0.95, climb: 0.5 }),
};
export const aimd50: Candidate = {
  name: 'AIMD, cut 50%',
  create: (ceiling) => new Aimd(ceiling, { keep: 0.5, climb: 0.5 }),
};
export const cubic: Candidate = { name: 'CUBIC (AWS SDK)', create: (ceiling) => new Cubic(ceiling) };
export const bbr: Candidate = { name: 'BBR-like', create: (ceiling) => new BbrLike(ceiling) };
const fixed: Candidate = { name: 'fixed', create: (ceiling) => fixedController(ceiling) };

export const rejectedCandidates: readonly Candidate[] = [aimd5, aimd50, cubic, bbr, fixed];

const isThrottled = (call: ObservedCall): boolean => call.failure?.kind === 'throttled';

interface AimdSettings {
  /** The factor that a cut applies. */
  readonly keep: number;
  /** Calls per second, per second. */
  readonly climb: number;
}

/** Additive increase, multiplicative decrease; calls begun before a cut do not cut again. */
class Aimd implements Controller {
  readonly #ceiling: number;
  readonly #settings: AimdSettings;
  readonly #offered = new Offered();
  #cutAt = Number.NEGATIVE_INFINITY;
  #seenAt: number | undefined;
  rate: number;

  constructor(ceiling: number, settings: AimdSettings) {
    this.#ceiling = ceiling;
    this.#settings = settings;
    this.rate = ceiling;
  }

  observe(call: ObservedCall): void {
    const { keep, climb } = this.#settings;
    const elapsed = (call.endedAt - (this.#seenAt ?? call.endedAt)) / 1_000;
    this.#seenAt = call.endedAt;
    this.#offered.add(call.endedAt);
    if (isThrottled(call)) {
      if (call.startedAt < this.#cutAt) return;
      this.#cutAt = call.endedAt;
      // Without a pace until now: the actual rate of calls is what gets cut.
      const from = Number.isFinite(this.rate) ? this.rate : this.#offered.perSecond(call.endedAt);
      this.rate = Math.max(0.1, from * keep);
    } else if (Number.isFinite(this.rate)) {
      this.rate = Math.min(this.#ceiling, this.rate + climb * elapsed);
    }
  }
}

/** Calls per second since the first, for a controller that has no rate of its own yet. */
class Offered {
  #since: number | undefined;
  #calls = 0;

  add(now: number): void {
    this.#since ??= now;
    this.#calls++;
  }

  perSecond(now: number): number {
    return (this.#calls * 1_000) / Math.max(1, now - (this.#since ?? now));
  }
}

/**
 * The client rate limiter of the AWS SDKs' adaptive retry mode, from its published description: every throttled answer
 * cuts to 0.7 of the measured rate; then the cubic curve leads back to the former rate and beyond, to at most twice the
 * measured rate. The measured rate is that of answers, in buckets of half a second.
 */
class Cubic implements Controller {
  static readonly #beta = 0.7;
  static readonly #scale = 0.4;
  static readonly #smooth = 0.8;
  static readonly #floor = 0.5;
  readonly #ceiling: number;
  #limiting = false;
  #measured = 0;
  #bucket: number | undefined;
  #answers = 0;
  #lastMax = 0;
  #throttledAt = 0;
  rate: number;

  constructor(ceiling: number) {
    this.#ceiling = ceiling;
    this.rate = ceiling;
  }

  observe(call: ObservedCall): void {
    const now = call.endedAt / 1_000;
    this.#measure(now);
    if (isThrottled(call)) {
      this.#lastMax = this.#limiting ? Math.min(this.#measured, this.rate) : this.#measured;
      this.#throttledAt = now;
      this.#limiting = true;
      this.#set(this.#lastMax * Cubic.#beta);
    } else if (this.#limiting) {
      const backAfter = Math.cbrt((this.#lastMax * (1 - Cubic.#beta)) / Cubic.#scale);
      this.#set(Cubic.#scale * (now - this.#throttledAt - backAfter) ** 3 + this.#lastMax);
    }
  }

  #measure(now: number): void {
    const bucket = Math.floor(now * 2) / 2;
    this.#bucket ??= bucket;
    this.#answers++;
    if (bucket <= this.#bucket) return;
    const current = this.#answers / (bucket - this.#bucket);
    this.#measured = current * Cubic.#smooth + this.#measured * (1 - Cubic.#smooth);
    this.#answers = 0;
    this.#bucket = bucket;
  }

  #set(rate: number): void {
    this.rate = Math.min(this.#ceiling, Math.max(Cubic.#floor, Math.min(rate, 2 * this.#measured)));
  }
}

/**
 * Modelled on BBR: the best accepted rate of the last ten seconds, followed in a cycle of one-second phases: a quarter
 * above to probe, a quarter below to drain, then six seconds at that rate.
 */
class BbrLike implements Controller {
  static readonly #gains = [1.25, 0.75, 1, 1, 1, 1, 1, 1];
  readonly #ceiling: number;
  /** Accepted calls in each of the last ten seconds. */
  #seconds: number[] = [];
  #startedAt: number | undefined;
  #second = 0;
  #accepted = 0;
  #throttledYet = false;
  rate: number;

  constructor(ceiling: number) {
    this.#ceiling = ceiling;
    this.rate = ceiling;
  }

  observe(call: ObservedCall): void {
    this.#startedAt ??= call.endedAt;
    const second = Math.floor((call.endedAt - this.#startedAt) / 1_000);
    if (second > this.#second) {
      this.#seconds = [...this.#seconds, this.#accepted / (second - this.#second)].slice(-10);
      this.#accepted = 0;
      this.#second = second;
      // Until a call is throttled, there is nothing to follow.
      if (this.#throttledYet) this.#follow();
    }
    if (isThrottled(call)) this.#throttledYet = true;
    else this.#accepted++;
  }

  #follow(): void {
    const gain = BbrLike.#gains[this.#second % BbrLike.#gains.length] ?? 1;
    this.rate = Math.min(this.#ceiling, Math.max(0.1, gain * Math.max(...this.#seconds)));
  }
}
