/** The API of jobs: offers what their pages show and do. */
import { z } from 'zod';
import type { RowFilter } from '../../jobs/ledger/row.ts';
import { jobNameSchema } from '../../jobs/plan/job-name.ts';
import { standingJson } from '../../jobs/view/standing-json.ts';
import { steps } from '../jobs/desk.ts';
import { looksSeen } from '../jobs/kept-looks.ts';
import { plannedJob } from '../jobs/ledger-door.ts';
import type { JobsOptions } from '../jobs/options.ts';
import { rowFilterStates } from '../jobs/rows-page.ts';
import { JobWatch } from '../jobs/seen.ts';
import { deedOf, defined } from './asked.ts';
import { digits, onlyFields } from './asked-shapes.ts';
import {
  devices,
  devicesJson,
  done,
  line,
  listed,
  reason,
  reasonBody,
  reconciliation,
  reconciliationJson,
  row,
  settings,
  standing,
  unset,
} from './job-shapes.ts';
import { type ApiRoute, route } from './route.ts';

/** Maximum for a page of rows, and for a list. */
const MOST_ROWS = 1_000;
const most = digits(1, MOST_ROWS).default(100);

type Options = Pick<JobsOptions, 'door' | 'desk' | 'newName' | 'clock' | 'verifier' | 'reconciler'>;

export function jobRoutes({
  door,
  desk,
  newName,
  clock,
  verifier,
  reconciler,
}: Options): readonly ApiRoute[] {
  const here = { verifier, reconciler };
  const looksAt = (jobId: string) =>
    door.read(async (ledger) => {
      await plannedJob(ledger, jobId);
      return await looksSeen(ledger, jobId, here);
    });
  const wait: ApiRoute['wait'] = (served, { takenIn }) => door.awaited(served, takenIn);
  return [
    route({
      method: 'get',
      path: '/jobs',
      id: 'listJobs',
      summary: 'The most recently changed jobs',
      query: onlyFields({ max: most }),
      answer: z.object({ jobs: z.array(listed), all: z.number() }),
      serve: ({ query }) =>
        door.read(async (ledger) => {
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
      serve: async ({ subject: job }) => {
        const seen = await door.read((ledger) => new JobWatch(job, clock).look(ledger, here));
        return JSON.parse(standingJson(seen.standing, { outlook: seen.outlook }));
      },
    }),
    route({
      method: 'get',
      path: '/jobs/{job}/rows',
      id: 'listRows',
      summary: 'Rows of a job, page by page',
      query: onlyFields({
        state: z.enum(rowFilterStates).optional(),
        cause: z.string().min(1).max(200).optional(),
        identifier: z
          .string()
          .regex(/^[A-Za-z0-9]{1,200}$/, 'must have 1 to 200 letters and digits')
          .optional(),
        after: digits(0, 1_000_000_000_000).default(0),
        max: most,
      }),
      answer: z.object({ rows: z.array(row), next: z.number().nullable() }),
      serve: ({ subject: job, query: { after, max, ...rest } }) =>
        door.read(async (ledger) => {
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
      summary: 'Who changed a job, newest first',
      query: onlyFields({ max: most }),
      answer: z.object({ changes: z.array(line) }),
      serve: ({ subject: job, query }) =>
        door.read(async (ledger) => {
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
        wait,
        answer: done,
        serve: async (asked) => {
          await desk.step(asked.subject, step, deedOf(asked, asked.body.reason));
          return { job: asked.subject };
        },
      }),
    ),
    route({
      method: 'post',
      path: '/jobs/{job}/set',
      id: 'setJob',
      summary: 'Changes how a job is sent',
      body: onlyFields({
        reason,
        settings: settings.default({}),
        unset,
      }),
      wait,
      answer: done,
      serve: async (asked) => {
        const { settings: given, unset: names, reason: why } = asked.body;
        await desk.set(asked.subject, { abortWhen: [], ...defined(given) }, names, deedOf(asked, why));
        return { job: asked.subject };
      },
    }),
    route({
      method: 'post',
      path: '/jobs/{job}/retry',
      id: 'retryJob',
      summary: 'Tries the failed rows of a job again',
      body: reasonBody,
      wait,
      answer: z.object({ job: z.string(), rows: z.number() }),
      serve: async (asked) => ({
        job: asked.subject,
        rows: await desk.retry(asked.subject, deedOf(asked, asked.body.reason)),
      }),
    }),
    ...(['verify', 'reconcile'] as const).map((look) =>
      route({
        method: 'post',
        path: `/jobs/{job}/${look}`,
        id: `${look}Job`,
        summary:
          look === 'verify'
            ? 'Starts a look at the devices behind the tasks of a job'
            : 'Starts to end the rows whose outcome never arrived, according to their tasks; then the job continues',
        body: reasonBody,
        wait,
        answer: done,
        serve: async (asked) => {
          await desk[look](asked.subject, deedOf(asked, asked.body.reason));
          return { job: asked.subject };
        },
      }),
    ),
    route({
      method: 'get',
      path: '/jobs/{job}/reconciliation',
      id: 'showReconciliation',
      summary: 'What the last reconciliation of a job has found',
      answer: reconciliation,
      serve: async ({ subject: job }) => {
        const { reconciliation: found } = await looksAt(job);
        return reconciliationJson(job, found);
      },
    }),
    route({
      method: 'get',
      path: '/jobs/{job}/devices',
      id: 'showDevices',
      summary: 'What the last look at the devices of a job has found',
      answer: devices,
      serve: async ({ subject: job }) => {
        const { verification } = await looksAt(job);
        return devicesJson(job, verification);
      },
    }),
    route({
      method: 'post',
      path: '/jobs/{job}/undo',
      id: 'undoJob',
      summary: 'Makes the plan that undoes a job',
      body: onlyFields({ reason, name: jobNameSchema.optional() }),
      wait,
      answer: done,
      serve: async (asked) => ({
        job: await desk.undo(asked.subject, asked.body.name ?? newName(), deedOf(asked, asked.body.reason)),
      }),
    }),
  ];
}
