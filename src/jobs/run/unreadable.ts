import { CommandError } from '../../errors.ts';

/** The outcome queue cannot be read: no reason to end for a command that can do without. */
export class OutcomesUnreadable extends CommandError {
  override readonly name = 'OutcomesUnreadable';
}
