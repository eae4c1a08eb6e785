/** A wait that other code can end early. For one waiter at a time. */

export class Wakeup {
  #woken = false;
  #end: (() => void) | undefined;

  /** Ends the present wait; without one, the next wait ends immediately. */
  wake(): void {
    if (this.#end === undefined) this.#woken = true;
    else this.#end();
  }

  /** Resolves when woken, after `ms`, or when `signal` aborts. Never rejects. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          this.#end = undefined;
          resolve();
        };
        const timer = setTimeout(end, ms);
        signal.addEventListener('abort', end, { once: true });
        this.#end = end;
      });
    }
    this.#woken = false;
  }
}
