/** Leave to change something: a reason, a name, and a typed word or `--yes`. */

import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { type AuditFacts, type AuditLog, openAudit } from '../changes/audit.ts';
import { type LettersContext, type LettersSurroundings, misuse } from './context.ts';

export interface ChangeFlags {
  readonly where: readonly string[];
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  readonly by?: string;
  readonly json?: boolean;
}

/** @throws CommandError for flags that leave open what is meant, or why. */
export function checkChangeFlags({ where, all, yes, reason }: ChangeFlags): void {
  if (where.length === 0 && all !== true) throw misuse('Say which letters: --where FIELD=VALUE, or --all.');
  if (where.length > 0 && all === true) throw misuse('--all and --where contradict each other.');
  if (yes === true && (reason ?? '').trim() === '') throw misuse('--yes needs --reason "…": it is logged.');
}

/** Whether a person can be asked: at a terminal, on both ends. */
export function canAsk(io: CommandIo, { reason, json }: ChangeFlags): boolean {
  return (
    io.isTerminal &&
    (io.stdin as { isTTY?: boolean }).isTTY === true &&
    (reason ?? '').trim() !== '' &&
    json !== true
  );
}

/** Asks for `phrase` to be typed; anything else, the end of the input and an interruption are a no. */
export async function ask(io: CommandIo, phrase: string, signal: AbortSignal): Promise<boolean> {
  io.stderr.write(`Type "${phrase}" to go on: `);
  const lines = createInterface({ input: io.stdin, signal });
  try {
    for await (const line of lines) return line.trim() === phrase;
    return false;
  } catch {
    return false;
  } finally {
    // What comes next is not to stand behind the prompt.
    if (signal.aborted) io.stderr.write('\n');
    lines.close();
  }
}

/** How a command ends that was not told to go on. */
export function nothingChanged(signal: AbortSignal): CommandError {
  if (!signal.aborted) return new CommandError('Nothing was changed.');
  return new CommandError('Interrupted. Nothing was changed.', exitCodes.interrupted);
}

/**
 * Opens the log of changes.
 * @throws AuditError when it cannot be written: what cannot be logged is not done.
 */
export async function openLog(
  action: AuditFacts['action'],
  { reason = '', by }: ChangeFlags,
  io: CommandIo,
  { config, surroundings: { clock } }: LettersContext,
  { userName }: LettersSurroundings,
): Promise<AuditLog> {
  const who = by ?? io.env.USER ?? io.env.LOGNAME ?? userName();
  const facts = { run: randomUUID(), action, by: who, reason: reason.trim() };
  return openAudit(config.stateDir, facts, clock.wall);
}
