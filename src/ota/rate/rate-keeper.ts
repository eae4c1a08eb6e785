/**
 * Keeps the rate that a worker finds, for the next start: now and then while it changes, and at the end.
 *
 * What is still the rate of a careful start is not kept again. It lies below what was remembered, and a worker that starts again
 * and again would come down step by step.
 */
import type { RateMemory } from './memory.ts';
import type { RateControl } from './rate-control.ts';

export interface RateKeeperOptions {
  readonly memory: RateMemory;
  readonly rate: Pick<RateControl, 'rate' | 'foundAt'>;
  /** Calls per second at which the rate began, where that was remembered; undefined: at the ceiling. */
  readonly begunAt: number | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called once, with the first reason why it cannot be kept. */
  readonly onFault: (error: unknown) => void;
}

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 10_000;
/** A disk that does not answer must not hold up the end for longer, in milliseconds. */
const LAST_MS = 200;

export class RateKeeper {
  readonly #options: RateKeeperOptions;
  /** In calls per second; undefined: nothing is. */
  #kept: number | undefined;
  #saving: Promise<void> | undefined;
  #faulty = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RateKeeperOptions) {
    this.#options = options;
    this.#kept = options.begunAt;
  }

  /** Looks at the rate every 10 s from now on. */
  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  /** Keeps the rate where it has changed; resolves when that is done, or has failed. Never rejects. */
  async look(): Promise<void> {
    // A disk may take longer than from one look to the next.
    if (this.#saving !== undefined) return await this.#saving;
    const { rate, foundAt } = this.#options.rate;
    const found = foundAt === undefined ? undefined : rate;
    if (found === this.#kept) return;
    // The ceiling was lowered below it: that says nothing of the API.
    if (found === undefined && rate <= (this.#kept ?? 0)) return;
    this.#saving = this.#save(found);
    await this.#saving;
    this.#saving = undefined;
  }

  /** The last look, at the beginning of the end. Idempotent. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    void this.look();
  }

  /** Resolves when nothing is being kept any more, or it takes too long. */
  async close(): Promise<void> {
    this.stop();
    if (this.#saving === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_MS);
    await Promise.race([this.#saving, promise]);
    clearTimeout(timer);
  }

  async #save(found: number | undefined): Promise<void> {
    const { memory, now, onFault } = this.#options;
    try {
      await memory.save(found === undefined ? undefined : { perSecond: found, at: now() });
      this.#kept = found;
    } catch (error) {
      if (!this.#faulty) onFault(error);
      this.#faulty = true;
    }
  }
}
