/**
 * Whether a source of the console is there. If it was away a moment ago, requests do not wait for it again: they are told at once,
 * with the time since when, while a single check at a time asks whether it is back.
 *
 *   there ──► away: a request failed
 *   away ──► there: it has answered
 */
import { instant } from '../text/times.ts';
import type { Clock } from '../time/clock.ts';

export interface ReachOptions {
  /** Why it cannot be used, if the error says so: a sentence with or without its full stop. undefined: another error. */
  readonly whyAway: (error: unknown) => string | undefined;
  /** What does not work while it is away; default: `cannot be read`. */
  readonly what?: string;
  readonly clock: Clock;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** It is away. The message is a phrase: `cannot be read since 2026-11-29 03:00:00 UTC: no connection`. */
export class AwayError extends Error {
  override readonly name = 'AwayError';
  /** Epoch milliseconds. */
  readonly since: number;
  /** Without its full stop. */
  readonly why: string;

  constructor(since: number, why: string, what = 'cannot be read') {
    super(`${what} since ${instant(since)} UTC: ${why}`);
    this.since = since;
    this.why = why;
  }
}

/** What a source returned instead of an answer. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/** Pause between two checks whether it is back, in milliseconds. */
const AGAIN_MS = 1_000;
/** After this time without requests, the checks stop, and the next request waits for an answer. In milliseconds. */
const IDLE_MS = 60_000;

type Ask = (signal: AbortSignal) => Promise<unknown>;

export class Reach {
  readonly #options: ReachOptions;
  readonly #closed = new AbortController();
  #away: { readonly since: number; readonly why: string } | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** The checks whether it is back: resolves after the first of them. */
  #watch: Promise<void> | undefined;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /**
   * Does `work` with it.
   * @param again checks whether it is back, and changes nothing; throws like `work`.
   * @throws AwayError if it is away, and whatever else `work` throws.
   */
  async use<T>(work: () => Promise<T>, again: Ask): Promise<T> {
    this.#askedAt = this.#options.clock.monotonic();
    if (this.#away !== undefined) {
      // No request has come for a long time: the known state is outdated.
      if (this.#watch === undefined) await this.#begin(again);
      if (this.#away !== undefined) throw this.#error();
    }
    try {
      const result = await work();
      this.#away = undefined;
      return result;
    } catch (error) {
      if (!this.#isAway(error)) throw error;
      if (this.#watch === undefined) void this.#begin(again);
      throw this.#error();
    }
  }

  /** The known state: the source is asked only if it was away. @param again as for {@link use}. */
  async known(again: Ask): Promise<AwayError | undefined> {
    if (this.#away === undefined) return undefined;
    try {
      await this.use(() => again(this.#closed.signal), again);
      return undefined;
    } catch (error) {
      return error instanceof AwayError ? error : undefined;
    }
  }

  /** Other code has found it away. @param again as for {@link use}. */
  tell(error: unknown, again: Ask): void {
    if (!this.#isAway(error)) return;
    this.#askedAt = this.#options.clock.monotonic();
    if (this.#watch === undefined) void this.#begin(again);
  }

  close(): void {
    this.#closed.abort();
  }

  #begin(again: Ask): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#watch = first.promise;
    void this.#untilBack(again, first.resolve).finally(() => {
      this.#watch = undefined;
      first.resolve();
    });
    return first.promise;
  }

  async #untilBack(again: Ask, tried: () => void): Promise<void> {
    const { clock, sleep } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted && clock.monotonic() - this.#askedAt < IDLE_MS) {
      try {
        await again(signal);
        this.#away = undefined;
        return;
      } catch (error) {
        // Any other error also counts as an answer.
        if (!this.#isAway(error)) {
          this.#away = undefined;
          return;
        }
      }
      tried();
      await sleep(AGAIN_MS, signal);
    }
  }

  #isAway(error: unknown): boolean {
    const why = this.#options.whyAway(error);
    if (why === undefined) return false;
    const since = this.#away?.since ?? this.#options.clock.wall();
    this.#away = { since, why: why.replace(/\.$/, '') };
    return true;
  }

  #error(): AwayError {
    const { since, why } = this.#away ?? { since: this.#options.clock.wall(), why: 'no answer' };
    return new AwayError(since, why, this.#options.what);
  }
}
