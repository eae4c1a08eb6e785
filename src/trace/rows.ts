/** The content of a trace as names and values: for a terminal and for a page. PURE. */
import { counted, number } from '../text/numbers.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import { instant } from '../text/times.ts';
import { compare, type SourceReport, type Trace } from './trace.ts';
import { type KnownUpdate, whyText } from './updates.ts';

/** Already printable. */
export type TraceRow = readonly [name: string, value: string];

/** What the task holds now; no rows if it was not read. */
export function taskRows({ task, updates }: Trace): readonly TraceRow[] {
  if (task === undefined || task === 'gone') return [];
  const rows: TraceRow[] = [
    ['Status', shown(task.Status ?? 'not given')],
    ...compare(task, updates).map(
      ({ field, now, set }): TraceRow => [field, `${shown(now)}${setText(now, set)}`],
    ),
  ];
  if (task.LastUpdatedAt !== undefined) rows.push(['last updated', instant(task.LastUpdatedAt.getTime())]);
  return rows;
}

/** `Task t1 now`, or why nothing is known about it. */
export function taskHead({ identifier, task }: Trace): string {
  const head = `Task ${identifier}`;
  if (task === undefined) return `${head}: what it holds now was not read`;
  return task === 'gone' ? `${head}: the API has no such task` : `${head} now`;
}

function setText(now: string, set: ReturnType<typeof compare>[number]['set']): string {
  if (set === undefined) return '';
  const when = set.by.at === undefined ? '' : ` of ${instant(set.by.at)}`;
  return now === set.value
    ? `, as set by the update${when}`
    : `: the update${when} set ${shown(set.value)}, so something else has set it since`;
}

function shown(value: string): string {
  return value === '' ? '(empty)' : shortPrintable(value, 260);
}

/** When it was decided on or sent. */
export function updateTime({ at }: KnownUpdate): string {
  return at === undefined ? 'time not known     ' : instant(at);
}

/** Its origin, the values it sets, and what is known about its end. */
export function updateRows({
  values,
  letters,
  messageIds,
  jobId,
  row,
  requestId,
  end,
}: KnownUpdate): readonly TraceRow[] {
  const origin = [
    jobId === undefined ? 'no job' : `job ${printable(jobId)}`,
    row === undefined ? undefined : `row ${number(row)}`,
    requestId === undefined ? undefined : `RequestId ${printable(requestId)}`,
  ].filter((part) => part !== undefined);
  const rows: TraceRow[] = [['from', origin.join(', ')]];
  if (messageIds.length > 0) rows.push(['message', printable(messageIds.join(', '))]);
  if (values !== undefined) rows.push(['sets', valuesText(values)]);
  if (end?.error?.message) rows.push(['error', shortPrintable(end.error.message, 500)]);
  if (end?.note !== undefined) rows.push(['note', printable(end.note)]);
  for (const { messageId, arrivedAt, redriveCount } of letters) {
    const again = redriveCount === 0 ? '' : `, redriven ${redriveCount} times before`;
    rows.push(['letter', `${printable(messageId)}, there since ${instant(arrivedAt)}${again}`]);
  }
  return rows;
}

/** How it ended, or its present state. */
export function endText({ end, open }: KnownUpdate): string {
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

/** A step on the way, and the source that reports it. */
export function stepText({ what, source }: KnownUpdate['steps'][number]): string {
  return `${shortPrintable(what, 400)} (${sourceNames[source]})`;
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

/** The result of asking a source. */
export function sourceRow({ source, state, what }: SourceReport): TraceRow {
  return [sourceNames[source], `${states[state]}${printable(what)}`];
}
