/** The page of a plan: what it changes, and the form to apply it. PURE. */
import { MAX_COMPARED } from '../../jobs/plan/configuration-changes.ts';
import type { PlanReport } from '../../jobs/plan/summary.ts';
import { timeNote } from '../../jobs/plan/time-note.ts';
import { undoNote } from '../../jobs/plan/undo-note.ts';
import { counted, number } from '../../text/numbers.ts';
import type { CommandLine } from '../../text/shell.ts';
import { instant } from '../../text/times.ts';
import { mayChange, type Visitor } from '../access/visitor.ts';
import { type Html, html } from '../pages/html.ts';
import { formTokenField, type Page } from '../pages/layout.ts';
import { livePart } from '../pages/live-part.ts';
import { inLabels } from '../pages/setting-names.ts';
import { table } from '../pages/table.ts';
import { apiAwayNote } from './api-away.ts';
import { reasonField, settingFields } from './job-forms.ts';
import { jobPath, planPath, planStream } from './paths.ts';
import type { Planning } from './planner.ts';

export function planPage(plan: Planning, visitor: Visitor, commandLine: CommandLine): Page {
  const { jobId, state } = plan;
  const title = `Plan of job ${jobId}`;
  // Input in a form must not be lost: a finished plan does not change, so its page is not renewed.
  if (!isMade(plan))
    return {
      title,
      assets: ['jobs.css'],
      body: html`<h1>${title}</h1>\n${livePart(planStream(jobId), planPart(plan))}${state === 'making' && mayChange(visitor) && html`<section class="actions">${discardForm(jobId, visitor)}</section>`}`,
      live: true,
    };
  return {
    title,
    assets: ['jobs.css'],
    body: html`<h1>${title}</h1>
${plan.note !== undefined && html`<p class="fault" role="alert">${inLabels(plan.note)}</p>`}
${reportPart(plan.report, commandLine)}
${mayChange(visitor) && forms(plan, plan.report, visitor)}`,
  };
}

/** Whether its page has the form to apply it, and no longer changes. */
export function isMade(plan: Planning): plan is Planning & { readonly report: PlanReport } {
  return plan.state === 'made' && plan.report !== undefined;
}

/** The part that the stream renews until the plan is finished. */
export function planPart({ jobId, source, by, state, note, noteSince, away }: Planning): Html {
  switch (state) {
    case 'making':
      return html`<p>${by} is making it from ${source}. ${note ?? ''}${noteSince !== undefined && html`, since ${instant(noteSince)} UTC. If this does not change, the source does not answer. It is asked again; discarding the plan ends this`}</p>${apiAwayNote(away, 'discarding the plan ends this')}`;
    case 'entering':
      return html`<p>Its rows are being entered in the ledger.</p>`;
    case 'failed':
      return html`<p class="fault" role="alert">${inLabels(note ?? 'It could not be made.')}</p><p>Nothing was kept. <a href="/jobs/new">Try again</a></p>`;
    case 'made':
      return html`<p class="done">The plan is made. <a href="${planPath(jobId)}">See it</a></p>`;
  }
}

/** The page of a plan whose rows are in the ledger. */
export function appliedPage(jobId: string): Page {
  const title = `Plan of job ${jobId}`;
  return { title, assets: ['jobs.css'], body: html`<h1>${title}</h1>\n${appliedPart(jobId)}` };
}

/** The part sent once the rows of a plan are in the ledger. */
export function appliedPart(jobId: string): Html {
  return html`<p class="done">The job is in the ledger. <a href="${jobPath(jobId)}">See it</a></p>`;
}

function reportPart(report: PlanReport, commandLine: CommandLine): Html {
  const { jobId, source, kind, rows, counts, rateLimit, measured, refreshed, undoable, unread } = report;
  const facts: (readonly [string, string])[] = [
    ['made from', source],
    [kind === 'live' ? 'tasks listed' : 'rows read', number(rows)],
    ['to change', number(counts.toChange)],
    [
      'as wanted',
      refreshed || kind === 'live' ? number(counts.alreadyAsWanted) : 'not known: tasks were not read',
    ],
    ['refused', number(counts.refused)],
    [
      'duplicates',
      counts.duplicates === 0 ? '0' : `${number(counts.duplicates)}: the last row of each task counts`,
    ],
    ...(report.leftOut > 0 ? [['left out', number(report.leftOut)] as const] : []),
    ...(unread > 0 ? [['unread', `${counted(unread, 'task')}, planned without former values`] as const] : []),
  ];
  if (counts.toChange > 0) {
    if (kind !== 'undo') facts.push(['undo', undoNote(undoable, counts.toChange)]);
    facts.push(['time', timeNote(counts.toChange, measured, rateLimit)]);
  }
  return html`<dl class="figures">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
${report.warnings.map((warning) => html`<p class="away">${warning}</p>\n`)}
${report.configurations.length > 0 && configurations(report, commandLine)}
${
  report.statuses.length > 0 &&
  html`<section><h2>Status of the tasks</h2>${table(
    'Table of task states',
    ['Status', 'Rows', 'Lines'],
    report.statuses.map(({ key, count, lines }) => [key, number(count), lines.join(', ')]),
  )}</section>`
}
${
  report.reasons.length > 0 &&
  html`<section><h2>Refused rows</h2>${table(
    'Table of refused rows',
    ['Reason', 'Rows', 'Lines'],
    report.reasons.map(({ reason, count, lines }) => [
      reason,
      number(count),
      `${lines.join(', ')}${count > lines.length ? ', …' : ''}`,
    ]),
  )}
<p><a href="${planPath(jobId, '/refused.csv')}" download>All refused rows, as CSV</a></p></section>`
}`;
}

function configurations(
  { configurations: pairs, otherConfigurations }: PlanReport,
  commandLine: CommandLine,
): Html {
  const shown = pairs.filter(({ leftOut }) => leftOut !== true);
  return html`<section><h2>Task configurations</h2>${shown.map(({ from, to, rows, settings }) => {
    const pair = pairText(from, to);
    const head = html`<h3>${counted(rows, 'row')}: ${pair}</h3>`;
    if (settings === undefined) return html`${head}<p>What differs is not known.</p>`;
    if (settings.length === 0) return html`${head}<p>Both have the same settings.</p>`;
    return html`${head}${table(
      `Differences ${pair}`,
      ['Setting', from ?? '', to],
      settings.map((one) => [one.setting, one.from ?? '-', one.to ?? '-']),
    )}`;
  })}${leftOutPairs(pairs, commandLine)}${otherConfigurations > 0 && html`<p>${counted(otherConfigurations, 'row')} with other changes.</p>`}</section>`;
}

function pairText(from: string | undefined, to: string): string {
  return from === undefined ? `to ${to}` : `from ${from === '' ? 'none' : from} to ${to}`;
}

/** A plan compares only the pairs with the most rows, since comparing costs calls. */
function leftOutPairs(pairs: PlanReport['configurations'], commandLine: CommandLine): Html | false {
  const left = pairs.filter(({ leftOut }) => leftOut === true);
  if (left.length === 0) return false;
  const rows = left.map(({ from = '', to, rows: some }) => [
    pairText(from, to),
    number(some),
    html`<code>${commandLine('configs', 'diff', from, to)}</code>`,
  ]);
  return html`<h3>${counted(left.length, 'more pair')}, not compared</h3>
<p>A plan compares the ${MAX_COMPARED} pairs with most rows. These commands show what the others change.</p>
${table('Pairs that are not compared', ['Pair', 'Rows', 'Command'], rows)}`;
}

function forms({ jobId }: Planning, { plan, counts }: PlanReport, visitor: Visitor): Html {
  const token = formTokenField(visitor);
  const apply =
    plan === undefined
      ? html`<p>There is nothing to change, and so nothing to apply.</p>`
      : html`<form method="post" action="${planPath(jobId, '/apply')}" class="wide">${token}
${settingFields('apply')}
${reasonField('apply-reason')}
<label for="apply-name">To send ${counted(counts.toChange, 'update')}, type the job's name: ${jobId}</label>
<input id="apply-name" name="name" required autocomplete="off">
<button type="submit">Apply</button>
</form>`;
  return html`<section class="actions"><h2>Apply</h2>
${apply}
${discardForm(jobId, visitor)}</section>`;
}

function discardForm(jobId: string, visitor: Visitor): Html {
  return html`<details><summary>Discard the plan</summary><form method="post" action="${planPath(jobId, '/discard')}" class="wide">${formTokenField(visitor)}
${reasonField('discard-reason')}<button type="submit" class="danger">Discard</button></form></details>`;
}
