/** Who changes something, and why: recorded in every log of changes. */
import { type Command, InvalidArgumentError } from 'commander';
import { isReason, isVisible, MAX_REASON } from '../text/reason.ts';
import type { CommandContext } from './context.ts';

const MAX_WHO = 200;

export interface ReasonFlags {
  readonly reason?: string;
  readonly by?: string;
}

/** For every command that changes stored data. @param required whether a reason must be given. */
export function addReasonOptions(command: Command, { required = false } = {}): Command {
  const reason = ['--reason <text>', 'the reason, for the log of changes', readReason] as const;
  return (required ? command.requiredOption(...reason) : command.option(...reason)).option(
    '--by <name>',
    'your name, for the log of changes (default: the user and the machine)',
    readName,
  );
}

/** Who does it and why, from the flags of {@link addReasonOptions}. */
export function deedOf(
  context: Pick<CommandContext, 'userName' | 'hostName'>,
  { by, reason }: ReasonFlags,
): { readonly who: string; readonly why?: string } {
  return { who: whoIs(context, by), ...(reason !== undefined && { why: reason }) };
}

/** @throws InvalidArgumentError, which commander reports as a misuse. */
function readReason(text: string): string {
  const reason = text.trim();
  if (isReason(reason)) return reason;
  throw new InvalidArgumentError(`It must be a visible text of 1 to ${MAX_REASON} characters.`);
}

/** A blank name counts as none. @throws InvalidArgumentError */
function readName(text: string): string {
  if (text.trim() === '' || isVisible(text)) return text;
  throw new InvalidArgumentError('It must be a visible name.');
}

/** `ann@ops1`: the given name, or the user's, at this machine. */
export function whoIs(context: Pick<CommandContext, 'userName' | 'hostName'>, by?: string): string {
  return `${by?.trim() || context.userName()}@${context.hostName()}`.slice(0, MAX_WHO);
}
