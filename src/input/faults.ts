/** The two ways in which sending ends early. Their messages are whole sentences, fit to print. */
import { CommandError, exitCodes } from '../errors.ts';

/** The file or a flag is not what it must be: misuse, and nothing was sent. */
export class InputFault extends CommandError {
  override readonly name = 'InputFault';

  constructor(message: string) {
    super(message, exitCodes.misuse);
  }
}

/** The input is good and something else is not: a full disk, say, or a file that changes while it is read. */
export class EnqueueFailure extends CommandError {
  override readonly name = 'EnqueueFailure';
}

/** The system's own code of an error (`ENOENT`, `ECONNREFUSED`), when it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
