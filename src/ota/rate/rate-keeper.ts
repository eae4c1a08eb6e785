/**
 * Saves the rate that a worker finds, for its next start: from time to time while the rate changes, and at the end.
 *
 * An unchanged rate of a careful start is not saved again. It lies below the remembered rate, so a worker that restarts
 * repeatedly would come down step by step.
 */
import type { RateMemory } from './memory.ts';
import type { RateControl } from './rate-control.ts';

export interface RateKeeperOptions {
  readonly memory: RateMemory;
  readonly rate: Pick<RateControl, 'rate' | 'foundAt'>;
  /** The remembered rate at which the worker began, in calls per second; undefined: it began at the ceiling. */
  readonly begunAt: number | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called once, with the first reason why the rate cannot be saved. */
  readonly onFault: (error: unknown) => void;
}

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 10_000;
/** A disk that does not answer must not delay the end for longer than this, in milliseconds. */
const LAST_MS = 200;

export class RateKeeper {
  readonly #options: RateKeeperOptions;
  /** The saved rate in calls per second; undefined: none is saved. */
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

  /** Saves the rate if it has changed; resolves when that is done, or has failed. Never rejects. */
  async look(): Promise<void> {
    // A disk may take longer than the time between two looks.
    if (this.#saving !== undefined) return await this.#saving;
    const { rate, foundAt } = this.#options.rate;
    const found = foundAt === undefined ? undefined : rate;
    if (found === this.#kept) return;
    // The ceiling was lowered below the saved rate, which shows nothing about the API.
    if (found === undefined && rate <= (this.#kept ?? 0)) return;
    this.#saving = this.#save(found);
    await this.#saving;
    this.#saving = undefined;
  }

  /** The last look, when the worker begins to stop. Idempotent. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    void this.look();
  }

  /** Resolves when no save is under way any more, or it takes too long. */
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
