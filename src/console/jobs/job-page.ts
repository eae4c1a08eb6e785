/** The page of one job. PURE. */

import type { AuditLine, JobStanding, JobTimes } from '../../jobs/ledger/job.ts';
import type { Outlook } from '../../jobs/run/progress.ts';
import type { Reconciled } from '../../jobs/run/reconcile.ts';
import type { Verification } from '../../jobs/verify/sum.ts';
import { changeText, whyText } from '../../jobs/view/audit.ts';
import { devicesText, endText, stageText } from '../../jobs/view/outlook-text.ts';
import { settingTexts } from '../../jobs/view/settings-text.ts';
import { silence } from '../../jobs/view/silence.ts';
import { nowText } from '../../jobs/view/standing.ts';
import {
  idleSettings,
  isOver,
  leftOutNote,
  notDone,
  rateOf,
  rowsOf,
  undoneNote,
} from '../../jobs/view/standing-facts.ts';
import { stateText } from '../../jobs/view/state-text.ts';
import { deviceEnds, deviceStates } from '../../message/devices.ts';
import type { LedgerAway } from '../../status/status.ts';
import { counted, number } from '../../text/numbers.ts';
import type { CommandLine } from '../../text/shell.ts';
import { instant, roughDuration } from '../../text/times.ts';
import { mayChange, type Visitor } from '../access/visitor.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { livePart } from '../pages/live-part.ts';
import { table } from '../pages/table.ts';
import { apiAwayNote } from './api-away.ts';
import { bar } from './bar.ts';
import { jobForms } from './job-forms.ts';
import { lockedNote } from './locked-note.ts';
import type { LookSeen } from './looks.ts';
import { jobPath, jobStream, rowsPath } from './paths.ts';

export interface JobSeen {
  readonly standing: JobStanding;
  readonly outlook: Outlook;
  /** Rows that end per second. */
  readonly perSecond: number;
  readonly looks: LooksSeen;
  /** Its changes, latest first. */
  readonly log: readonly AuditLine[];
  /** Set while the ledger accepts no changes. */
  readonly locked: LedgerAway | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The results of looks at its tasks; undefined: there was none. */
export interface LooksSeen {
  readonly verification: LookSeen<Verification> | undefined;
  readonly reconciliation: LookSeen<Reconciled> | undefined;
}

/** @param done what was just done to the job. */
export function jobPage(
  seen: JobSeen,
  visitor: Visitor,
  done: string | undefined,
  commandLine: CommandLine,
): Page {
  const { job } = seen.standing;
  return {
    title: `Job ${job.jobId}`,
    assets: ['jobs.css'],
    body: html`${done !== undefined && html`<p class="done" role="status">${done}</p>\n`}${livePart(jobStream(job.jobId), jobPart(seen, commandLine))}
<p><a href="${rowsPath(job.jobId, {})}">All rows</a> · report: <a href="${jobPath(job.jobId, '/report.csv')}" download>CSV</a>, <a href="${jobPath(job.jobId, '/report.json')}" download>JSON</a></p>
${mayChange(visitor) && job.plan !== undefined && jobForms(job.jobId, job.plan, visitor, seen.now)}
<section><h2>Log of changes</h2>${logTable(seen.log)}</section>`,
    live: true,
  };
}

/** The part that the stream renews. */
export function jobPart(
  { standing, outlook, perSecond, looks: { verification, reconciliation }, locked, now }: JobSeen,
  commandLine: CommandLine,
): Html {
  const { job, counts, leased, times } = standing;
  const { plan } = job;
  const rows = rowsOf(job, counts);
  const open = rows - counts.ended;
  const left = outlook.expectedEnd === undefined ? '-' : roughDuration((outlook.expectedEnd - now) / 1_000);
  const tiles: readonly (readonly [string, string])[] = [
    ['rows', number(rows)],
    ['applied', number(counts.applied)],
    ['superseded', number(counts.superseded)],
    ['failed', number(counts.failed)],
    ['in flight', number(counts.inFlight)],
    ['not sent', number(open - counts.inFlight)],
    isOver(job, counts) || !leased
      ? ['rows per second, on average', rateText(rateOf(times))]
      : ['rows per second', rateText(perSecond)],
    ['time left', open === 0 ? '-' : left],
  ];
  const stage = stageText(outlook);
  const devicesSeen = devicesText(outlook);
  const end = endText(outlook);
  const facts: readonly (readonly [string, string])[] = [
    ...(plan === undefined ? [] : stateFacts(plan)),
    ...(plan !== undefined && !isOver(job, counts)
      ? [['now', nowText(plan, counts, leased, open - counts.inFlight)] as const]
      : []),
    ...(stage === undefined ? [] : [['stage', stage] as const]),
    ...(devicesSeen === undefined ? [] : [['devices', devicesSeen] as const]),
    ...(end === undefined ? [] : [['expected end', end] as const]),
    ...(times === undefined ? [] : [['started', `${instant(times.startedAt)} UTC`] as const]),
    ...(times?.endedAt === undefined ? [] : [['ended', endFact(times, times.endedAt)] as const]),
    ...(standing.reconciled > 0
      ? [['reconciled', `${counted(standing.reconciled, 'row')} ended according to their tasks`] as const]
      : []),
    ...(standing.foreign > 0
      ? [
          [
            'foreign',
            `${counted(standing.foreign, 'outcome')} of messages that this ledger did not send`,
          ] as const,
        ]
      : []),
    ...(standing.unmatched > 0
      ? [
          [
            'unmatched',
            `${counted(standing.unmatched, 'outcome')} that name this job and none of its rows`,
          ] as const,
        ]
      : []),
  ];
  const notes = [notDone(job, counts), undoneNote(standing)].filter((note) => note !== undefined);
  return html`<h1>Job ${job.jobId}${plan === undefined ? ', whose plan is not in this ledger' : html`: ${stateText(plan.state, plan.settings)}`}</h1>
<p class="when">As of <time datetime="${new Date(now).toISOString()}">${instant(now)} UTC</time></p>
${lockedNote(locked)}${bar(counts, rows)}
<dl class="tiles">${tiles.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
${notes.map((note) => html`<p class="fault">${note}.</p>\n`)}
${silentPart(standing, now, commandLine)}
${figures(facts)}
${failures(standing)}
${plan !== undefined && settings(plan.settings, idleSettings(job, counts))}
${reconciliation !== undefined && reconciled(reconciliation)}
${verification !== undefined && devices(verification)}`;
}

function rateText(perSecond: number | undefined): string {
  if (perSecond === undefined || perSecond === 0) return '-';
  return perSecond.toFixed(perSecond < 10 ? 1 : 0);
}

/** Pauses and times without a sender do not count as work. */
function endFact({ startedAt, ms }: JobTimes, endedAt: number): string {
  const whole = `${instant(endedAt)} UTC, ${roughDuration((endedAt - startedAt) / 1_000)} after its start`;
  return ms === 0 ? whole : `${whole}; ${roughDuration(ms / 1_000)} of it at work`;
}

/** The same hints as the commands give, for a job with rows in flight of which none ends. */
function silentPart({ job, counts }: JobStanding, now: number, commandLine: CommandLine): Html | false {
  const quietMs = now - job.updatedAt;
  const silent = { jobId: job.jobId, counts, noneEnded: counts.ended === 0, quietMs };
  const notes = silence(
    silent,
    'stop the job and reconcile it here, or end the process that sends it',
    commandLine,
  );
  if (notes.length === 0) return false;
  return html`<ul class="silent">${notes.map(([what, command]) => html`<li>${what}${command !== undefined && html` <code>${command}</code>`}</li>\n`)}</ul>`;
}

type Plan = NonNullable<JobStanding['job']['plan']>;

function stateFacts({
  state,
  settings,
  source,
  leftOut,
  enqueued,
  undoes,
  maybeTwice,
}: Plan): (readonly [string, string])[] {
  const by = state.who === '' ? '' : ` by ${state.who}`;
  const why = state.why === undefined ? '' : `: ${state.why}`;
  const out = leftOut === undefined ? '' : leftOutNote(leftOut, enqueued);
  return [
    ['state', `${stateText(state, settings)} since ${instant(state.since)} UTC${by}${why}`],
    ['made from', source],
    ...(undoes === undefined ? [] : [['undoes', undoes] as const]),
    ...(/\d/.test(out) ? [['left out', out] as const] : []),
    ...(maybeTwice > 0
      ? [['sent twice?', `${counted(maybeTwice, 'row')} at most; it does no harm`] as const]
      : []),
  ];
}

function figures(rows: readonly (readonly [string, string])[]): Html {
  return html`<dl class="figures">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

function failures({ job, counts }: JobStanding): Html | undefined {
  if (counts.causes.length === 0) return undefined;
  const rows = counts.causes.map(({ cause, rows: some }) => [
    html`<a href="${rowsPath(job.jobId, { cause })}">${cause}</a>`,
    number(some),
  ]);
  return html`<section><h2>Failures by error</h2>${table('Table of failures', ['Error', 'Rows'], rows)}</section>`;
}

/** @param idle settings that have no effect. */
function settings(given: Plan['settings'], idle: readonly string[]): Html {
  const texts = settingTexts(given);
  return html`<section><h2>How it is sent</h2>${texts.length === 0 ? html`<p>As fast as workers take it, without stages.</p>` : figures(texts)}${idle.map((note) => html`<p class="note">Note: ${note}.</p>\n`)}</section>`;
}

function looking({ tasks, of, away }: Extract<LookSeen<unknown>, { state: 'looking' }>): Html {
  return html`<p>Looking at tasks: ${number(tasks)} of ${number(of)}.</p>${apiAwayNote(away, 'what cannot be read is counted as unread')}`;
}

function cutOff({ since, who }: Extract<LookSeen<unknown>, { state: 'cut-off' }>): Html {
  return html`<p class="away">${who} started a look at the tasks at ${instant(since)} UTC, and how it ended is not known. If no other console is still at it, start it again.</p>`;
}

function reconciled(seen: LookSeen<Reconciled>): Html {
  const section = (inside: Html): Html => html`<section><h2>Reconciliation</h2>${inside}</section>`;
  if (seen.state === 'looking') return section(looking(seen));
  if (seen.state === 'failed') return section(html`<p class="fault">${seen.why}</p>`);
  if (seen.state === 'cut-off') return section(cutOff(seen));
  const { applied, gone, again, unknown } = seen.found;
  return section(
    figures([
      ['applied', `${number(applied)}, according to their tasks`],
      ['gone', `${number(gone)} without a task`],
      ['sent again', number(again)],
      ['unread', `${number(unknown)} that could not be read`],
    ]),
  );
}

function devices(seen: LookSeen<Verification>): Html {
  if (seen.state === 'looking') return html`<section><h2>Devices</h2>${looking(seen)}</section>`;
  if (seen.state === 'failed')
    return html`<section><h2>Devices</h2><p class="fault">${seen.why}</p></section>`;
  if (seen.state === 'cut-off') return html`<section><h2>Devices</h2>${cutOff(seen)}</section>`;
  const { at, whole, tasks, devices: of, notHolding, gone, unread, worst } = seen.found;
  const { ended, failed } = deviceEnds(of);
  const rows: (readonly [string, string])[] = [
    ['read', `${counted(tasks, 'task')} at ${instant(at)} UTC${whole ? '' : ', not all'}`],
    ...deviceStates.filter((state) => of[state] > 0).map((state) => [state, number(of[state])] as const),
    ...(ended > 0 ? [['failed', `${number(failed)} of ${number(ended)} that have ended`] as const] : []),
    ...worst.map(
      ({ identifier, failed: bad, ended: all }) =>
        [identifier, `${number(bad)} of ${counted(all, 'device')} failed`] as const,
    ),
    ...(notHolding > 0 ? [['not as set', `${counted(notHolding, 'task')} changed since`] as const] : []),
    ...(gone > 0 ? [['gone', counted(gone, 'task')] as const] : []),
    ...(unread > 0 ? [['unread', counted(unread, 'task')] as const] : []),
  ];
  return html`<section><h2>Devices</h2>${figures(rows)}</section>`;
}

function logTable(log: readonly AuditLine[]): Html {
  if (log.length === 0) return html`<p>Nothing was changed.</p>`;
  return table(
    'Table of changes',
    ['When (UTC)', 'What', 'Who', 'Change', 'Why'],
    log.map((line) => [instant(line.at), line.what, line.who, changeText(line), whyText(line)]),
  );
}
