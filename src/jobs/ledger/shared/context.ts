/** What a ledger needs of the process that opens it. */
import type { Clock } from '../../../time/clock.ts';
import type { LedgerError } from './error.ts';

/** How long a command waits for a ledger that is away, or that another process has locked. */
export interface Patience {
  /** Milliseconds; `Infinity` for a sender, which goes on when it is back. */
  readonly ms: number;
  /** The same for one that another process has locked; default: `ms`. */
  readonly lockedMs?: number;
  /** Aborts when the command is to end: then the waiting ends soon. */
  readonly signal?: AbortSignal;
  /** The waiting ends at once then, with the exit code of an interrupted command: for who need not write down what is in flight. */
  readonly endsAtOnce?: true;
  /** Told once when the ledger is away, and once when it is back: a sentence without its full stop. */
  readonly say?: (sentence: string) => void;
  /** Told of it when the ledger is away, together with {@link say}. */
  readonly onAway?: (why: LedgerError) => void;
}

/** Of a command that does one thing and ends, for one that is away. */
export const SHORT_PATIENCE: Patience = { ms: 10_000 };

/** Other processes keep a ledger locked for a short transaction at most; a job that is imported may take longer. In milliseconds. */
export const LOCKED_MS = 20_000;

/** Of a command that does one thing and ends: it says what it waits for, and an interruption ends the waiting. */
export function commandPatience(signal: AbortSignal, say: (sentence: string) => void): Patience {
  return { ...SHORT_PATIENCE, lockedMs: LOCKED_MS, signal, endsAtOnce: true, say };
}

/** While a ledger is opened nothing is in flight: an interruption ends the waiting at once, and also a sender's ends. */
export function openingPatience(patience: Patience): Patience {
  const { ms, lockedMs = ms } = patience;
  const shorter = { ms: Math.min(ms, SHORT_PATIENCE.ms), lockedMs: Math.min(lockedMs, LOCKED_MS) };
  return { ...patience, ...shorter, endsAtOnce: true };
}

export interface LedgerContext {
  readonly clock: Clock;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whose process this is, `user@host`: people are told who has a lease. */
  readonly holder: string;
  /** While the ledger is opened, it is as {@link openingPatience} says. */
  readonly patience?: Patience;
}
