/** The section *Jobs*: its pages and their actions. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { RowFilter } from '../../jobs/ledger/row.ts';
import { reportText } from '../../jobs/view/report.ts';
import { Feed, type Look, RELOAD } from '../live/feed.ts';
import { faultsIn } from '../pages/faults.ts';
import { type Html, html } from '../pages/html.ts';
import { PageError } from '../pages/page-error.ts';
import type { Section } from '../section.ts';
import { addChanges } from './changes.ts';
import { jobPage, jobPart } from './job-page.ts';
import { plannedJob } from './ledger-door.ts';
import { listPage, listPart } from './list-page.ts';
import { newPage } from './new-page.ts';
import { type JobsOptions, jobOf } from './options.ts';
import { JOBS_PATH, JOBS_STREAM, NEW_PATH } from './paths.ts';
import { appliedPage, appliedPart, isMade, planPage, planPart } from './plan-page.ts';
import type { Planning } from './planner.ts';
import { rowFilterStates, rowsPage } from './rows-page.ts';
import { JobWatch, listJobs } from './seen.ts';
import { acceptUploads } from './upload.ts';

const LOOK_MS = 1_000;
const PAGE_ROWS = 100;

const empty = (text: string): string | undefined => (text === '' ? undefined : text);
const rowsQuery = z.object({
  state: z.string().transform(empty).pipe(z.enum(rowFilterStates).optional()).optional(),
  cause: z.string().max(200).transform(empty).optional(),
  identifier: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9]{0,200}$/, 'an Identifier has letters and digits only')
    .transform(empty)
    .optional(),
  after: z
    .string()
    .regex(/^\d{0,12}$/, 'give the number of a row')
    .transform(Number)
    .default(0),
});

/** Drops empty form fields. */
function given(filter: { readonly [Name in keyof RowFilter]: RowFilter[Name] | undefined }): RowFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

export function jobsSection(options: JobsOptions): Section {
  const { door, desk, verifier, reconciler, mostBytes, commandLine, clock, sleep } = options;
  const { planner } = desk;
  const seen = async (watch: JobWatch) => {
    const one = await door.read((ledger) => watch.look(ledger, { verifier, reconciler }));
    return { ...one, locked: await door.locked() };
  };
  const list = async () => {
    const plans = await planner.all();
    const jobs = await door.read(listJobs);
    const locked = await door.locked();
    return { ...jobs, plans: plans.filter(({ state }) => state !== 'failed'), locked };
  };
  /** About a plan while it exists, and then about its job: the user who applied it waits on its page while its rows are entered. */
  const planOr = async <T>(jobId: string, applied: T, of: (plan: Planning) => T): Promise<T> => {
    try {
      return of(await planner.get(jobId));
    } catch (error) {
      if (!(error instanceof PageError)) throw error;
      const job = await door.read((ledger) => ledger.job(jobId)).catch(() => undefined);
      if (job?.plan?.complete) return applied;
      throw error;
    }
  };
  const feed = (look: () => Promise<Part>): Feed =>
    new Feed({ look: () => orFault(look), everyMs: LOOK_MS, sleep });
  return {
    nav: { path: JOBS_PATH, name: 'Jobs' },
    add: (site) => {
      const { app } = site;
      acceptUploads(app, mostBytes);
      site.view(JOBS_PATH, async (_request, visitor) => listPage(await list(), visitor));
      site.live(
        JOBS_STREAM,
        feed(async () => ({ part: listPart(await list()) })),
      );
      site.view(NEW_PATH, (_request, visitor) => newPage(visitor, mostBytes));
      site.view(`${JOBS_PATH}/of/:job`, async (request, visitor) => {
        const jobId = jobOf(request);
        const one = await seen(new JobWatch(jobId, clock));
        return jobPage(one, visitor, doneText(request.query), commandLine);
      });
      const jobFeeds = new FeedsOf((jobId) => {
        const watch = new JobWatch(jobId, clock);
        return feed(async () => ({ part: jobPart(await seen(watch), commandLine) }));
      });
      site.live(`${JOBS_STREAM}/:job`, (request) => jobFeeds.of(jobOf(request)));
      site.view(`${JOBS_PATH}/of/:job/rows`, async (request) => {
        const jobId = jobOf(request);
        const read = rowsQuery.safeParse(request.query);
        if (!read.success) throw new PageError(faultsIn(read.error));
        const { after, ...rest } = read.data;
        const filter = given(rest);
        return await door.read(async (ledger) => {
          const { key } = await plannedJob(ledger, jobId);
          const { causes } = await ledger.count(key);
          const page = await ledger.rowPage(key, filter, after, PAGE_ROWS);
          return rowsPage({ jobId, filter, after, page, causes: causes.map(({ cause }) => cause) });
        });
      });
      for (const format of ['csv', 'json'] as const)
        app.get(`${JOBS_PATH}/of/:job/report.${format}`, async (request, reply) => {
          const jobId = jobOf(request);
          const chunks = await door.read(async (ledger) => {
            const job = await ledger.job(jobId);
            if (job === undefined) throw new PageError(`There is no job ${jobId} in the ledger.`, 404);
            return reportText(ledger, job, format);
          });
          return reply
            .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json')
            .header('cache-control', 'no-store')
            .header('content-disposition', `attachment; filename="${fileName(jobId)}.report.${format}"`)
            .send(Readable.from(chunks));
        });
      site.view(`${JOBS_PATH}/plans/:job`, async (request, visitor) => {
        const jobId = jobOf(request);
        return await planOr(jobId, appliedPage(jobId), (plan) => planPage(plan, visitor, commandLine));
      });
      const planFeeds = new FeedsOf((jobId) =>
        feed(() => planOr<Part>(jobId, { part: appliedPart(jobId) }, planLook)),
      );
      site.live('/live/plans/:job', (request) => planFeeds.of(jobOf(request)));
      app.get(`${JOBS_PATH}/plans/:job/refused.csv`, async (request, reply) => {
        const jobId = jobOf(request);
        return reply
          .type('text/csv; charset=utf-8')
          .header('cache-control', 'no-store')
          .header('content-disposition', `attachment; filename="${fileName(jobId)}.refused.csv"`)
          .send(await planner.refused(jobId));
      });
      addChanges(site, options);
    },
  };
}

/** A job's name may contain colons. */
const fileName = (jobId: string): string => jobId.replaceAll(':', '_');

interface Part extends Pick<Look, 'event'> {
  readonly part: Html;
}

/** One feed for all viewers of the same thing. */
class FeedsOf {
  readonly #make: (key: string) => Feed;
  readonly #feeds = new Map<string, Feed>();

  constructor(make: (key: string) => Feed) {
    this.#make = make;
  }

  of(key: string): Feed {
    for (const [other, feed] of this.#feeds)
      if (feed.viewers === 0 && other !== key) this.#feeds.delete(other);
    const feed = this.#feeds.get(key) ?? this.#make(key);
    this.#feeds.set(key, feed);
    return feed;
  }
}

/** The stream continues while its source is away. */
async function orFault(look: () => Promise<Part>): Promise<Look> {
  try {
    const { part, ...more } = await look();
    return { html: String(part), ...more };
  } catch (error) {
    if (!(error instanceof PageError)) throw error;
    return { html: String(html`<p class="fault">${error.message}</p>`) };
  }
}

/** Once it is finished, its page has the form to apply it. */
function planLook(plan: Planning): Part {
  return { part: planPart(plan), ...(isMade(plan) && RELOAD) };
}

const doneTexts: Readonly<Record<string, string>> = {
  pause: 'The job is paused.',
  resume: 'The job continues.',
  stop: 'The job stops when what is in flight has ended.',
  cancel: 'The job is cancelled.',
  set: 'The settings are changed.',
  retry: 'The rows that failed are sent again.',
  'nothing-to-set': 'The job already has these settings: nothing was changed.',
  'nothing-to-retry': 'No row has failed: there is nothing to retry, and nothing was changed.',
  verify: 'The devices are being looked at.',
  reconcile: 'The tasks are being looked at; afterwards the job is resumed.',
  apply: 'The job is in the ledger.',
};

function doneText(query: unknown): string | undefined {
  const { data } = z.object({ done: z.string() }).safeParse(query);
  return data && doneTexts[data.done];
}
