/** Where a job stands, for people. PURE. */
import { countLine, hang, nextLine, widthOf } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import type { CommandLine } from '../../text/shell.ts';
import { countdown, instant } from '../../text/times.ts';
import type { Counts, JobRecord, JobStanding, JobTimes, LeftOutCounts } from '../ledger/job.ts';
import type { LedgerRow } from '../ledger/row.ts';
import type { JobState } from '../ledger/state.ts';
import { awaitsDevices } from '../rules/decide.ts';
import type { JobSettings } from '../rules/settings.ts';
import type { Outlook } from '../run/progress.ts';
import { nextSteps } from './next-steps.ts';
import { devicesText, endText, stageText } from './outlook-text.ts';
import { settingTexts } from './settings-text.ts';
import {
  idleSettings,
  isOver,
  leftOutNote,
  notDone,
  notSentOf,
  rateOf,
  rowsOf,
  undoneNote,
  wasStopped,
} from './standing-facts.ts';
import { stateText } from './state-text.ts';

/** What a command has just done to the job, and what to expect. */
export interface RunNotes {
  readonly end?: string;
  /** A sentence without its full stop. */
  readonly reason?: string | undefined;
  readonly maybeTwice?: number;
  /** Rows that this command planned for another try. */
  readonly retried?: number;
  /** What to expect of a job that has not ended. */
  readonly outlook?: Outlook;
}

const MAX_CAUSES = 10;

/**
 * The standing as text, ending in a line feed. Nothing in it can control a terminal.
 * @param columns the terminal's width; undefined without a terminal.
 */
export function standingText(
  standing: JobStanding,
  commandLine: CommandLine,
  notes: RunNotes = {},
  columns?: number,
): string {
  const width = widthOf(columns);
  const line = (name: string, count: number, note = ''): string => countLine(name, count, note, columns);
  const { job, counts, times, leased, reconciled, foreign, unmatched } = standing;
  const { plan } = job;
  if (plan === undefined) {
    return `job ${job.jobId}: its plan is not in this ledger; ${counted(counts.ended, 'row')} by their outcomes\n${ends(counts, columns).join('\n')}\n`;
  }
  const lines = [
    `job ${job.jobId}: ${number(counts.ended)} of ${counted(rowsOf(job, counts), 'row')} ended`,
    `  made from     ${shortPrintable(plan.source, 100)}`,
    `  issued at     ${printable(plan.issuedAt)}`,
    ...timeLines(times),
    ...ends(counts, columns),
  ];
  const { leftOut } = plan;
  if (leftOut !== undefined && total(leftOut) > 0)
    lines.push(line('left out', total(leftOut), leftOutNote(leftOut, plan.enqueued)));
  if (counts.inFlight > 0) lines.push(line('in flight', counts.inFlight, inFlightNote(counts, leased)));
  const notSent = notSentOf(job, counts);
  if (notSent > 0) lines.push(line('not sent', notSent));
  if (!plan.complete)
    lines.push(
      line(
        'in the ledger',
        counts.total,
        plan.enqueued ? 'the file was not sent completely' : 'reading the plan stopped before its last row',
      ),
    );
  if (notes.retried !== undefined) lines.push(line('tried again', notes.retried));
  if (reconciled > 0) lines.push(line('reconciled', reconciled, 'ended according to their tasks'));
  if (plan.maybeTwice > 0) lines.push(line('sent twice?', plan.maybeTwice, 'at most; it does no harm'));
  if (foreign > 0) lines.push(line('foreign', foreign, 'outcomes of messages that this ledger did not send'));
  if (unmatched > 0)
    lines.push(line('unmatched', unmatched, 'outcomes that name this job and none of its rows'));
  if (!isOver(job, counts))
    for (const [name, text] of openTexts(plan.settings, notes.outlook))
      lines.push(hang(`  ${name.padEnd(12)}  `, text, width));
  for (const text of idleSettings(job, counts)) lines.push(hang('note: ', text, width));
  const { state } = plan;
  const stopped = notes.reason ?? (wasStopped(state) ? state.why : undefined);
  if (stopped !== undefined) lines.push(hang('stopped: ', printable(stopped), width));
  for (const row of standing.lastFailed) lines.push(hang('         ', rowFault(row), width));
  for (const note of [notDone(job, counts), undoneNote(standing)])
    if (note !== undefined) lines.push(hang('note: ', printable(note), width));
  if (told.includes(state.name)) lines.push(hang('state: ', stateLine(state, plan.settings), width));
  if (!isOver(job, counts)) {
    lines.push(`now: ${nowText(plan, counts, leased, notSent)}`);
  }
  for (const { command, why } of nextSteps(standing, commandLine)) lines.push(nextLine(command, why));
  return `${lines.join('\n')}\n`;
}

/** What is happening with a job that is not over. */
export function nowText(
  plan: Pick<NonNullable<JobRecord['plan']>, 'state' | 'settings' | 'progress'>,
  counts: Counts,
  leased: boolean,
  notSent: number,
): string {
  const { name } = plan.state;
  if (name === 'elsewhere') return 'another ledger owns it';
  if (leased && name === 'paused') return 'a process follows it, and waits to send its rows';
  if (notSent === 0 && awaitsDevices(plan.settings, plan.progress, counts))
    return leased
      ? 'all rows have ended, and a process checks its devices against its rules'
      : 'all rows have ended, and nobody checks its devices against its rules';
  if (leased) return 'a process is sending its rows or waiting for their ends';
  if (notSent > 0) return 'nobody is sending its rows';
  return `${counts.sending > 0 ? 'no row is left to send' : 'all rows are sent'}, and nobody waits for their ends`;
}

function inFlightNote({ inFlight, sending }: Counts, leased: boolean): string {
  if (leased || sending === 0) return 'sent, no outcome yet';
  const unsure = 'may have been sent: SQS did not confirm it';
  return sending === inFlight ? unsure : `no outcome yet; ${number(sending)} of them ${unsure}`;
}

/** States that the other lines do not show. */
const told: readonly JobState['name'][] = ['scheduled', 'paused', 'stopping', 'cancelled', 'elsewhere'];

/** For a job that has not ended: how it is sent, and what to expect. */
function openTexts(settings: JobSettings, outlook: Outlook | undefined): (readonly [string, string])[] {
  const texts = [...settingTexts(settings)];
  const stage = outlook && stageText(outlook);
  if (stage !== undefined) texts.push(['now in', stage]);
  const devices = outlook && devicesText(outlook);
  if (devices !== undefined) texts.push(['devices', devices]);
  const end = outlook && endText(outlook);
  if (end !== undefined) texts.push(['expected end', end]);
  return texts;
}

/** When it was worked on, and how fast. */
function timeLines(times: JobTimes | undefined): string[] {
  if (times === undefined) return [];
  const { startedAt, endedAt, ms } = times;
  const rate = rateOf(times);
  const lines = [`  started       ${instant(startedAt)} UTC`];
  if (endedAt !== undefined) lines.push(`  ended         ${instant(endedAt)} UTC`);
  // A run without any ended row has nothing to report yet.
  if (rate !== undefined) {
    const speed = rate < 10 ? rate : number(Math.round(rate));
    lines.push(`  took          ${countdown(Math.ceil(ms / 1_000))}, ${speed} rows/s`);
  }
  return lines;
}

/** `row 17 (pump17): ResourceNotFoundException`: the report has the details. */
function rowFault({ Row, Identifier, end }: LedgerRow): string {
  return shortPrintable(`row ${Row} (${Identifier}): ${end.error?.name ?? end.reason ?? 'failed'}`, 68);
}

function total({ alreadyAsWanted, refused, duplicates }: LeftOutCounts): number {
  return alreadyAsWanted + refused + duplicates;
}

function ends(counts: Counts, columns: number | undefined): string[] {
  const lines = [
    countLine('applied', counts.applied),
    countLine('superseded', counts.superseded),
    countLine('failed', counts.failed),
    ...(counts.notSent > 0 ? [countLine('cancelled', counts.notSent, 'not sent')] : []),
  ];
  for (const { cause, rows: count } of counts.causes.slice(0, MAX_CAUSES))
    lines.push(countLine('', count, shortPrintable(cause, 60), columns));
  const more = counts.causes.length - MAX_CAUSES;
  if (more > 0) lines.push(`${' '.repeat(25)}  and ${more} more errors: see the report`);
  return lines;
}

/** `paused since 2026-11-29 07:00:00 UTC by ann@ops1: the API is being changed`. */
function stateLine(state: JobState, settings: JobSettings): string {
  const why = state.why === undefined ? '' : `: ${state.why}`;
  const who = state.who === '' ? '' : ` by ${state.who}`;
  return printable(`${stateText(state, settings)}, since ${instant(state.since)} UTC${who}${why}`);
}
