/** Permission to change something (a reason, a name, and a typed word or `--yes`), and the log of what was done. */
import type { Command } from 'commander';
import { ask, canAsk } from '../../cli/ask.ts';
import type { CommandContext } from '../../cli/context.ts';
import { misuse } from '../../cli/flags.ts';
import { addReasonOptions, type ReasonFlags, whoIs } from '../../cli/who.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import type { Audit, AuditFacts } from '../changes/audit.ts';
import { carryOutLogged } from '../desk/carry-out.ts';
import { endUnloggedText } from '../desk/explain.ts';
import type { Filter } from '../letters/conditions.ts';
import type { WhereFlags } from './flags.ts';
import type { LettersRun } from './run.ts';

export interface ChangeFlags extends WhereFlags, ReasonFlags {
  readonly all?: boolean;
  /** A file of letters: only those letters. */
  readonly exported?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function withChangeFlags(command: Command): Command {
  return addReasonOptions(command)
    .option('--all', 'choose every letter')
    .option('--yes', 'make the change without asking')
    .option('--json', 'print one JSON object');
}

/** @throws CommandError if the flags do not make clear which letters are meant, or why. */
export function checkChangeFlags({ where, all, yes, reason, exported }: ChangeFlags): void {
  const given = [
    where.length > 0 && '--where',
    all === true && '--all',
    exported !== undefined && '--exported',
  ];
  const [first, second] = given.filter((flag) => flag !== false);
  if (first === undefined) throw misuse('Say which letters: --where FIELD=VALUE, or --all.');
  if (second !== undefined) throw misuse(`${first} and ${second} contradict each other.`);
  if (yes === true && (reason ?? '').trim() === '') throw misuse('--yes needs --reason "…": it is logged.');
}

interface Planned {
  /** The message ids of the letters that the plan would change. */
  readonly chosen: ReadonlySet<string>;
}

/** Letters that may be changed. */
interface Agreed {
  readonly matches: Filter;
  readonly limit: number;
}

export interface Change<Report extends Planned> {
  readonly action: AuditFacts['action'];
  /** The request, for the log. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** Finds out what would be done, without doing it. */
  readonly plan: () => Promise<Report>;
  /** @param agreed the letters that the plan showed; later ones were not approved. Without a plan, all letters. */
  readonly carryOut: (agreed: Agreed, audit: Audit) => Promise<Report>;
  readonly print: (report: Report) => void;
  /** Turns the end of the change into the end of the command. @throws CommandError if the change was not completed. */
  readonly conclude: (report: Report) => void;
  /** The report, for the log. */
  readonly resultOf: (report: Report) => Readonly<Record<string, unknown>>;
}

/**
 * Without `--yes`, plans, prints the plan and asks; then carries the change out and logs it.
 * @returns the report; undefined if there was nothing to do, or nobody to ask.
 * @throws CommandError if the answer is no, or from `conclude`; AuditError if the log cannot be written before anything is
 * changed: a change that cannot be logged is not made.
 */
export async function makeChange<Report extends Planned>(
  { context, openLog, surroundings: { signal } }: Pick<LettersRun, 'context' | 'openLog' | 'surroundings'>,
  flags: ChangeFlags,
  change: Change<Report>,
): Promise<Report | undefined> {
  let agreed: Agreed = { matches: () => true, limit: Number.POSITIVE_INFINITY };
  if (flags.yes !== true) {
    const plan = await change.plan();
    change.print(plan);
    if (signal.aborted) throw nothingChanged(signal);
    const { chosen } = plan;
    if (chosen.size === 0) return undefined;
    agreed = { matches: ({ message }) => chosen.has(message.messageId), limit: chosen.size };
    if (!mayAsk(context, flags)) {
      context.stderr.write('Dry run: nothing was changed. To do it, add --yes and --reason "…".\n');
      return undefined;
    }
    const phrase = `${change.action} ${chosen.size}`;
    const typed = (answer: string): boolean => answer === phrase;
    if (!(await ask(context, `Type "${phrase}" to continue:`, typed, signal))) throw nothingChanged(signal);
  }
  const { reason = '' } = flags;
  const by = whoIs(context, flags.by);
  const { report, path, endUnlogged } = await carryOutLogged(
    {
      action: change.action,
      asked: change.asked,
      by,
      reason: reason.trim(),
      carryOut: (audit) => change.carryOut(agreed, audit),
      resultOf: change.resultOf,
    },
    openLog,
  );
  change.print(report);
  context.stderr.write(
    endUnlogged === undefined ? `Logged in ${printable(path)}.\n` : `${endUnloggedText(endUnlogged)}.\n`,
  );
  change.conclude(report);
  if (endUnlogged !== undefined) context.exitCode = exitCodes.failed;
  return report;
}

/** Whether a person can be asked, and the flags say what to log. */
function mayAsk(context: CommandContext, { reason, json }: ChangeFlags): boolean {
  return canAsk(context) && (reason ?? '').trim() !== '' && json !== true;
}

function nothingChanged(signal: AbortSignal): CommandError {
  if (!signal.aborted) return new CommandError('Nothing was changed.');
  return new CommandError('Interrupted. Nothing was changed.', exitCodes.interrupted);
}
