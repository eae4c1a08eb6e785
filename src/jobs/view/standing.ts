/** Where a job stands, for people and for scripts. PURE. */
import { countLine, hang } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { jsonLine, printable, shortPrintable } from '../../text/printable.ts';
import type { CommandLine } from '../../text/shell.ts';
import type { Counts, JobRecord, JobStanding, LeftOutCounts } from '../ledger/job.ts';

/** What a command has just done to it. */
export interface RunNotes {
  readonly end?: string;
  /** A sentence without its full stop. */
  readonly reason?: string | undefined;
  readonly maybeTwice?: number;
  /** Rows that this command planned as another try. */
  readonly retried?: number;
}

const MAX_CAUSES = 10;

/** The standing as text, ending in a line feed. Nothing in it can control a terminal. */
export function standingText(
  { job, counts, reconciled, foreign, unmatched }: JobStanding,
  commandLine: CommandLine,
  notes: RunNotes = {},
): string {
  const { plan } = job;
  if (plan === undefined) {
    return `job ${job.jobId}: its plan is not in this ledger; ${counted(counts.ended, 'row')} by their outcomes\n${ends(counts).join('\n')}\n`;
  }
  const lines = [
    `job ${job.jobId}: ${number(counts.ended)} of ${counted(counts.total, 'row')} ended`,
    `  made from     ${shortPrintable(plan.source, 100)}`,
    `  issued at     ${printable(plan.issuedAt)}`,
    ...ends(counts),
  ];
  const { leftOut } = plan;
  if (leftOut !== undefined && total(leftOut) > 0)
    lines.push(countLine('left out', total(leftOut), leftOutNote(leftOut)));
  if (counts.inFlight > 0) lines.push(countLine('in flight', counts.inFlight, 'sent, no outcome yet'));
  if (counts.planned > 0) lines.push(countLine('not sent', counts.planned));
  if (notes.retried !== undefined) lines.push(countLine('tried again', notes.retried));
  if (reconciled > 0) lines.push(countLine('reconciled', reconciled, 'ended by what the task itself says'));
  if (plan.maybeTwice > 0) lines.push(countLine('sent twice?', plan.maybeTwice, 'at most; it does no harm'));
  if (foreign > 0)
    lines.push(countLine('foreign', foreign, 'outcomes of messages that this ledger did not send'));
  if (unmatched > 0)
    lines.push(countLine('unmatched', unmatched, 'outcomes that name this job and none of its rows'));
  const stopped = notes.reason ?? plan.stopped;
  if (stopped !== undefined) lines.push(hang('stopped: ', printable(stopped)));
  for (const next of nextSteps(job, counts, commandLine)) lines.push(`next: ${next}`);
  return `${lines.join('\n')}\n`;
}

/** The standing as one JSON object on one line. */
export function standingJson(
  { job, counts, reconciled, foreign, unmatched }: JobStanding,
  notes: RunNotes = {},
): string {
  const { plan } = job;
  const json = {
    job: job.jobId,
    ...(notes.end !== undefined && { end: notes.end }),
    source: plan?.source ?? null,
    digest: plan?.digest ?? null,
    issuedAt: plan?.issuedAt ?? null,
    rows: counts.total,
    leftOut: plan?.leftOut ?? null,
    ended: counts.ended,
    applied: counts.applied,
    superseded: counts.superseded,
    failed: counts.failed,
    failedByError: Object.fromEntries(counts.causes.map(({ cause, rows: count }) => [cause, count])),
    inFlight: counts.inFlight,
    notSent: counts.planned,
    reconciled,
    maybeSentTwice: plan?.maybeTwice ?? 0,
    ...(notes.maybeTwice !== undefined && { maybeSentTwiceNow: notes.maybeTwice }),
    ...(notes.retried !== undefined && { triedAgain: notes.retried }),
    foreignOutcomes: foreign,
    outcomesOfNoRow: unmatched,
    repeatedCallShare: Number(repeatedShare(counts).toFixed(4)),
    stopped: notes.reason ?? plan?.stopped ?? null,
    complete: plan?.complete ?? null,
  };
  return jsonLine(json);
}

function total({ alreadyAsWanted, refused, duplicates }: LeftOutCounts): number {
  return alreadyAsWanted + refused + duplicates;
}

function leftOutNote({ alreadyAsWanted, refused, duplicates }: LeftOutCounts): string {
  const parts = [
    [alreadyAsWanted, 'as wanted'],
    [refused, 'refused'],
    [duplicates, 'duplicates'],
  ] as const;
  const some = parts.filter(([count]) => count > 0).map(([count, name]) => `${number(count)} ${name}`);
  return `by the plan: ${some.join(', ')}`;
}

function ends(counts: Counts): string[] {
  const lines = [
    countLine('applied', counts.applied),
    countLine('superseded', counts.superseded),
    countLine('failed', counts.failed),
  ];
  for (const { cause, rows: count } of counts.causes.slice(0, MAX_CAUSES))
    lines.push(countLine('', count, shortPrintable(cause, 60)));
  const more = counts.causes.length - MAX_CAUSES;
  if (more > 0) lines.push(`${' '.repeat(25)}  and ${more} more errors: see the report`);
  return lines;
}

function nextSteps(job: JobRecord, counts: Counts, commandLine: CommandLine): string[] {
  const { jobId, plan } = job;
  const jobs = (...args: readonly string[]): string => `\`${commandLine('jobs', ...args)}\``;
  if (plan?.complete === false) return [jobs('apply', plan.path)];
  if (counts.planned > 0 || counts.inFlight > 0) {
    const steps = [jobs('resume', jobId)];
    if (counts.inFlight > 0) steps.push(`${jobs('reconcile', jobId)} if outcomes were lost`);
    return steps;
  }
  const report = jobs('report', jobId, '--format', 'csv');
  if (counts.failed === 0) return [report];
  return [`${report} says why rows failed`, `${jobs('retry', jobId, '--only-failed')} once that is fixed`];
}

/** The share of calls that were not a row's first: the API had throttled or failed the one before. */
export function repeatedShare({ calls, callsOf }: Counts): number {
  return calls === 0 ? 0 : Math.max(0, calls - callsOf) / calls;
}

/** All jobs, a line each; 80 columns wide when names are short and counts below ten million. */
export function* listText(standings: Iterable<JobStanding>): Generator<string, undefined> {
  const line = (name: string, columns: readonly string[], when: string): string =>
    `${name.padEnd(22)} ${columns.map((text) => text.padStart(9)).join(' ')}  ${when}\n`;
  yield line('JOB', ['ROWS', 'ENDED', 'FAILED', 'OPEN'], 'CHANGED (UTC)');
  for (const { job, counts } of standings) {
    const numbers = [counts.total, counts.ended, counts.failed].map(number);
    const open = job.plan === undefined ? 'no plan' : number(counts.planned + counts.inFlight);
    const when = new Date(job.updatedAt).toISOString().slice(5, 16).replace('T', ' ');
    yield line(job.jobId, [...numbers, open], when);
  }
}
