/** Faults of a ledger, as sentences. PURE. */
import { CommandError, exitCodes } from '../../../errors.ts';

/** The ledger, or something that belongs to it, cannot be used. The message says which, why, and what to do. */
export class LedgerError extends CommandError {
  override readonly name: string = 'LedgerError';

  /** @param cause the database's own error. */
  constructor(message: string, cause?: unknown, exitCode?: number) {
    super(message, exitCode);
    this.cause = cause;
  }
}

/** The ledger was lost before it answered: the last request may have been carried out. */
export class LedgerOutcomeUnknown extends LedgerError {
  override readonly name = 'LedgerOutcomeUnknown';
  /** The fault of the ledger, without its consequence for the request: a sentence without its full stop. */
  readonly why: string;

  /** @param what `The ledger /x/y`. @param why a phrase without its full stop. */
  constructor(what: string, why: string, cause?: unknown) {
    super(
      `${what} ${why}: it is not known whether the last request was carried out. Check before you repeat it.`,
      cause,
    );
    this.why = `${what} ${why}`;
  }
}

/** The user interrupted a command that waited for the ledger. */
export class LedgerInterrupted extends LedgerError {
  /** @param what `The ledger /x/y`. @param isKnown whether it is known that the request was not carried out. */
  constructor(what: string, isKnown = true) {
    const known = `Interrupted. ${what} was not available: the waiting request was not carried out, and everything done before is kept.`;
    const unknown = `Interrupted. ${what} has not answered, so it is not known whether the last request was carried out. Check before you repeat it.`;
    super(isKnown ? known : unknown, undefined, exitCodes.interrupted);
  }
}

/** The ledger accepts no changes now. Nothing was changed; the ledger can still be read. */
export class LedgerTakesNoChanges extends LedgerError {}

/** The ledger accepts no changes because another process has it locked. */
export class LedgerBusyError extends LedgerTakesNoChanges {}

/** For text that the ledger did not write this way: a database detects damage to its pages, but not to the values in them. */
export function damagedValue(): LedgerError {
  return new LedgerError(
    'The ledger is damaged: it holds text in place of JSON. Restore an earlier copy of it.',
  );
}
