/** A trace for a person. PURE. */
import { hang, widthOf } from '../text/layout.ts';
import { counted, number } from '../text/numbers.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import type { CommandLine } from '../text/shell.ts';
import { instant } from '../text/times.ts';
import { compare, type SourceReport, type Trace } from './trace.ts';
import { type KnownUpdate, whyText } from './updates.ts';

/** Steps of one update that are shown: the first and the latest. JSON has all. */
const FIRST_STEPS = 3;
const LAST_STEPS = 9;

/** @param columns of the terminal; undefined where there is none. */
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

function taskLines({ identifier, task, updates }: Trace, width: number): string[] {
  const head = `Task ${identifier}`;
  if (task === undefined) return [`${head}: what it holds now was not read`];
  if (task === 'gone') return [`${head}: the API has no such task`];
  const lines = [
    `${head} now`,
    row('Status', shown(task.Status ?? 'not told'), width),
    ...compare(task, updates).map(({ field, now, set }) =>
      row(field, `${shown(now)}${setText(now, set)}`, width),
    ),
  ];
  if (task.LastUpdatedAt !== undefined)
    lines.push(row('last updated', instant(task.LastUpdatedAt.getTime()), width));
  return lines;
}

function setText(now: string, set: ReturnType<typeof compare>[number]['set']): string {
  if (set === undefined) return '';
  const when = set.by.at === undefined ? '' : ` of ${instant(set.by.at)}`;
  return now === set.value
    ? `, as the update${when} set it`
    : `: not what the update${when} set (${shown(set.value)}), so something else has set it since`;
}

function shown(value: string): string {
  return value === '' ? '(empty)' : shortPrintable(value, 260);
}

function updateLines(update: KnownUpdate, width: number): string[] {
  const { values, letters, steps, messageIds, jobId, row: place, requestId, end } = update;
  const head = hang(
    `${update.at === undefined ? 'at no known time   ' : instant(update.at)}  `,
    endText(update),
    width,
  );
  const origin = [
    jobId === undefined ? 'of no job' : `job ${printable(jobId)}`,
    place === undefined ? undefined : `row ${number(place)}`,
    requestId === undefined ? undefined : `RequestId ${printable(requestId)}`,
  ].filter((part) => part !== undefined);
  const lines = [head, row('from', origin.join(', '), width)];
  if (messageIds.length > 0) lines.push(row('message', printable(messageIds.join(', ')), width));
  if (values !== undefined) lines.push(row('sets', valuesText(values), width));
  if (end?.error?.message) lines.push(row('said', shortPrintable(end.error.message, 500), width));
  if (end?.note !== undefined) lines.push(row('note', printable(end.note), width));
  for (const { messageId, arrivedAt, redriveCount } of letters) {
    const again = redriveCount === 0 ? '' : `, redriven ${redriveCount} times before`;
    lines.push(row('letter', `${printable(messageId)}, there since ${instant(arrivedAt)}${again}`, width));
  }
  const [first, rest] = [steps.slice(0, FIRST_STEPS), steps.slice(FIRST_STEPS)];
  const left = rest.length - LAST_STEPS;
  for (const step of first) lines.push(stepLine(step, width));
  if (left > 0) lines.push(`  … ${counted(left, 'step')} more: --json has them`);
  for (const step of rest.slice(-LAST_STEPS)) lines.push(stepLine(step, width));
  return lines;
}

function endText({ end, open }: KnownUpdate): string {
  if (end === undefined || (open !== undefined && end.at === undefined)) return openText[open ?? 'unknown'];
  const when = end.at === undefined ? '' : ` ${instant(end.at)}`;
  const calls = end.attempts === undefined || end.attempts < 2 ? '' : `, ${counted(end.attempts, 'call')}`;
  const ended = `${endNames[end.state]}${when}${printable(whyText(end))}${calls}`;
  return open === undefined ? ended : `${openText[open]}; before: ${ended}`;
}

const endNames = {
  applied: 'applied',
  superseded: 'superseded by a newer one',
  'dead-lettered': 'dead-lettered',
  refused: 'refused by SQS',
  'not-sent': 'not sent: its job was cancelled',
  'left-out': 'not sent: left out by the plan',
} as const satisfies Record<NonNullable<KnownUpdate['end']>['state'], string>;

const openText = {
  planned: 'not sent yet',
  sending: 'being sent, or about to be when its command ended',
  sent: 'sent; no end is known yet',
  unknown: 'no end is known',
} as const;

function valuesText({ Description, TaskConfigurationId }: NonNullable<KnownUpdate['values']>): string {
  const parts = [
    Description === undefined ? undefined : `Description ${shown(Description)}`,
    TaskConfigurationId === undefined ? undefined : `TaskConfigurationId ${shown(TaskConfigurationId)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'nothing that could be read' : parts.join('; ');
}

function stepLine({ at, source, what }: KnownUpdate['steps'][number], width: number): string {
  return hang(`  ${instant(at)}  `, `${shortPrintable(what, 400)} (${sourceNames[source]})`, width);
}

const sourceNames = {
  ledger: 'ledger',
  'dead-letters': 'dead letters',
  log: 'log',
  task: 'live task',
} as const satisfies Record<SourceReport['source'], string>;

const states = {
  read: '',
  'in-part': 'read in part: ',
  failed: 'NOT READ: ',
  'not-asked': 'not read: ',
} as const satisfies Record<SourceReport['state'], string>;

function sourceLine({ source, state, what }: SourceReport, width: number): string {
  return row(sourceNames[source], `${states[state]}${printable(what)}`, width);
}

function nextLines(identifier: string, updates: readonly KnownUpdate[], commandLine: CommandLine): string[] {
  const lines: string[] = [];
  if (updates.some(({ letters }) => letters.length > 0))
    lines.push(`next: ${commandLine('dead-letters', 'show', identifier)}`);
  const open = updates.find(({ open, jobId }) => open !== undefined && jobId !== undefined);
  if (open?.jobId !== undefined) lines.push(`next: ${commandLine('jobs', 'status', open.jobId)}`);
  return lines;
}

/** A name and what it holds, which goes on below itself. */
function row(name: string, value: string, width: number): string {
  return hang(`  ${name.padEnd(20)}`, value, width);
}
