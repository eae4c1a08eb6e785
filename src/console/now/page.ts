/** The page *Now*: whether updates go through, how fast and against which limit, how long still, what is wrong and since when. PURE. */
import { problemText, statusRows, workerCells, workerHead } from '../../status/rows.ts';
import { type Status, sumOf } from '../../status/status.ts';
import { number } from '../../text/numbers.ts';
import { shellLine } from '../../text/shell.ts';
import { instant, roughDuration } from '../../text/times.ts';
import { API_PREFIX } from '../api/route.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { livePart } from '../pages/live-part.ts';
import { table } from '../pages/table.ts';
import { SAMPLES } from './columns.ts';
import { awayOf, type Seen } from './watch.ts';

export const NOW_STREAM = '/live/now';

export function nowPage(seen: Seen | undefined): Page {
  const body = html`${livePart(NOW_STREAM, seen === undefined ? html`<h1>Looking at workers and queues…</h1>` : nowPart(seen))}
<section>
<h2>The last hour</h2>
<div id="chart" data-samples="${API_PREFIX}${SAMPLES}"></div>
<noscript><p>The chart needs JavaScript.</p></noscript>
</section>`;
  return {
    title: seen?.status.verdict.sentence ?? 'Now',
    body,
    assets: ['uplot.css', 'uplot.js'],
    live: true,
  };
}

/** The part that the stream renews. */
export function nowPart(seen: Seen): Html {
  const { status } = seen;
  const { now, verdict, problems, workers, next } = status;
  const away = awayOf(seen);
  return html`<h1 class="verdict ${verdict.state}">${verdict.sentence}.</h1>
<p class="when">As of <time datetime="${new Date(now).toISOString()}">${instant(now)} UTC</time></p>
${away.map(({ sentence, since, isRead }) => html`<p class="away">${sentence} since ${instant(since)} UTC (${roughDuration((now - since) / 1_000)})${isRead ? '' : ': its data is missing here, or old'}.</p>\n`)}
${tiles(status)}
${next !== undefined && nextPart(next)}
${
  problems.length > 0 &&
  html`<section><h2>Problems</h2>
<ul class="problems">${problems.map((problem) => html`<li class="${problem.blocks ? 'blocks' : 'noted'}">${problemText(problem, now)}${problem.remedy !== undefined && html`<br><span class="remedy">What to do: ${problem.remedy}.</span>`}</li>\n`)}</ul></section>`
}
<section><h2>In figures</h2>
<dl class="figures">${statusRows(status).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl></section>
<section><h2>Workers</h2>
${
  workers.length === 0
    ? html`<p>No worker was asked. Set <code>WORKER_URLS</code>.</p>`
    : table(
        'Table of workers',
        workerHead,
        workers.map((worker) => workerCells(worker, now)),
      )
}</section>`;
}

/** The page itself shows what `status` would, and the dead letters have a page to link to. */
function nextPart(next: readonly string[]): Html | false {
  if (next[0] === 'status') return false;
  if (next[0] === 'dead-letters')
    return html`<p>What to do next: look at the <a href="/dead-letters">dead letters</a></p>`;
  return html`<p>What to do next: <code>${shellLine(['ota-updater', ...next])}</code></p>`;
}

function tiles({ totals, backlog, drain, queues, workers }: Status): Html {
  const answered = workers.some(({ ok }) => ok);
  const known = (text: string): string => (answered ? text : 'not known');
  const dead = sumOf(queues.deadLetter);
  const left =
    'seconds' in drain ? (drain.seconds === 0 ? 'nothing' : roughDuration(drain.seconds)) : 'not known';
  const all: readonly (readonly [string, string])[] = [
    ['finished per second', known(rate(totals.finishedPerSecond))],
    ['rate in force', known(totals.rate.inForce === null ? 'no limit' : `${rate(totals.rate.inForce)}/s`)],
    ['backlog', backlog === undefined ? 'not known' : number(backlog)],
    ['time to drain', left],
    ['held', known(number(totals.held))],
    ['dead letters', dead === undefined ? 'not known' : number(dead)],
  ];
  return html`<dl class="tiles">${all.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 100 ? perSecond.toFixed(1) : number(Math.round(perSecond));
}
