/** The page of one change: its plan, its progress, and its end. PURE. */
import type { CanaryVerdict } from '../../dead-letters/changes/canary.ts';
import type { PurgeReport } from '../../dead-letters/changes/purge.ts';
import type { RedriveReport } from '../../dead-letters/changes/redrive.ts';
import type { Away } from '../../dead-letters/pass/open-requests.ts';
import { valueText } from '../../dead-letters/view/changes.ts';
import { causeText } from '../../dead-letters/view/list.ts';
import { counted, number } from '../../text/numbers.ts';
import { instant } from '../../text/times.ts';
import { mayChange, type Visitor } from '../access/visitor.ts';
import { type Html, html } from '../pages/html.ts';
import { formTokenField, type Page } from '../pages/layout.ts';
import { livePart } from '../pages/live-part.ts';
import { table } from '../pages/table.ts';
import { type ChangeRun, type ChangeState, type Deed, phraseOf } from './change-run.ts';
import { notDone } from './not-done.ts';

/** Maximum number of different values and refusals shown. */
const SHOWN = 20;

export const CHANGES_PATH = '/dead-letters/changes';

export function changePage(run: ChangeRun, visitor: Visitor): Page {
  const { action } = run.facts.asked;
  const title = action === 'redrive' ? 'Redrive of dead letters' : 'Purge of dead letters';
  const { id } = run.facts;
  // A form in a live part would lose what is typed into it.
  const body =
    run.state === 'planned' || run.isOver
      ? html`${changePart(run)}\n${!run.isOver && mayChange(visitor) && confirmForm(run, visitor)}`
      : html`${livePart(`/live/dead-letters/changes/${id}`, changePart(run))}\n${mayChange(visitor) && run.isUnderWay && stopForm(run, visitor)}`;
  return { title, live: run.state !== 'planned' && !run.isOver, body: html`<h1>${title}</h1>\n${body}` };
}

export function changePart(run: ChangeRun): Html {
  const { facts, plan, report, fault, confirmed, stopped } = run;
  const { asked, by, reason } = facts;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['state', stateText(run)],
    ['since', `${instant(run.stateSince)} UTC`],
    ['letters', asked.where.join(', ')],
    ['at most', asked.limit === undefined ? undefined : counted(asked.limit, 'letter')],
    ['rate', asked.rate === undefined ? undefined : `${asked.rate} per second`],
    ['canaries', asked.canary === undefined ? undefined : number(asked.canary)],
    [
      'also',
      asked.force
        ? 'letters that were put back too often, rejected again, are foreign or invalid'
        : undefined,
    ],
    ['planned by', `${by}: ${reason}`],
    ['confirmed by', deedText(confirmed)],
    [run.state === 'dropped' ? 'dropped by' : 'stopped by', deedText(stopped)],
  ];
  return html`${fault !== undefined && html`<p class="fault" role="alert">${run.report === undefined ? 'Not done' : 'Stopped'}: ${fault}.</p>`}
${run.away !== undefined && awayPart(run.away)}
${run.notes.map((note) => html`<p class="fault" role="alert">${note}.</p>\n`)}
<dl class="figures">${rows.map(([name, value]) => value !== undefined && html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
${!run.isOver && run.chosen.size > 0 && run.state !== 'planned' && progressBar(run)}
${run.state === 'planning' && html`<p class="busy">A pass finds out what this would change. The pass itself changes nothing.</p>`}
${report !== undefined ? reportPart(run, report) : plan !== undefined && planPart(plan)}
${run.state === 'planned' && plan === undefined && html`<p>${counted(run.chosen.size, 'letter')} were confirmed.</p>`}
${(run.state === 'planned' || run.isOver) && html`<p><a href="/dead-letters">All dead letters</a></p>`}`;
}

/** Shown while waiting for SQS. */
export function awayPart({ since, why }: Away): Html {
  return html`<p class="away">SQS has not answered since ${instant(since)} UTC${why !== undefined && html`: ${why}`}. Waiting for it.</p>`;
}

function deedText(deed: Deed | undefined): string | undefined {
  return deed && `${deed.by}: ${deed.reason}`;
}

function progressBar({ sent, chosen, facts: { asked } }: ChangeRun): Html {
  const done = asked.action === 'redrive' ? 'put back' : 'deleted';
  return html`<p><label for="progress">${number(sent)} of ${number(chosen.size)} ${done}</label>
<progress id="progress" max="${chosen.size}" value="${sent}"></progress></p>`;
}

const states: Readonly<Record<ChangeState, string>> = {
  planning: 'finding out what it would change',
  planned: 'a plan: nothing is changed yet',
  moving: 'under way',
  canaries: 'waiting for the end of the first ones',
  ending: 'waiting until those that were put back have ended',
  waiting: 'waiting for letters that the previous process held when it was killed',
  stopping: 'stopping: the request under way is completed',
  ended: 'ended',
  dropped: 'not carried out',
};

export function stateText(run: ChangeRun): string {
  const how = run.state === 'ended' ? endedHow(run) : '';
  return `${states[run.state]}${how}${run.resumed ? '; continued after a restart' : ''}`;
}

function endedHow({ report, fault, stopped, chosen }: ChangeRun): string {
  if (fault !== undefined) return ' early';
  if (stopped !== undefined && !isWhole(report, chosen.size)) return ', stopped';
  return verdict(report);
}

/** Whether a stop came too late to prevent anything. */
function isWhole(report: RedriveReport | PurgeReport | undefined, agreed: number): boolean {
  if (report === undefined) return false;
  if (!('redriven' in report)) return report.purged + report.notDeleted >= agreed;
  return report.ends !== undefined && report.ends.verdict !== 'interrupted';
}

function verdict(report: RedriveReport | PurgeReport | undefined): string {
  if (report === undefined || !('redriven' in report)) return '';
  const ends = report.ends ?? report.canary;
  return ends === undefined ? '' : `: ${endText(ends)}`;
}

function endText(ends: CanaryVerdict): string {
  switch (ends.verdict) {
    case 'good':
      return 'none came back';
    case 'came-back':
      return `${counted(ends.letters.length, 'letter')} or more came back`;
    case 'unknown':
      return `how they ended is not known: ${ends.why}`;
    case 'interrupted':
      return 'the console did not wait for their end';
  }
}

function planPart(plan: RedriveReport | PurgeReport): Html {
  if (!('redriven' in plan))
    return html`<h2>What it would do</h2><p>It would delete ${counted(plan.purged, 'letter')} for good. <code>ota-updater dead-letters export</code> keeps a copy.</p>`;
  return html`<h2>What it would do</h2>
<p>It would put ${counted(plan.redriven, 'letter')} back, of ${number(plan.matched)} that match.</p>
${refusedPart(plan)}${valuesPart(plan)}`;
}

function reportPart(run: ChangeRun, report: RedriveReport | PurgeReport): Html {
  const left = notDone(run);
  const leftPart = left !== undefined && html`<p>${left}.</p>`;
  const stuck =
    report.notDeleted > 0 &&
    html`<p>${counted(report.notDeleted, 'letter')} could not be deleted from the dead-letter queue.</p>`;
  if (!('redriven' in report))
    return html`<h2>What was done</h2><p class="done">${counted(report.purged, 'letter')} deleted.</p>${leftPart}${stuck}`;
  const ends = report.ends ?? report.canary;
  return html`<h2>What was done</h2>
<p class="done">${counted(report.redriven, 'letter')} put back${ends !== undefined && html`; ${endText(ends)}`}.</p>
${run.sentBefore > 0 && html`<p>${number(run.sentBefore)} of these were put back before the restart: how those ended is not known.</p>`}${leftPart}
${ends?.verdict === 'came-back' && cameBackPart(ends)}${stuck}${refusedPart(report)}`;
}

function cameBackPart({ letters }: Extract<CanaryVerdict, { verdict: 'came-back' }>): Html {
  return html`<p class="fault">The cause is not fixed. Some of those that came back:</p>
<ul>${letters.slice(0, SHOWN).map((letter) => html`<li>${letter.identifier ?? letter.message.messageId}: ${causeText(letter)}, ${letter.errorMessage.slice(0, 300)}</li>\n`)}</ul>`;
}

function refusedPart({ refused }: RedriveReport): Html | false {
  if (refused.count === 0) return false;
  return html`<h3>${counted(refused.count, 'letter')} not put back</h3>
<ul>${refused
    .all()
    .slice(0, SHOWN)
    .map(
      ({ why, count, forcible, example }) =>
        html`<li>${number(count)}: ${why}${forcible && ' (may be put back anyway)'}; for example ${example.identifier ?? example.messageId}</li>\n`,
    )}</ul>`;
}

function valuesPart({ values }: RedriveReport): Html | false {
  const all = values.all();
  if (all.length === 0) return false;
  const rows = all.slice(0, SHOWN).map((value) => [valueText(value), number(value.letters), value.example]);
  const rest = all.slice(SHOWN).reduce((sum, { letters }) => sum + letters, values.others);
  return html`<h3>What these letters set</h3>
${table('What these letters set', ['Sets', 'Letters', 'Example'], rows)}
${rest > 0 && html`<p>And ${counted(rest, 'letter')} with other values.</p>`}`;
}

function confirmForm(run: ChangeRun, visitor: Visitor): Html {
  const { id, asked, reason } = run.facts;
  const path = `${CHANGES_PATH}/${id}`;
  if (run.chosen.size === 0) return html`<p>There is nothing to change.</p>`;
  return html`<form method="post" action="${path}/confirm" class="narrow">${formTokenField(visitor)}
<label for="reason">Reason, for the log of changes</label>
<input id="reason" name="reason" value="${reason}" maxlength="500" required>
${
  asked.action === 'purge' &&
  html`<label for="phrase">Type <code>${phraseOf(run)}</code> to delete them for good</label>
<input id="phrase" name="phrase" autocomplete="off" required>`
}
<button type="submit"${asked.action === 'purge' && html` class="danger"`}>${asked.action === 'purge' ? 'Delete' : 'Put back'} ${counted(run.chosen.size, 'letter')}</button>
<button type="submit" class="plain" formaction="${path}/drop" formnovalidate>Drop the plan</button>
</form>`;
}

function stopForm({ facts: { id } }: ChangeRun, visitor: Visitor): Html {
  return html`<form method="post" action="${CHANGES_PATH}/${id}/stop" class="narrow">${formTokenField(visitor)}
<label for="stop-reason">Reason to stop it</label>
<input id="stop-reason" name="reason" maxlength="500" required>
<button type="submit" class="danger">Stop</button></form>`;
}
