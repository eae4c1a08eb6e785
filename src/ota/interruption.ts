/** A word from outside to work that is waiting: give up. It wakes what waits and never touches a call in flight. */

/** How a delivery is to be given up: visible at once, or after some seconds. */
export interface GiveUp {
  readonly deferSeconds?: number;
}

export class Interruption {
  #giveUp: GiveUp | undefined;
  #wake: (() => void) | undefined;

  /** What was asked for, if anything was. */
  get requested(): GiveUp | undefined {
    return this.#giveUp;
  }

  /** Asks to give up, once; later calls change nothing. */
  request(giveUp: GiveUp): void {
    if (this.#giveUp !== undefined) return;
    this.#giveUp = giveUp;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Registers what ends the present wait early; one wait at a time. Undefined takes it off. */
  onRequest(wake: (() => void) | undefined): void {
    this.#wake = wake;
  }

  /**
   * Waits `ms` milliseconds.
   * @returns false when cut short.
   */
  async sleep(ms: number): Promise<boolean> {
    if (this.#giveUp !== undefined) return false;
    if (ms <= 0) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    return this.#giveUp === undefined;
  }
}
