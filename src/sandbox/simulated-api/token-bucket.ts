interface BucketLimit {
  /** Tokens per second; more than 0. */
  readonly ratePerSecond: number;
  /** The most tokens the bucket holds; at least 1. */
  readonly burst: number;
}

/**
 * A token bucket, full at first. Times are milliseconds from any fixed origin. In any period of t seconds it grants at most
 * `burst + ratePerSecond * t` tokens. A clock that steps back grants none in addition.
 */
export class TokenBucket {
  #limit: BucketLimit;
  #tokens: number;
  #refilledAt: number;

  constructor(limit: BucketLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#refilledAt = nowMs;
  }

  /** Takes one token if there is one. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Changes the limit. The present tokens are kept, up to the new burst. */
  change(limit: BucketLimit, nowMs: number): void {
    this.#refill(nowMs);
    this.#limit = limit;
    this.#tokens = Math.min(this.#tokens, limit.burst);
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#refilledAt) return;
    const gained = ((nowMs - this.#refilledAt) * this.#limit.ratePerSecond) / 1000;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + gained);
    this.#refilledAt = nowMs;
  }
}
