/** A trace for a person. PURE. */
import { hang, widthOf } from '../text/layout.ts';
import { counted } from '../text/numbers.ts';
import type { CommandLine } from '../text/shell.ts';
import { instant } from '../text/times.ts';
import { endText, sourceRow, stepText, taskHead, taskRows, updateRows, updateTime } from './rows.ts';
import type { SourceReport, Trace } from './trace.ts';
import type { KnownUpdate } from './updates.ts';

/** Maximum number of steps shown per update: the first and the latest. JSON has all. */
const FIRST_STEPS = 3;
const LAST_STEPS = 9;

/** @param columns the terminal's width; undefined without a terminal. */
export function traceText(trace: Trace, commandLine: CommandLine, columns?: number): string {
  const { identifier, updates, sources } = trace;
  const width = widthOf(columns);
  const blocks = [
    taskLines(trace, width),
    [`${updates.length === 0 ? 'No update' : counted(updates.length, 'update')} of it known; times in UTC`],
    ...updates.map((update) => updateLines(update, width)),
    sources.map((source) => sourceLine(source, width)),
    nextLines(identifier, updates, commandLine),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function taskLines(trace: Trace, width: number): string[] {
  return [taskHead(trace), ...taskRows(trace).map(([name, value]) => row(name, value, width))];
}

function updateLines(update: KnownUpdate, width: number): string[] {
  const { steps } = update;
  const lines = [
    hang(`${updateTime(update)}  `, endText(update), width),
    ...updateRows(update).map(([name, value]) => row(name, value, width)),
  ];
  const [first, rest] = [steps.slice(0, FIRST_STEPS), steps.slice(FIRST_STEPS)];
  const left = rest.length - LAST_STEPS;
  for (const step of first) lines.push(stepLine(step, width));
  if (left > 0) lines.push(`  … ${counted(left, 'step')} more: --json has them`);
  for (const step of rest.slice(-LAST_STEPS)) lines.push(stepLine(step, width));
  return lines;
}

function stepLine(step: KnownUpdate['steps'][number], width: number): string {
  return hang(`  ${instant(step.at)}  `, stepText(step), width);
}

function sourceLine(report: SourceReport, width: number): string {
  const [name, value] = sourceRow(report);
  return row(name, value, width);
}

function nextLines(identifier: string, updates: readonly KnownUpdate[], commandLine: CommandLine): string[] {
  const lines: string[] = [];
  if (updates.some(({ letters }) => letters.length > 0))
    lines.push(`next: ${commandLine('dead-letters', 'show', identifier)}`);
  const open = updates.find(({ open, jobId }) => open !== undefined && jobId !== undefined);
  if (open?.jobId !== undefined) lines.push(`next: ${commandLine('jobs', 'status', open.jobId)}`);
  return lines;
}

/** A name and its value, wrapped with the lines aligned. */
function row(name: string, value: string, width: number): string {
  return hang(`  ${name.padEnd(20)}`, value, width);
}
