/** How enqueueing ends early: the two ways that a user can mend. The messages are whole sentences, fit to print. */

/** The file or a flag is not what it should be: misuse, and nothing was sent. */
export class InputFault extends Error {
  override readonly name = 'InputFault';
}

/** The input is good and the surroundings are not: a full disk, a file that changes under our hands. */
export class EnqueueFailure extends Error {
  override readonly name = 'EnqueueFailure';
}

/** The system's own code of an error (`ENOENT`, `ECONNREFUSED`), when it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
