/** Jobs as shown by pages and the API. */
import type { JobRecord } from '../../jobs/ledger/job.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import { decideOn, outlookOf, Pace } from '../../jobs/run/progress.ts';
import type { ListedJob } from '../../jobs/view/listed.ts';
import type { Clock } from '../../time/clock.ts';
import { PageError } from '../pages/page-error.ts';
import type { JobSeen } from './job-page.ts';
import { type LooksHere, looksSeen } from './kept-looks.ts';

/** Maximum number of lines of a job's log. */
const LOG_LINES = 50;
/** Maximum number of jobs in a list. */
const MOST_LISTED = 100;

/** The most recently changed jobs, and the total number. */
export async function listJobs(
  ledger: Pick<Ledger, 'jobs' | 'listed'>,
): Promise<{ readonly jobs: readonly ListedJob[]; readonly all: number }> {
  const all = await ledger.jobs();
  const jobs: ListedJob[] = [];
  for (const job of all.slice(0, MOST_LISTED)) jobs.push(await ledger.listed(job));
  return { jobs, all: all.length };
}

/** Watches one job repeatedly: its rate is that of the last seconds. */
export class JobWatch {
  readonly #jobId: string;
  readonly #clock: Clock;
  #pace: Pace | undefined;

  constructor(jobId: string, clock: Clock) {
    this.#jobId = jobId;
    this.#clock = clock;
  }

  /** @throws PageError if there is no such job. */
  async look(
    ledger: Pick<Ledger, 'job' | 'standing' | 'audit' | 'lastAudit'>,
    here: LooksHere,
  ): Promise<Omit<JobSeen, 'locked'>> {
    const job: JobRecord | undefined = await ledger.job(this.#jobId);
    if (job === undefined) throw new PageError(`There is no job ${this.#jobId} in the ledger.`, 404);
    const standing = await ledger.standing(job);
    const log = await ledger.audit(LOG_LINES, job.jobId);
    const looks = await looksSeen(ledger, job.jobId, here);
    const { counts, times, leased } = standing;
    const first = this.#pace === undefined;
    this.#pace ??= new Pace(this.#clock.monotonic, counts);
    this.#pace.observe(counts);
    const goesOn = leased && ['running', 'scheduled'].includes(job.plan?.state.name ?? '');
    const average = times === undefined || times.ms === 0 ? 0 : (times.rows / times.ms) * 1_000;
    const perSecond = goesOn ? (first ? average : this.#pace.perSecond) : 0;
    const now = this.#clock.wall();
    const outlook = outlookOf(job, counts, perSecond, decideOn(job, counts, perSecond, { now }), now);
    return { standing, outlook, perSecond, looks, log, now };
  }
}
