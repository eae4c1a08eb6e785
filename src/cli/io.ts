/** What a command may touch of the process it runs in, and how it ends. */
import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config.ts';

export interface CommandIo {
  readonly env: Environment;
  readonly stdin: Readable;
  /** Results only. */
  readonly stdout: Writable;
  /** Everything else. */
  readonly stderr: Writable;
  /** True when stderr is a terminal: progress bars are drawn only then. */
  readonly isTerminal: boolean;
  /** Runs `listener` on SIGINT and SIGTERM; the answer takes it off again. */
  readonly onSignal: (listener: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void;
  /** Leaves at once, whatever is under way. */
  readonly exitNow: (code: number) => void;
  /** Set by a command when it ends. */
  exitCode: number;
}

/** Exit codes of design 2.6. */
export const exitCodes = {
  done: 0,
  failed: 1,
  misuse: 2,
  someRefused: 3,
  stoppedByThreshold: 4,
  interrupted: 130,
  /** A second SIGTERM: left at once. */
  terminated: 143,
} as const;

/** A failure the user can mend: printed as its message alone, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
