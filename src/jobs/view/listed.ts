/** All jobs as a list. PURE. */
import { table } from '../../text/layout.ts';
import { number } from '../../text/numbers.ts';
import type { JobStanding } from '../ledger/job.ts';
import { isOver, isToBeJudged, rowsOf } from './standing-facts.ts';

/** One job in the list. */
export type ListedJob = Pick<JobStanding, 'job' | 'counts' | 'leased'>;

/** All jobs, one line each, or two if a terminal of `columns` is too narrow. */
export function listText(jobs: readonly ListedJob[], columns: number | undefined): string {
  const rows = jobs.map(({ job, counts, leased }) => {
    const all = rowsOf(job, counts);
    const numbers = [all, counts.failed, all - counts.ended].map(number);
    const when = new Date(job.updatedAt).toISOString().slice(5, 16).replace('T', ' ');
    return [job.jobId, ...numbers, stateOf({ job, counts, leased }), when];
  });
  const lines = table(
    [['JOB', 'ROWS', 'FAILED', 'OPEN', 'NOW', 'CHANGED (UTC)'], ...rows],
    columns,
    [1, 2, 3],
  );
  return `${lines.join('\n')}\n`;
}

/** Its rows may be sent, but no process sends them. */
const NOT_SENDING = 'not sending';

/** All its rows have ended, but no process looks at its devices, which a rule judges. */
const NOT_JUDGED = 'devices not judged';

/** Whether it waits for a process that sends due jobs; such a process does not take an incomplete plan. */
export function isLeft(one: ListedJob): boolean {
  return one.job.plan?.complete === true && [NOT_SENDING, NOT_JUDGED].includes(stateOf(one));
}

/** What is happening with it, in a word or two. */
export function stateOf({ job, counts, leased }: ListedJob): string {
  if (job.plan === undefined) return 'no plan';
  const { name } = job.plan.state;
  if (name !== 'running') return name;
  if (isToBeJudged(job, counts)) return leased ? 'looks at devices' : NOT_JUDGED;
  if (leased) return 'sending';
  return isOver(job, counts) ? 'done' : NOT_SENDING;
}
