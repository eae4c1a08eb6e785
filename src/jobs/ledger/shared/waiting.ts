/** Waits for a ledger that is away, as long as its {@link Patience} lasts, and tells of it. The event loop goes on meanwhile. */
import { type BackoffSettings, fullJitter } from '../../../time/backoff.ts';
import type { LedgerContext, Patience } from './context.ts';
import type { LedgerError } from './error.ts';

/** What a kind of ledger says of being away. */
export interface AwayKind {
  readonly backoff: BackoffSettings;
  /** It is told of when it has lasted so long, in milliseconds: what is over by then is nobody's concern. */
  readonly tellAfterMs: number;
  /** Whether the work has done nothing, and may be done later. */
  readonly isAway: (error: unknown) => boolean;
  /** What is thrown when nobody waits any longer. */
  readonly error: (error: unknown, waitedMs: number) => LedgerError;
  /** Any other error, as it is thrown. */
  readonly explain: (error: unknown) => unknown;
  /** Sentences without their full stop. */
  readonly sayAway: (error: unknown) => string;
  readonly sayBack: (seconds: number) => string;
}

/** When the waiting is to end because the command is. */
const LEAVING_MS = 2_000;

export class Waiting {
  readonly #context: Pick<LedgerContext, 'clock' | 'sleep' | 'random'>;
  readonly #kind: AwayKind;
  readonly #closing = new AbortController();
  #patience: Patience;
  #awaySince: number | undefined;

  constructor(
    context: Pick<LedgerContext, 'clock' | 'sleep' | 'random'>,
    patience: Patience,
    kind: AwayKind,
  ) {
    this.#context = context;
    this.#patience = patience;
    this.#kind = kind;
  }

  /** From here on. */
  set patience(patience: Patience) {
    this.#patience = patience;
  }

  /** Who waits is told that it is away. */
  close(): void {
    this.#closing.abort();
  }

  /** @param once is called at once, and again while it throws that the ledger is away: then it must have done nothing. */
  async for<T>(once: () => T | Promise<T>, own?: Pick<Patience, 'ms'>): Promise<T> {
    const { clock, sleep, random } = this.#context;
    const { backoff, isAway, error: awayError, explain } = this.#kind;
    const { signal } = this.#closing;
    const since = clock.monotonic();
    for (let tries = 1; ; tries++) {
      try {
        const result = await once();
        this.#back();
        return result;
      } catch (error) {
        if (!isAway(error) || signal.aborted) throw explain(error);
        const waited = clock.monotonic() - since;
        const patience: Patience = { ...this.#patience, ...own };
        const leaving = patience.signal?.aborted === true;
        if (waited > (leaving ? Math.min(LEAVING_MS, patience.ms) : patience.ms))
          throw awayError(error, waited);
        if (waited >= this.#kind.tellAfterMs) this.#away(error, waited);
        await sleep(fullJitter(backoff, tries, random), signal);
        if (signal.aborted) throw awayError(error, waited);
      }
    }
  }

  #away(error: unknown, waitedMs: number): void {
    if (this.#awaySince !== undefined) return;
    this.#awaySince = this.#context.clock.monotonic() - waitedMs;
    this.#patience.onAway?.(this.#kind.error(error, waitedMs));
    this.#patience.say?.(this.#kind.sayAway(error));
  }

  #back(): void {
    if (this.#awaySince === undefined) return;
    const seconds = Math.round((this.#context.clock.monotonic() - this.#awaySince) / 1_000);
    this.#awaySince = undefined;
    this.#patience.say?.(this.#kind.sayBack(seconds));
  }
}
