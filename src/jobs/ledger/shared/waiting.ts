/** Waits for a ledger that is away, as long as its {@link Patience} lasts, and tells of it. The event loop goes on meanwhile. */
import { type BackoffSettings, fullJitter } from '../../../time/backoff.ts';
import type { LedgerContext, Patience } from './context.ts';
import { type LedgerError, LedgerInterrupted } from './error.ts';

/** What a kind of ledger says of being away. */
export interface AwayKind {
  /** Begins sentences: `The ledger /x/y`. */
  readonly what: string;
  readonly backoff: BackoffSettings;
  /** A sender tells of it when nobody got through for so long, in milliseconds: what is over by then is nobody's concern. */
  readonly tellAfterMs: number;
  /** Whether the work has done nothing, and may be done later. */
  readonly isAway: (error: unknown) => boolean;
  /** Of these, whether another process has it locked. */
  readonly isLocked: (error: unknown) => boolean;
  /** What is thrown when nobody waits any longer. */
  readonly error: (error: unknown, waitedMs: number) => LedgerError;
  /** Any other error, as it is thrown. */
  readonly explain: (error: unknown) => unknown;
  /** Goes on after `what`. */
  readonly sayAway: (error: unknown) => string;
  readonly sayBack: (seconds: number) => string;
}

/** When the waiting is to end because the sender is. */
const LEAVING_MS = 2_000;
/** What was asked of the ledger may still be answered for so long when the command is interrupted. */
const GRACE_MS = 2_000;
/** A command tells what it waits for when it has lasted so long. */
const COMMAND_TELLS_MS = 2_000;

export class Waiting {
  readonly #context: Pick<LedgerContext, 'clock' | 'sleep' | 'random'>;
  readonly #kind: AwayKind;
  readonly #closing = new AbortController();
  #patience: Patience;
  /** Since nobody got through; by the monotonic clock. */
  #awaySince: number | undefined;
  /** Whether that was told. */
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

  /** From here on. */
  set patience(patience: Patience) {
    this.#patience = patience;
  }

  /** Who waits is told that it is away. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * @param once is called at once, and again while it throws that the ledger is away: then it must have done nothing.
   * @throws LedgerInterrupted where the patience ends so.
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

  /** A command that is interrupted waits no longer for an answer, and one that has none says so. */
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
      say?.(`${this.#kind.what} does not answer: it is waited for`);
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
      ? `it is waited for, ${Math.round(most / 1_000)} s at most`
      : `nothing is sent until it is ${this.#kind.isLocked(error) ? 'free' : 'back'}. Nothing is lost`;
    say?.(`${what} ${sayAway(error)}: ${then}`);
  }

  /** Somebody got through. */
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
