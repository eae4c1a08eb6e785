/** The page of all jobs. PURE. */
import { type ListedJob, stateOf } from '../../jobs/view/listed.ts';
import { rowsOf } from '../../jobs/view/standing-facts.ts';
import type { LedgerAway } from '../../status/status.ts';
import { number } from '../../text/numbers.ts';
import { instant } from '../../text/times.ts';
import { mayChange, type Visitor } from '../access/visitor.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { livePart } from '../pages/live-part.ts';
import { table } from '../pages/table.ts';
import { bar } from './bar.ts';
import { lockedNote } from './locked-note.ts';
import { JOBS_STREAM, jobPath, NEW_PATH, planPath } from './paths.ts';
import type { Planning } from './planner.ts';

export interface Jobs {
  readonly jobs: readonly ListedJob[];
  /** Total number of jobs; `jobs` are the most recently changed. */
  readonly all: number;
  readonly plans: readonly Planning[];
  /** Set while the ledger accepts no changes. */
  readonly locked: LedgerAway | undefined;
}

export function listPage(jobs: Jobs, visitor: Visitor): Page {
  const add = mayChange(visitor) && html`<p><a class="button" href="${NEW_PATH}">New job</a></p>`;
  return {
    title: 'Jobs',
    assets: ['jobs.css'],
    body: html`<h1>Jobs</h1>\n${add}${livePart(JOBS_STREAM, listPart(jobs))}`,
    live: true,
  };
}

/** The part that the stream renews. */
export function listPart({ jobs, all, plans, locked }: Jobs): Html {
  return html`${lockedNote(locked)}${
    plans.length > 0 &&
    html`<section><h2>Plans that are not applied</h2><ul>${plans.map(
      ({ jobId, source, state }) =>
        html`<li><a href="${planPath(jobId)}">${jobId}</a> from ${source}: ${planState[state]}</li>`,
    )}</ul></section>`
  }
${jobs.length === 0 ? html`<p>There is no job in the ledger yet.</p>` : jobTable(jobs)}
${all > jobs.length && html`<p>These are the ${number(jobs.length)} jobs that changed last, of ${number(all)}.</p>`}`;
}

const planState = {
  making: 'being made',
  made: 'to be applied',
  failed: 'not made',
  entering: 'being entered',
} as const;

function jobTable(jobs: readonly ListedJob[]): Html {
  return table(
    'Table of jobs',
    ['Job', 'State', 'Rows', 'Progress', 'Failed', 'Open', 'Changed (UTC)'],
    jobs.map(({ job, counts, leased }) => {
      const rows = rowsOf(job, counts);
      return [
        html`<a href="${jobPath(job.jobId)}">${job.jobId}</a>`,
        stateOf({ job, counts, leased }),
        number(rows),
        bar(counts, rows),
        number(counts.failed),
        number(rows - counts.ended),
        instant(job.updatedAt),
      ];
    }),
  );
}
