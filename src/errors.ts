/** How a command ends early: it throws one of these, and its message is all that the user sees. */

/** Exit codes of every command (docs/reference). */
export const exitCodes = {
  done: 0,
  failed: 1,
  misuse: 2,
  someRefused: 3,
  stoppedByThreshold: 4,
  interrupted: 130,
  /** After a second SIGTERM. */
  terminated: 143,
} as const;

/** An error that the user can fix or has caused: its message is printed as it is, without a stack. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A flag, a file or a setting is not what it must be; nothing was done. */
export function misuse(message: string): CommandError {
  return new CommandError(message, exitCodes.misuse);
}

/** What `error` says, also when it is no Error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's own code of an error, or else what it says. */
export function causeOf(error: unknown): string {
  return errorCode(error) ?? String(error);
}

/** The system's own code of an error (`ENOENT`, `ECONNREFUSED`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
