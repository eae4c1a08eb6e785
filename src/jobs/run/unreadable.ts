import { CommandError } from '../../errors.ts';

/** The outcome queue cannot be read. A command that can do without it need not end. */
export class OutcomesUnreadable extends CommandError {
  override readonly name = 'OutcomesUnreadable';
}
