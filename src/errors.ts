/** How a command ends early: it throws one of these errors, and the user sees only the message. */
import { getSystemErrorMap } from 'node:util';

/** Exit codes of every command (docs/reference). */
export const exitCodes = {
  done: 0,
  failed: 1,
  misuse: 2,
  someRefused: 3,
  stoppedEarly: 4,
  interrupted: 130,
  /** After a second SIGTERM. */
  terminated: 143,
} as const;

/** An error that the user caused or can fix. The message is printed as it is, without a stack. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A flag, a file or a setting is invalid, and nothing was done. */
export function misuse(message: string): CommandError {
  return new CommandError(message, exitCodes.misuse);
}

/** The message of `error`, even if it is not an Error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Plain meanings of system error codes. For codes not listed here, the system's own words are used. */
const causes: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'the port is in use already',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAI_AGAIN: 'the name could not be resolved now',
  EBUSY: 'another process uses it',
  ECONNABORTED: 'the connection was cut off',
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the other side closed the connection',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it exists already',
  EFBIG: 'the file would become too large for the system',
  EHOSTUNREACH: 'the host cannot be reached',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a symbolic link, or the path has symbolic links that lead in a circle',
  EMFILE: 'this process has too many files open',
  ENETUNREACH: 'the network cannot be reached',
  ENFILE: 'the system has too many files open',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a folder',
  ENOTFOUND: 'the name does not resolve',
  EPERM: 'not permitted',
  EPIPE: 'the reader has closed it',
  EROFS: 'the file system is read-only',
  ETIMEDOUT: 'no answer in time',
};

/**
 * Why `error` happened, as a phrase for a sentence: `the disk is full (ENOSPC)`. For an error that does not come
 * from the system, its message.
 */
export function causeOf(error: unknown): string {
  const code = errorCode(error);
  if (code === undefined) return messageOf(error);
  const phrase = causes[code] ?? phraseOf(code) ?? messageOf(error);
  return `${phrase} (${code})`;
}

function phraseOf(code: string): string | undefined {
  return new Map(getSystemErrorMap().values()).get(code);
}

/** The system's own code of an error (`ENOENT`, `ECONNREFUSED`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, info } = error as { code?: unknown; info?: unknown };
  // Node's SystemError keeps the system's code one level deeper.
  if (code === 'ERR_SYSTEM_ERROR') return errorCode(info);
  return typeof code === 'string' ? code : undefined;
}
