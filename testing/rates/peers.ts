/**
 * Algorithms that others use, in the same simulation: written from their published descriptions, with the defaults named there.
 * All stay below the ceiling. Those that control concurrency limit the calls in flight, and the ceiling paces them in addition.
 *
 * Not included: AATB, the second algorithm of arXiv 2510.04516. Its clients report to a telemetry server, which tells each how
 * many clients there are, what they send and the rate of the API's quota: it knows what the others have to find.
 */
import type { ObservedCall } from '../../src/ota/rate/rate-control.ts';
import { aimd50, type Candidate, cubic } from './candidates.ts';
import { type Controller, fixedController } from './simulator.ts';

const knows: Candidate = {
  name: 'fixed at the limit',
  create: (ceiling, { part = ceiling } = {}) => fixedController(Math.min(ceiling, part)),
};
export const gradient2: Candidate = {
  name: 'gradient2 (Netflix)',
  create: (ceiling) => new Gradient2(ceiling),
};
export const netflixAimd: Candidate = {
  name: 'AIMD of concurrency (Netflix)',
  create: (ceiling) => new ConcurrencyAimd(ceiling),
};
export const vector: Candidate = {
  name: 'ARC (Vector)',
  create: (ceiling) => new RequestConcurrency(ceiling),
};
export const atb: Candidate = {
  name: 'ATB (arXiv 2510.04516)',
  create: (ceiling) => new AdaptiveBucket(ceiling),
};

export const peers: readonly Candidate[] = [aimd50, cubic, gradient2, netflixAimd, vector, atb, knows];

const isThrottled = (call: ObservedCall): boolean => call.failure?.kind === 'throttled';

/** Bounds of Netflix's limits. The library has a minimum of 20; a batch job that keeps nobody waiting may have one. */
const NETFLIX = { initial: 20, least: 1, most: 200 };

/**
 * Gradient2 of Netflix's concurrency-limits, in the windows of a second that the library uses: the limit shrinks when
 * the mean round trip of a window exceeds the long-term mean, and otherwise grows by a few calls. A dropped call is no round
 * trip. The library tells every limit that calls were dropped, but gradient2 ignores it.
 */
class Gradient2 implements Controller {
  static readonly #queue = 4;
  static readonly #smoothing = 0.2;
  static readonly #longWindow = 600;
  static readonly #windowMs = 1_000;
  static readonly #windowCalls = 10;
  readonly rate: number;
  #limit = NETFLIX.initial;
  #window = emptyWindow(Number.NEGATIVE_INFINITY);
  readonly #longTerm = new WarmedAverage(Gradient2.#longWindow);

  constructor(ceiling: number) {
    this.rate = ceiling;
  }

  get concurrency(): number {
    return Math.floor(this.#limit);
  }

  observe(call: ObservedCall, inFlight = 0): void {
    const { endedAt, startedAt } = call;
    if (this.#window.since === Number.NEGATIVE_INFINITY) this.#window = emptyWindow(endedAt);
    const window = this.#window;
    window.inFlight = Math.max(window.inFlight, inFlight);
    if (!isThrottled(call)) {
      window.calls++;
      window.sumMs += endedAt - startedAt;
    }
    if (endedAt - window.since < Gradient2.#windowMs || window.calls < Gradient2.#windowCalls) return;
    this.#window = emptyWindow(endedAt);
    this.#update(window.sumMs / window.calls, window.inFlight);
  }

  #update(shortMs: number, inFlight: number): void {
    const longMs = this.#longTerm.add(shortMs);
    if (longMs > 2 * shortMs) this.#longTerm.scale(0.9);
    if (inFlight < this.#limit / 2) return;
    const gradient = Math.max(0.5, Math.min(1, longMs / shortMs));
    const target = this.#limit * gradient + Gradient2.#queue;
    const next = this.#limit + (target - this.#limit) * Gradient2.#smoothing;
    this.#limit = Math.max(NETFLIX.least, Math.min(NETFLIX.most, next));
  }
}

interface Window {
  readonly since: number;
  calls: number;
  sumMs: number;
  inFlight: number;
}

function emptyWindow(since: number): Window {
  return { since, calls: 0, sumMs: 0, inFlight: 0 };
}

/** An exponential average that starts as the plain average of its first ten values. */
class WarmedAverage {
  static readonly #warmUp = 10;
  readonly #factor: number;
  #count = 0;
  #value = 0;

  constructor(window: number) {
    this.#factor = 2 / (window + 1);
  }

  add(value: number): number {
    this.#count++;
    const weight = this.#count <= WarmedAverage.#warmUp ? 1 / this.#count : this.#factor;
    this.#value += (value - this.#value) * weight;
    return this.#value;
  }

  scale(factor: number): void {
    this.#value *= factor;
  }
}

/**
 * The AIMD limit of Netflix's concurrency-limits: a dropped call reduces it by a tenth, others add one while half is in use.
 */
class ConcurrencyAimd implements Controller {
  static readonly #keep = 0.9;
  readonly rate: number;
  #limit = NETFLIX.initial;

  constructor(ceiling: number) {
    this.rate = ceiling;
  }

  get concurrency(): number {
    return this.#limit;
  }

  observe(call: ObservedCall, inFlight = 0): void {
    if (isThrottled(call)) this.#limit = Math.floor(this.#limit * ConcurrencyAimd.#keep);
    else if (2 * inFlight >= this.#limit) this.#limit++;
    this.#limit = Math.max(NETFLIX.least, Math.min(NETFLIX.most, this.#limit));
  }
}

/**
 * Vector's adaptive request concurrency. Once per mean round trip the limit grows by one, if it was used, nothing was
 * refused and answers were as fast as before. It shrinks by a tenth if something was refused, or answers were slower than
 * the mean by 2.5 deviations. Mean and deviation are exponential averages.
 */
class RequestConcurrency implements Controller {
  static readonly #most = 200;
  static readonly #keep = 0.9;
  static readonly #alpha = 0.4;
  static readonly #deviations = 2.5;
  readonly rate: number;
  #limit = 1;
  /** Earlier round trips, in milliseconds. */
  #past: { readonly mean: number; readonly variance: number } | undefined;
  #updateAt = 0;
  #now = { calls: 0, sumMs: 0, refused: false, full: false };

  constructor(ceiling: number) {
    this.rate = ceiling;
  }

  get concurrency(): number {
    return this.#limit;
  }

  observe(call: ObservedCall, inFlight = 0): void {
    if (inFlight >= this.#limit) this.#now.full = true;
    if (isThrottled(call)) this.#now.refused = true;
    else {
      this.#now.calls++;
      this.#now.sumMs += call.endedAt - call.startedAt;
    }
    const mean = this.#now.calls > 0 ? this.#now.sumMs / this.#now.calls : undefined;
    if (this.#past === undefined) {
      if (mean === undefined) return;
      this.#past = { mean, variance: 0 };
      this.#updateAt = call.endedAt + mean;
    } else if (call.endedAt >= this.#updateAt) {
      this.#adjust(this.#past, mean);
      const past = mean === undefined ? this.#past : averaged(this.#past, mean, RequestConcurrency.#alpha);
      this.#past = past;
      this.#updateAt = call.endedAt + past.mean;
      this.#now = { calls: 0, sumMs: 0, refused: false, full: false };
    }
  }

  #adjust(past: { readonly mean: number; readonly variance: number }, mean: number | undefined): void {
    const { full, refused } = this.#now;
    const slow = past.mean + RequestConcurrency.#deviations * Math.sqrt(past.variance);
    if (full && !refused && mean !== undefined && mean <= past.mean)
      this.#limit = Math.min(RequestConcurrency.#most, this.#limit + 1);
    else if (refused || (mean ?? 0) >= slow)
      this.#limit = Math.max(1, Math.floor(this.#limit * RequestConcurrency.#keep));
  }
}

function averaged(past: { readonly mean: number; readonly variance: number }, value: number, alpha: number) {
  const by = alpha * (value - past.mean);
  return { mean: past.mean + by, variance: (1 - alpha) * (past.variance + (value - past.mean) * by) };
}

/**
 * ATB, the adaptive token bucket of arXiv 2510.04516 (Farkiani, Liu, Crowley): each accepted call raises the rate by a factor,
 * which is larger below the rate of the last 429; each 429 halves it. It was designed for clients that call a few times a
 * minute, one call at a time. The factors are from an implementation by others; the authors' were not found.
 */
class AdaptiveBucket implements Controller {
  static readonly #below = 1.5;
  static readonly #above = 1.2;
  static readonly #least = 0.01;
  readonly #ceiling: number;
  #congestion = Number.POSITIVE_INFINITY;
  rate: number;

  constructor(ceiling: number) {
    this.#ceiling = ceiling;
    this.rate = Math.min(ceiling, AdaptiveBucket.#start);
  }

  /** Calls per second. */
  static readonly #start = 0.1;

  observe(call: ObservedCall): void {
    if (isThrottled(call)) {
      this.#congestion = this.rate;
      this.rate = Math.max(AdaptiveBucket.#least, this.rate / 2);
      return;
    }
    const factor = this.rate < this.#congestion ? AdaptiveBucket.#below : AdaptiveBucket.#above;
    this.rate = Math.min(this.#ceiling, Math.max(this.rate * factor, this.rate + AdaptiveBucket.#least));
  }
}
