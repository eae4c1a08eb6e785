/** What is wrong with a ledger, as a sentence. PURE. */
import { CommandError, exitCodes } from '../../../errors.ts';

/** The ledger itself, or what belongs to it, cannot be used. Its message says which, why, and what to do. */
export class LedgerError extends CommandError {
  override readonly name: string = 'LedgerError';

  /** @param cause the database's own error. */
  constructor(message: string, cause?: unknown, exitCode?: number) {
    super(message, exitCode);
    this.cause = cause;
  }
}

/** What the ledger was asked last it may have done: it was lost before it has said so. */
export class LedgerOutcomeUnknown extends LedgerError {
  override readonly name = 'LedgerOutcomeUnknown';
  /** What is wrong with the ledger, without what that means for what it was asked: a sentence without its full stop. */
  readonly why: string;

  /** @param what `The ledger /x/y`. @param why a phrase without its full stop. */
  constructor(what: string, why: string, cause?: unknown) {
    super(
      `${what} ${why}: it is not known whether what it was asked last was done: look before you do it again.`,
      cause,
    );
    this.why = `${what} ${why}`;
  }
}

/** The user has interrupted a command that waited for the ledger. */
export class LedgerInterrupted extends LedgerError {
  /** @param what `The ledger /x/y`. @param isKnown whether it is known that what waited was not done. */
  constructor(what: string, isKnown = true) {
    const known = `Interrupted. ${what} was waited for: what waited was not done, and what was done before is kept.`;
    const unknown = `Interrupted. ${what} has not answered, so that it is not known whether what it was asked last was done: look before you do it again.`;
    super(isKnown ? known : unknown, undefined, exitCodes.interrupted);
  }
}

/** It takes no changes now: nothing was changed, and it may be read all the same. */
export class LedgerTakesNoChanges extends LedgerError {}

/** Since somebody else has it locked. */
export class LedgerBusyError extends LedgerTakesNoChanges {}

/** Of text that is not as the ledger wrote it: a database notices damage to its own pages only, and not to what they hold. */
export function damagedValue(): LedgerError {
  return new LedgerError(
    'The ledger is damaged: it holds text where it had JSON. Restore a copy of it from before that.',
  );
}
