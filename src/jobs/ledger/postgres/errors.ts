/** Faults of a ledger in PostgreSQL, as sentences. PURE. */
import { causeOf, errorCode, exitCodes, messageOf } from '../../../errors.ts';
import { printable } from '../../../text/printable.ts';
import { remoteText } from '../../../text/remote.ts';
import { LedgerBusyError, LedgerError, LedgerTakesNoChanges } from '../shared/error.ts';

/** Error codes of the system, and classes and codes of PostgreSQL (postgresql.org/docs/current/errcodes-appendix.html). */
const away =
  /^(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EMFILE|ENFILE|08...|57P0[1-5]|53300|25P03|25006)$/;
/** Messages of the library for a connection that ended or was never made; these errors have no code. */
const awayTexts =
  /^(?:Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed)/;
const LOCK_NOT_AVAILABLE = '55P03';
const CONFLICT = /^(?:40001|40P01)$/;

/** Whether the server cannot be reached, or takes no work for now. Says nothing about whether the last request was carried out. */
export function isAway(error: unknown): boolean {
  const code = errorCode(error);
  return code === undefined ? awayTexts.test(messageOf(error)) : isLocked(error) || away.test(code);
}

/** Whether the lock that was needed stayed taken for as long as the session waits: nothing was done. */
export function isLocked(error: unknown): boolean {
  return errorCode(error) === LOCK_NOT_AVAILABLE;
}

/** Whether transactions conflicted: this one did nothing and can be run again at once. */
export function isConflict(error: unknown): boolean {
  return CONFLICT.test(errorCode(error) ?? '');
}

/** Why the server cannot be reached, as a phrase. */
export function causeOfAway(error: unknown): string {
  const code = errorCode(error);
  // System error codes begin with E; PostgreSQL's own messages are used as they are.
  return code?.startsWith('E') ? causeOf(error) : printable(remoteText(messageOf(error)));
}

/** The server stayed away for as long as the command waits. @param place `postgres://host:5432/database`. */
export function awayError(place: string, error: unknown, waitedMs: number): LedgerError {
  if (isLocked(error))
    return new LedgerBusyError(
      `The ledger ${place} is locked by another process (${causeOfAway(error)}). It was tried for ${Math.round(waitedMs / 1_000)} s, ` +
        'and the waiting request was not carried out. Run the command again when that process has ended.',
      error,
    );
  return new LedgerError(
    `The ledger ${place} cannot be reached: ${causeOfAway(error)}. It was tried for ${Math.round(waitedMs / 1_000)} s. ` +
      'Start that PostgreSQL, or set LEDGER_URL to the right one, and run the command again: what it holds is kept.',
    error,
    exitCodes.misuse,
  );
}

const DISK_FULL = '53100';

/** An error of PostgreSQL, or of the connection to it, as a LedgerError; any other error as it is. */
export function explainPostgres(error: unknown, place: string): unknown {
  if (error instanceof LedgerError) return error;
  const code = errorCode(error);
  const said = printable(remoteText(messageOf(error)));
  const found = code === undefined ? byText(said) : byCode(code, said);
  if (found === undefined) return error;
  const { sentence, wrongSetting = false } = found;
  const exitCode = wrongSetting ? exitCodes.misuse : exitCodes.failed;
  const Kind = code === DISK_FULL ? LedgerTakesNoChanges : LedgerError;
  return new Kind(`The ledger ${place} ${sentence}.`, error, exitCode);
}

interface Explained {
  readonly sentence: string;
  /** LEDGER_URL is invalid. */
  readonly wrongSetting?: boolean;
}

function byText(said: string): Explained | undefined {
  if (!/SSL|SASL|SCRAM|password|certificate/.test(said)) return undefined;
  return {
    sentence: `cannot be opened: ${said.replace(/\.$/, '')}. Correct user, password and sslmode in LEDGER_URL`,
    wrongSetting: true,
  };
}

function byCode(code: string, said: string): Explained | undefined {
  if (/^28/.test(code)) {
    const sentence = `refuses this user (${said}). Correct user and password in LEDGER_URL, or allow the user in pg_hba.conf`;
    return { sentence, wrongSetting: true };
  }
  if (code === '3D000') {
    const sentence = `has no such database (${said}). Create it (\`createdb\`), or correct LEDGER_URL`;
    return { sentence, wrongSetting: true };
  }
  if (code === '42501') {
    return {
      sentence: `denies this request to its user (${said}). GRANT that user what the operations page lists, or use another one in LEDGER_URL`,
    };
  }
  if (/^53[12]00$/.test(code))
    return {
      sentence: `has no space left (${said}). What it holds is kept: free space on the server and run the command again`,
    };
  if (code === '42P01' || code === '42703' || code === '3F000')
    return { sentence: `is incomplete (${said}). Restore a backup of its schema` };
  if (/^(?:XX|58)/.test(code))
    return { sentence: `cannot be used: its server has a fault (${said}). Look at the server's log` };
  if (/^(?:ERR_TLS|CERT|DEPTH|SELF|UNABLE|ERR_SSL)/.test(code))
    return {
      sentence: `cannot be opened over TLS (${said}). Correct sslmode and sslrootcert in LEDGER_URL`,
      wrongSetting: true,
    };
  // Five characters: a code of PostgreSQL's own.
  return /^[0-9A-Z]{5}$/.test(code) ? { sentence: `cannot be used (${said})` } : undefined;
}
