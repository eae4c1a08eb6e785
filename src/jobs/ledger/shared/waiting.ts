/** Waits for a ledger that is away, as long as its {@link Patience} lasts, and reports it. The event loop keeps running. */
import { type BackoffSettings, fullJitter } from '../../../time/backoff.ts';
import type { LedgerContext, Patience } from './context.ts';
import { type LedgerError, LedgerInterrupted } from './error.ts';

/** How a kind of ledger recognizes and describes that it is away. */
export interface AwayKind {
  /** Begins sentences: `The ledger /x/y`. */
  readonly what: string;
  readonly backoff: BackoffSettings;
  /**
   * A sender reports that the ledger is away only after this time without success, in milliseconds. Shorter gaps concern nobody.
   */
  readonly tellAfterMs: number;
  /** Whether the operation did nothing and may succeed later. */
  readonly isAway: (error: unknown) => boolean;
  /** Among those errors, whether another process has the ledger locked. */
  readonly isLocked: (error: unknown) => boolean;
  /** The error to throw when the wait is given up. */
  readonly error: (error: unknown, waitedMs: number) => LedgerError;
  /** Any other error, in the form in which it is thrown. */
  readonly explain: (error: unknown) => unknown;
  /** Continues the sentence that begins with `what`. */
  readonly sayAway: (error: unknown) => string;
  readonly sayBack: (seconds: number) => string;
}

/** How long to wait once the sender is stopping. */
const LEAVING_MS = 2_000;
/** How long a request to the ledger may still be answered after the command was interrupted. */
const GRACE_MS = 2_000;
/** After this long, a command says what it waits for. */
const COMMAND_TELLS_MS = 2_000;

export class Waiting {
  readonly #context: Pick<LedgerContext, 'clock' | 'sleep' | 'random'>;
  readonly #kind: AwayKind;
  readonly #closing = new AbortController();
  #patience: Patience;
  /** When the ledger was first away; by the monotonic clock. */
  #awaySince: number | undefined;
  /** Whether that was reported. */
  #told = false;

  constructor(
    context: Pick<LedgerContext, 'clock' | 'sleep' | 'random'>,
    patience: Patience,
    kind: AwayKind,
  ) {
    this.#context = context;
    this.#patience = patience;
    this.#kind = kind;
  }

  /** Applies from here on. */
  set patience(patience: Patience) {
    this.#patience = patience;
  }

  /** Ends all waits with the error that the ledger is away. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * @param once is called at once, and again while it throws that the ledger is away: it must then have done nothing.
   * @throws LedgerInterrupted if the patience ends that way.
   */
  async for<T>(once: () => T | Promise<T>, own?: Pick<Patience, 'ms'>): Promise<T> {
    const { clock, sleep, random } = this.#context;
    const { backoff, isAway, error: awayError, explain } = this.#kind;
    const { signal } = this.#closing;
    const since = clock.monotonic();
    for (let tries = 1; ; tries++) {
      try {
        const result = await this.#unlessInterrupted(once);
        this.#back();
        return result;
      } catch (error) {
        if (!isAway(error) || signal.aborted) throw explain(error);
        const now = clock.monotonic();
        const waited = now - since;
        const patience = this.#patienceOf(own);
        this.#refuseInterrupted(patience);
        const leaving = patience.signal?.aborted === true;
        const most = this.#kind.isLocked(error) ? (patience.lockedMs ?? patience.ms) : patience.ms;
        if (waited > (leaving ? Math.min(LEAVING_MS, most) : most)) throw awayError(error, waited);
        this.#awaySince ??= now;
        this.#tell(error, now, most, patience);
        await sleep(fullJitter(backoff, tries, random), endOf(signal, patience));
        if (signal.aborted) throw awayError(error, waited);
        this.#refuseInterrupted(patience);
      }
    }
  }

  #patienceOf(own: Pick<Patience, 'ms'> | undefined): Patience {
    return own === undefined ? this.#patience : { ...this.#patience, lockedMs: own.ms, ...own };
  }

  #refuseInterrupted({ endsAtOnce, signal }: Patience): void {
    if (endsAtOnce === true && signal?.aborted === true) throw new LedgerInterrupted(this.#kind.what);
  }

  /** An interrupted command stops waiting for the answer; a command whose answer is late says so. */
  async #unlessInterrupted<T>(once: () => T | Promise<T>): Promise<T> {
    const { signal, endsAtOnce, say } = this.#patience;
    const working = once();
    if (!(working instanceof Promise) || endsAtOnce !== true || signal === undefined) return await working;
    const { sleep } = this.#context;
    const over = new AbortController();
    const interrupted = async (): Promise<never> => {
      await aborted(AbortSignal.any([signal, over.signal]));
      await sleep(GRACE_MS, over.signal);
      throw new LedgerInterrupted(this.#kind.what);
    };
    const silent = async (): Promise<void> => {
      await sleep(COMMAND_TELLS_MS, over.signal);
      if (over.signal.aborted || this.#awaySince !== undefined) return;
      this.#awaySince = this.#context.clock.monotonic() - COMMAND_TELLS_MS;
      this.#told = true;
      say?.(`${this.#kind.what} does not answer: waiting for it`);
    };
    const given = interrupted();
    for (const one of [working, given, silent()]) one.catch(() => {});
    try {
      return await Promise.race([working, given]);
    } finally {
      over.abort();
    }
  }

  #tell(error: unknown, now: number, most: number, { say, onAway, endsAtOnce }: Patience): void {
    const { what, tellAfterMs, sayAway, error: awayError } = this.#kind;
    const away = now - (this.#awaySince ?? now);
    if (this.#told || away < (endsAtOnce === true ? COMMAND_TELLS_MS : tellAfterMs)) return;
    this.#told = true;
    onAway?.(awayError(error, away));
    const then = Number.isFinite(most)
      ? `waiting for it, ${Math.round(most / 1_000)} s at most`
      : `nothing is sent until it is ${this.#kind.isLocked(error) ? 'free' : 'back'}. Nothing is lost`;
    say?.(`${what} ${sayAway(error)}: ${then}`);
  }

  /** The ledger answered. */
  #back(): void {
    if (this.#told && this.#awaySince !== undefined) {
      const seconds = Math.round((this.#context.clock.monotonic() - this.#awaySince) / 1_000);
      this.#patience.say?.(`${this.#kind.what} ${this.#kind.sayBack(seconds)}`);
    }
    this.#awaySince = undefined;
    this.#told = false;
  }
}

function endOf(closing: AbortSignal, { endsAtOnce, signal }: Patience): AbortSignal {
  return endsAtOnce === true && signal !== undefined ? AbortSignal.any([closing, signal]) : closing;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
