/** The former name of the command context, until every command takes {@link CommandContext}. */
import type { CommandContext } from './context.ts';

export { CommandError } from '../errors.ts';

export type CommandIo = Omit<CommandContext, 'cwd' | 'clock' | 'random' | 'sleep' | 'userName'>;
