/** A status on a terminal, designed for 80 columns and 24 lines. PURE. */
import { clip, hang, table, WIDTH, widthOf } from '../text/layout.ts';
import { counted, number } from '../text/numbers.ts';
import { printable } from '../text/printable.ts';
import type { CommandLine } from '../text/shell.ts';
import { instant, roughDuration } from '../text/times.ts';
import { problemText, statusRows, workerCells, workerHead } from './rows.ts';
import type { Status } from './status.ts';

/** The most workers shown while the screen is redrawn repeatedly. */
const MAX_WORKERS = 4;
const MAX_PROBLEMS = 3;

/** The complete status. @param more lines before the next step. */
export function statusText(
  status: Status,
  columns: number | undefined,
  commandLine: CommandLine,
  more: readonly string[] = [],
): string {
  const { workers, problems, now } = status;
  const blocks = [
    head(status, columns),
    workers.length === 0 ? [] : workerLines(status, workers.length, columns),
    problems.map((problem) => hang('! ', printable(problemText(problem, now)), widthOf(columns))),
    more,
    nextLines(status, commandLine),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** As much of it as a terminal of 24 lines shows, for a screen that is redrawn in place. */
export function statusBlock(status: Status, columns: number): string[] {
  const { workers, problems, now } = status;
  const lines = [
    ...head(status, WIDTH).flatMap((line) => line.split('\n')),
    ...(workers.length === 0 ? [] : ['', ...workerLines(status, MAX_WORKERS, columns)]),
    ...problems.slice(0, MAX_PROBLEMS).map((problem) => `! ${printable(problemText(problem, now))}`),
  ];
  if (problems.length > MAX_PROBLEMS)
    lines.push(`! and ${number(problems.length - MAX_PROBLEMS)} more: \`status\` shows all`);
  return lines.map((line) => clip(line, columns - 1));
}

/** The status on one line, for a log. */
export function statusLine({ now, verdict, totals, backlog, drain }: Status): string {
  const parts = [
    `${instant(now)} ${verdict.sentence}`,
    `${totals.callsPerSecond} calls/s`,
    backlog === undefined ? 'backlog not known' : `backlog about ${number(backlog)}`,
    ...('seconds' in drain && drain.seconds > 0 ? [`${roughDuration(drain.seconds)} to drain`] : []),
    `${number(totals.held)} held`,
  ];
  return printable(parts.join('; '));
}

function head(status: Status, columns: number | undefined): string[] {
  const { now, verdict } = status;
  const width = widthOf(columns);
  return [
    hang('', `${printable(verdict.sentence)}.`, width),
    `${instant(now)} UTC`,
    ...statusRows(status).map(([name, value]) => hang(`  ${name.padEnd(14)}`, printable(value), width)),
  ];
}

function workerLines({ workers, now }: Status, max: number, columns: number | undefined): string[] {
  const shown = workers.slice(0, max).map((worker) => workerCells(worker, now).map(printable));
  const lines = table([workerHead, ...shown], columns, [2, 3]);
  const more = workers.length - shown.length;
  return more > 0 ? [...lines, `and ${counted(more, 'more worker', 'more workers')}`] : lines;
}

function nextLines({ next }: Status, commandLine: CommandLine): string[] {
  return next === undefined ? [] : [`next: ${commandLine(...next)}`];
}
