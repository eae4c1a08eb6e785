/** Who changes something, and why: what every log of changes says. */
import { type Command, InvalidArgumentError } from 'commander';
import { isReason, MAX_REASON } from '../text/reason.ts';
import type { CommandContext } from './context.ts';

const MAX_WHO = 200;

export interface ReasonFlags {
  readonly reason?: string;
  readonly by?: string;
}

export function addReasonOptions(command: Command): Command {
  return command
    .option('--reason <text>', 'the reason, for the log of changes', readReason)
    .option('--by <name>', 'your name, for the log of changes (default: the user and the machine)');
}

/** @throws InvalidArgumentError, of which commander makes a misuse. */
export function readReason(text: string): string {
  const reason = text.trim();
  if (isReason(reason)) return reason;
  throw new InvalidArgumentError(`It must be a text of 1 to ${MAX_REASON} characters.`);
}

/** `ann@ops1`: the name given, or that of the user, on this machine. */
export function whoIs(context: Pick<CommandContext, 'userName' | 'hostName'>, by?: string): string {
  return `${by?.trim() || context.userName()}@${context.hostName()}`.slice(0, MAX_WHO);
}
