/** The result of making a plan: a block of text, or one JSON object. */

import { changesJson, sideBySide } from '../../configs/view.ts';
import { countLine, hang, widthOf } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { jsonLine, printable } from '../../text/printable.ts';
import type { CommandLine } from '../../text/shell.ts';
import type { MeasuredRate } from '../ledger/job.ts';
import type { ConfigurationChange } from './configuration-changes.ts';
import type { LineCount } from './counted-lines.ts';
import type { PlanCounts } from './format.ts';
import type { ReasonCount } from './refused.ts';
import { secondsFor, timeNote } from './time-note.ts';
import { undoNote } from './undo-note.ts';

export interface PlanReport {
  readonly jobId: string;
  /** The source of the rows. */
  readonly source: string;
  /** From a file, from live tasks, or from a job to be undone. */
  readonly kind: 'file' | 'live' | 'undo';
  /** Number of rows, or live tasks, looked at. */
  readonly rows: number;
  /** The plan, named as the user would write it; undefined if there is nothing to change, and therefore no plan. */
  readonly plan: string | undefined;
  /** An earlier plan of that name that was removed because there is nothing to change. */
  readonly removed: string | undefined;
  readonly counts: PlanCounts;
  readonly duplicateIdentifiers: number;
  /** Rows that were planned although GetOtaTask could not read their task. */
  readonly unread: number;
  /** Rows to change whose former values are all known. */
  readonly undoable: number;
  /** How fast the rows of the latest jobs ended; undefined if that was not measured. */
  readonly measured: MeasuredRate | undefined;
  /** Whether the tasks were read. */
  readonly refreshed: boolean;
  readonly refusedFile: string | undefined;
  /** Most frequent first. */
  readonly reasons: readonly ReasonCount[];
  /** The replaced task configurations of the rows to change, with their replacements; those with the most rows first. */
  readonly configurations: readonly ConfigurationChange[];
  /** Rows of further pairs of configurations. */
  readonly otherConfigurations: number;
  /** Whether every configuration that is set was looked up; undefined: none is set. */
  readonly looked: boolean | undefined;
  /** Rows to change by the status of their task, as far as tasks were read. */
  readonly statuses: readonly LineCount[];
  /** Calls per second; `Infinity` for no limit. */
  readonly rateLimit: number;
  /** The file's separator and encoding, unless they are comma and UTF-8. */
  readonly form: string | undefined;
  /** Rows of the file that `--where` left out. */
  readonly leftOut: number;
  readonly warnings: readonly string[];
}

/** Number of reasons in the summary, and of lines for each. */
const SHOWN_REASONS = 5;
const SHOWN_LINES = 2;

/**
 * The report for people, ending in a line feed. Nothing in it can control a terminal.
 * @param columns the terminal's width; undefined without a terminal.
 */
export function planText(report: PlanReport, commandLine: CommandLine, columns?: number): string {
  const width = widthOf(columns);
  const line = (name: string, count: number, note = ''): string => countLine(name, count, note, columns);
  const { counts, plan, refusedFile } = report;
  const undo = report.kind === 'undo';
  const read =
    report.kind === 'live' ? `${counted(report.rows, 'task')} listed` : `${counted(report.rows, 'row')} read`;
  const lines = [
    `${printable(report.source)}: ${read}${report.form === undefined ? '' : `, ${printable(report.form)}`}`,
    line(undo ? 'to undo' : 'to change', counts.toChange, plan === undefined ? '' : `in ${printable(plan)}`),
    line(undo ? 'as before' : 'as wanted', counts.alreadyAsWanted, wantedNote(report)),
    line(
      undo ? 'cannot' : 'refused',
      counts.refused,
      refusedFile === undefined ? '' : `in ${printable(refusedFile)}`,
    ),
    ...reasonLines(report.reasons, width),
  ];
  if (report.leftOut > 0) lines.push(line('left out', report.leftOut, 'by --where'));
  if (!undo) lines.push(line('duplicates', counts.duplicates, duplicatesNote(report)));
  if (report.unread > 0) {
    lines.push(line('unread', report.unread, 'GetOtaTask failed; planned without former values'));
  }
  lines.push(...configurationLines(report, commandLine, columns), ...statusLines(report.statuses, width));
  if (counts.toChange > 0) {
    if (!undo) lines.push(hang('  undo          ', undoNote(report.undoable, counts.toChange), width));
    lines.push(hang('  time          ', timeNote(counts.toChange, report.measured, report.rateLimit), width));
  }
  if (report.removed !== undefined)
    lines.push(
      hang(
        'removed: ',
        `the earlier plan ${printable(report.removed)}, which could be mistaken for this one`,
        width,
      ),
    );
  for (const warning of report.warnings) lines.push(hang('warning: ', printable(warning), width));
  lines.push(`next: ${nextStep(report, commandLine)}`);
  return `${lines.join('\n')}\n`;
}

/** The report for scripts: one JSON object on one line. */
export function planJson(report: PlanReport): string {
  const { jobId, plan, source, rows, counts, reasons, rateLimit, warnings } = report;
  const json = {
    jobId,
    plan: plan ?? null,
    removed: report.removed ?? null,
    source,
    form: report.form ?? null,
    rows,
    leftOut: report.leftOut,
    ...counts,
    duplicateIdentifiers: report.duplicateIdentifiers,
    unread: report.unread,
    undoable: report.undoable,
    refreshed: report.refreshed,
    refusedFile: report.refusedFile ?? null,
    reasons,
    configurations: configurationsJson(report),
    otherConfigurations: report.otherConfigurations,
    configurationsLookedAt: report.looked ?? null,
    statuses: report.statuses.map(({ key, count, lines }) => ({ status: key, rows: count, lines })),
    rateLimit: Number.isFinite(rateLimit) ? rateLimit : null,
    measuredRate: report.measured === undefined ? null : Number(report.measured.perSecond.toFixed(1)),
    seconds: secondsFor(counts.toChange, report.measured, rateLimit) ?? null,
    warnings,
  };
  return jsonLine(json);
}

/** The pairs for scripts; `leftOut`: they could have been compared, but were not. */
export function configurationsJson({ configurations }: Pick<PlanReport, 'configurations'>) {
  return configurations.map(({ from, to, rows, settings, leftOut }) => ({
    from: from ?? null,
    to,
    rows,
    settings: settings === undefined ? null : changesJson(settings),
    leftOut: leftOut ?? false,
  }));
}

/** A kind of rows, with some examples. */
function exampleLine(text: string, count: number, lines: readonly number[], width: number): string {
  const some = lines.slice(0, SHOWN_LINES);
  const where = `${some.length === 1 ? 'line' : 'lines'} ${some.join(', ')}`;
  const more = count > some.length ? ', …' : '';
  return hang(`${number(count).padStart(13)}  `, `${printable(text)} (${where}${more})`, width);
}

/** Each pair of configurations with its rows, followed by the settings that differ. */
function configurationLines(
  report: PlanReport,
  commandLine: CommandLine,
  columns: number | undefined,
): string[] {
  const { configurations, looked, otherConfigurations } = report;
  const shown = configurations.slice(0, SHOWN_CONFIGURATIONS).flatMap(({ from, to, rows, settings }) => {
    const before = from === undefined ? '' : `from ${from === '' ? 'none' : printable(from)} `;
    const pair = `${before}to ${printable(to)}`;
    const first = (note: string): string => countLine('configuration', rows, `${pair}${note}`, columns);
    if (looked !== true) return [first(', not checked')];
    if (from === undefined) return [first('; what differs is not known without --refresh')];
    if (settings === undefined) return [first(from === '' ? '' : `; ${printable(from)} could not be read`)];
    if (settings.length === 0) return [first(', which has the same settings')];
    return [first(':'), ...sideBySide([from, to], settings, columns, '      ')];
  });
  const rest = configurations.slice(SHOWN_CONFIGURATIONS);
  const others = rest.reduce((sum, { rows }) => sum + rows, otherConfigurations);
  if (others > 0)
    shown.push(countLine('configuration', others, otherPairs(report, commandLine), widthOf(columns)));
  return shown;
}

const SHOWN_CONFIGURATIONS = 3;

/** How many more pairs there are, and how to see what they change. */
function otherPairs({ configurations, otherConfigurations }: PlanReport, commandLine: CommandLine): string {
  const rest = configurations.slice(SHOWN_CONFIGURATIONS);
  const pairs = `${otherConfigurations > 0 ? 'more than ' : ''}${counted(rest.length, 'more pair')}`;
  const { from, to } = rest.find(({ from: before }) => before !== undefined && before !== '') ?? {};
  if (from === undefined || to === undefined) return `in ${pairs}: see --json`;
  return `in ${pairs}: ${commandLine('configs', 'diff', from, to)} compares one, --json lists them`;
}

/** The only status of tasks whose devices have not begun. */
const NOT_BEGUN = 'SCHEDULED';

function statusLines(statuses: readonly LineCount[], width: number): string[] {
  if (statuses.length === 0) return [];
  const lines = statuses.map(({ key, count, lines: some }) => exampleLine(key, count, some, width));
  if (statuses.some(({ key }) => key !== NOT_BEGUN)) {
    const unknown =
      'unknown: what AWS does with an update of a task that is running, completed or cancelled. It is not documented; ' +
      'all of these rows are in the plan';
    lines.push(hang(' '.repeat(15), unknown, width));
  }
  return ['  task status', ...lines];
}

function reasonLines(reasons: readonly ReasonCount[], width: number): string[] {
  const shown = reasons
    .slice(0, SHOWN_REASONS)
    .map(({ reason, count, lines }) => exampleLine(reason, count, lines, width));
  const others = reasons.slice(SHOWN_REASONS);
  if (others.length > 0) {
    const rows = others.reduce((sum, { count }) => sum + count, 0);
    shown.push(`${number(rows).padStart(13)}  for ${others.length} more reasons`);
  }
  return shown;
}

function wantedNote({ counts, refreshed, kind }: PlanReport): string {
  if (kind === 'undo') return counts.alreadyAsWanted > 0 ? 'nothing to restore, and so left out' : '';
  if (counts.alreadyAsWanted > 0) return 'already, and so left out';
  return refreshed || kind === 'live' ? '' : 'not known without --refresh';
}

function duplicatesNote({ duplicateIdentifiers }: PlanReport): string {
  if (duplicateIdentifiers === 0) return '';
  const what = duplicateIdentifiers === 1 ? 'one Identifier' : `${number(duplicateIdentifiers)} Identifiers`;
  return `of ${what}: the last row of each counts, whole`;
}

function nextStep({ plan, counts, refusedFile, kind, rows }: PlanReport, commandLine: CommandLine): string {
  if (plan !== undefined) return commandLine('jobs', 'apply', plan);
  if (kind === 'undo') return 'nothing: there is nothing that can be restored, and so no plan';
  if (counts.refused > 0) return `fix the rows in ${printable(refusedFile ?? '')}; there is no plan`;
  if (kind === 'live' && counts.alreadyAsWanted === 0) {
    return rows === 0 ? 'nothing: there are no tasks' : 'nothing: no task meets the conditions';
  }
  return 'nothing: every task is as wanted, so there is no plan';
}
