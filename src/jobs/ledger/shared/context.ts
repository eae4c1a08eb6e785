/** What a ledger needs of the process that opens it. */
import type { Clock } from '../../../time/clock.ts';
import type { LedgerError } from './error.ts';

/** How long a command waits for a ledger that is away, or that another process has locked. */
export interface Patience {
  /** Milliseconds; `Infinity` for a sender, which goes on when it is back. */
  readonly ms: number;
  /** Aborts when the command is to end: then the waiting ends soon. */
  readonly signal?: AbortSignal;
  /** Told once when the ledger is away, and once when it is back: a sentence without its full stop. */
  readonly say?: (sentence: string) => void;
  /** Told of it when the ledger is away, together with {@link say}. */
  readonly onAway?: (why: LedgerError) => void;
}

/** Of a command that does one thing and ends, for one that is away. */
export const SHORT_PATIENCE: Patience = { ms: 10_000 };

export interface LedgerContext {
  readonly clock: Clock;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whose process this is, `user@host`: people are told who has a lease. */
  readonly holder: string;
  /** While the ledger is opened, it is {@link SHORT_PATIENCE} at most. */
  readonly patience?: Patience;
}
