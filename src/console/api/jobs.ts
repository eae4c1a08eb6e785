/** The API of jobs: what their pages show and do. */
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { FILE_MODE } from '../../files/private.ts';
import type { RowFilter } from '../../jobs/ledger/row.ts';
import { jobIdSchema } from '../../jobs/plan/format.ts';
import { unsettableNames } from '../../jobs/rules/given.ts';
import { standingJson } from '../../jobs/view/standing.ts';
import { steps } from '../jobs/desk.ts';
import { plannedJob } from '../jobs/ledger-door.ts';
import type { JobsOptions } from '../jobs/options.ts';
import { rowFilterStates } from '../jobs/rows-page.ts';
import { JobWatch } from '../jobs/seen.ts';
import { tooLarge } from '../jobs/upload.ts';
import { PageError } from '../pages/page-error.ts';
import { done, line, listed, planning, reason, reasonBody, row, settings, standing } from './job-shapes.ts';
import { type ApiRoute, type Asked, route } from './route.ts';

const deedOf = ({ visitor }: Pick<Asked<unknown, unknown>, 'visitor'>, why: string) => ({
  who: `${visitor.name}@console`,
  why,
});

/** Of a page of rows, and of a list. */
const MOST_ROWS = 1_000;
const most = z.coerce.number().int().min(1).max(MOST_ROWS).default(100);

type Options = Pick<JobsOptions, 'door' | 'desk' | 'newName' | 'mostBytes' | 'clock' | 'verifier'>;

export function jobRoutes({ door, desk, newName, mostBytes, clock, verifier }: Options): readonly ApiRoute[] {
  return [
    route({
      method: 'get',
      path: '/jobs',
      id: 'listJobs',
      summary: 'The last changed jobs',
      query: z.object({ max: most }),
      answer: z.object({ jobs: z.array(listed), all: z.number() }),
      serve: ({ query }) =>
        door.use(async (ledger) => {
          const all = await ledger.jobs();
          const jobs = [];
          for (const job of all.slice(0, query.max)) {
            const { counts } = await ledger.listed(job);
            const { total, ended, failed } = counts;
            jobs.push({
              job: job.jobId,
              state: job.plan?.state.name ?? null,
              rows: Math.max(total, job.plan?.rows ?? 0),
              ended,
              failed,
              updatedAt: new Date(job.updatedAt).toISOString(),
            });
          }
          return { jobs, all: all.length };
        }),
    }),
    route({
      method: 'get',
      path: '/jobs/{job}',
      id: 'showJob',
      summary: 'Where a job stands',
      answer: standing,
      serve: async ({ job }) => {
        const seen = await door.use((ledger) =>
          new JobWatch(job, clock).look(ledger, (one) => verifier.of(one)),
        );
        return JSON.parse(standingJson(seen.standing, { outlook: seen.outlook }));
      },
    }),
    route({
      method: 'get',
      path: '/jobs/{job}/rows',
      id: 'listRows',
      summary: 'Rows of a job, page by page',
      query: z.object({
        state: z.enum(rowFilterStates).optional(),
        cause: z.string().max(200).optional(),
        identifier: z
          .string()
          .regex(/^[A-Za-z0-9]{1,200}$/)
          .optional(),
        after: z.coerce.number().int().min(0).max(1e12).default(0),
        max: most,
      }),
      answer: z.object({ rows: z.array(row), next: z.number().nullable() }),
      serve: ({ job, query: { after, max, ...rest } }) =>
        door.use(async (ledger) => {
          const { key } = await plannedJob(ledger, job);
          const filter = Object.fromEntries(
            Object.entries(rest).filter(([, value]) => value !== undefined),
          ) as RowFilter;
          const { rows, next } = await ledger.rowPage(key, filter, after, max);
          return { rows, next: next ?? null };
        }),
    }),
    route({
      method: 'get',
      path: '/jobs/{job}/log',
      id: 'listChanges',
      summary: 'Who changed a job, the last first',
      query: z.object({ max: most }),
      answer: z.object({ changes: z.array(line) }),
      serve: ({ job, query }) =>
        door.use(async (ledger) => {
          await plannedJob(ledger, job);
          const lines = await ledger.audit(query.max, job);
          return {
            changes: lines.map(({ at, who, what, subject, why, detail }) => ({
              at: new Date(at).toISOString(),
              who,
              what,
              subject,
              why: why ?? null,
              detail,
            })),
          };
        }),
    }),
    ...steps.map((step) =>
      route({
        method: 'post',
        path: `/jobs/{job}/${step}`,
        id: `${step}Job`,
        summary: `What \`jobs ${step}\` does`,
        body: reasonBody,
        answer: done,
        serve: async (asked) => {
          await desk.step(asked.job, step, deedOf(asked, asked.body.reason));
          return { job: asked.job };
        },
      }),
    ),
    route({
      method: 'post',
      path: '/jobs/{job}/set',
      id: 'setJob',
      summary: 'Changes how a job is sent',
      body: z.object({
        reason,
        settings: settings.default({}),
        unset: z.array(z.enum(unsettableNames)).default([]),
      }),
      answer: done,
      serve: async (asked) => {
        const { settings: given, unset, reason: why } = asked.body;
        await desk.set(asked.job, { abortWhen: [], ...defined(given) }, unset, deedOf(asked, why));
        return { job: asked.job };
      },
    }),
    route({
      method: 'post',
      path: '/jobs/{job}/retry',
      id: 'retryJob',
      summary: 'Tries the failed rows of a job again',
      body: reasonBody,
      answer: z.object({ job: z.string(), rows: z.number() }),
      serve: async (asked) => ({
        job: asked.job,
        rows: await desk.retry(asked.job, deedOf(asked, asked.body.reason)),
      }),
    }),
    route({
      method: 'post',
      path: '/jobs/{job}/undo',
      id: 'undoJob',
      summary: 'Makes the plan that undoes a job',
      body: z.object({ reason, name: jobIdSchema.optional() }),
      answer: done,
      serve: async (asked) => ({
        job: await desk.undo(asked.job, asked.body.name ?? newName(), deedOf(asked, asked.body.reason)),
      }),
    }),
    route({
      method: 'post',
      path: '/plans',
      id: 'makePlan',
      summary: 'Makes a plan from a file of updates, CSV or JSON',
      query: z.object({
        reason,
        job: jobIdSchema.optional(),
        refresh: z.enum(['true', 'false']).default('true'),
      }),
      body: 'file',
      answer: done,
      serve: async (asked) => {
        const { query, body } = asked;
        if (!(body instanceof Readable))
          throw new PageError('Send the file as text/csv or application/octet-stream.', 415);
        const jobId = query.job ?? newName();
        await desk.requireFree(jobId);
        const deed = deedOf(asked, query.reason);
        await desk.planner.begin({ jobId, source: 'an upload', by: deed.who }, async (folder) => {
          await keep(body, `${folder}/upload`, mostBytes);
          return {
            jobId,
            by: deed.who,
            from: 'file',
            file: 'upload',
            set: {},
            refresh: query.refresh === 'true',
          };
        });
        await door.use((ledger) => desk.planned(ledger, jobId, 'an upload', deed));
        return { job: jobId };
      },
    }),
    route({
      method: 'get',
      path: '/plans/{job}',
      id: 'showPlan',
      summary: 'A plan that waits to be applied',
      answer: planning,
      serve: async ({ job }) => {
        const { state, source, by, note, report } = await desk.planner.get(job);
        return { job, state, source, by, note: note ?? null, counts: report?.counts ?? null };
      },
    }),
    route({
      method: 'post',
      path: '/plans/{job}/apply',
      id: 'applyPlan',
      summary: 'Enters a plan in the ledger, to be sent',
      body: z.object({ reason, settings: settings.default({}) }),
      answer: done,
      serve: async (asked) => {
        const { settings: given, reason: why } = asked.body;
        await desk.apply(asked.job, { abortWhen: [], ...defined(given) }, deedOf(asked, why));
        return { job: asked.job };
      },
    }),
  ];
}

type Defined<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

function defined<T extends object>(all: T): Defined<T> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** @throws PageError for a file that is too large, or cut. */
async function keep(body: Readable, path: string, mostBytes: number): Promise<void> {
  let bytes = 0;
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > mostBytes) done(tooLarge(mostBytes));
      else done(null, chunk);
    },
  });
  try {
    await pipeline(body, bounded, createWriteStream(path, { flags: 'wx', mode: FILE_MODE }));
  } catch (error) {
    if (error instanceof PageError || !body.errored) throw error;
    throw new PageError('The upload was cut before its end: nothing was kept. Send it again.');
  }
}
