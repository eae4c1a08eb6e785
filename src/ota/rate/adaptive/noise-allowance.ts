/** The allowance grows by this multiple of the certain noise: more than 1, because it does not grow while it is full. */
const EXCUSED = 1.15;
/** The most throttled calls excused at once: this many, plus this many times the noise. */
const AT_ONCE = 5;
const AT_ONCE_PER_SHARE = 100;
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
    this.#credit = Math.min(AT_ONCE + AT_ONCE_PER_SHARE * noise, this.#credit + EXCUSED * noise);
    if (!throttled || this.#credit < 1) return false;
    this.#credit--;
    return true;
  }

  /** Noise has been found that was not excused so far. */
  refill(): void {
    this.#credit = Math.max(this.#credit, NEWLY);
  }
}
