/** What a ledger needs from the process that opens it. */
import type { Clock } from '../../../time/clock.ts';
import type { LedgerError } from './error.ts';

/** How long a command waits for a ledger that is away, or that another process has locked. */
export interface Patience {
  /** Milliseconds; `Infinity` for a sender, which continues when the ledger is back. */
  readonly ms: number;
  /** How long to wait while another process has the ledger locked; default: `ms`. */
  readonly lockedMs?: number;
  /** Aborts when the command is to end: the wait then ends soon. */
  readonly signal?: AbortSignal;
  /**
   * On that signal the wait ends at once, with the exit code of an interrupted command: for callers with nothing in flight to
   * record.
   */
  readonly endsAtOnce?: true;
  /** Called once when the ledger is away, and once when it is back, with a sentence without its full stop. */
  readonly say?: (sentence: string) => void;
  /** Called together with {@link say} when the ledger is away. */
  readonly onAway?: (why: LedgerError) => void;
}

/** For a command that does one thing and ends: how long it waits for a ledger that is away. */
export const SHORT_PATIENCE: Patience = { ms: 10_000 };

/** Usually other processes lock a ledger for a short transaction; importing a job may take longer. In milliseconds. */
export const LOCKED_MS = 20_000;

/** For a command that does one thing and ends: it says what it waits for, and an interruption ends the wait. */
export function commandPatience(signal: AbortSignal, say: (sentence: string) => void): Patience {
  return { ...SHORT_PATIENCE, lockedMs: LOCKED_MS, signal, endsAtOnce: true, say };
}

/** Nothing is in flight while a ledger is opened: an interruption ends the wait at once, also for a sender. */
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
  /** `user@host` of this process, shown to people as the holder of a lease. */
  readonly holder: string;
  /** While the ledger is being opened, {@link openingPatience} applies to it. */
  readonly patience?: Patience;
}
