/** The API of plans: made from a file or from live tasks, read, applied, discarded. */
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { FILE_MODE } from '../../files/private.ts';
import { toConditions, type WhereField, whereFields } from '../../jobs/plan/conditions.ts';
import { jobNameSchema } from '../../jobs/plan/job-name.ts';
import { configurationsJson } from '../../jobs/plan/summary.ts';
import { updateSchema } from '../../message/update.ts';
import type { JobsOptions } from '../jobs/options.ts';
import { type Planning, UPLOAD_FILE } from '../jobs/planner.ts';
import { tooLarge } from '../jobs/upload.ts';
import { PageError } from '../pages/page-error.ts';
import { inFields } from '../pages/setting-names.ts';
import { deedOf, defined } from './asked.ts';
import { onlyFields } from './asked-shapes.ts';
import { awayJson, done, planning, reason, reasonBody, settings } from './job-shapes.ts';
import { type ApiRoute, route } from './route.ts';

type Options = Pick<JobsOptions, 'door' | 'desk' | 'newName' | 'mostBytes'>;

const { Description, TaskConfigurationId } = updateSchema.shape;
const values = z.array(z.string().min(1).max(200)).min(1).optional();
type WhereShape = Record<WhereField, typeof values>;

export function planRoutes({ door, desk, newName, mostBytes }: Options): readonly ApiRoute[] {
  const wait: ApiRoute['wait'] = (served, { takenIn }) => door.awaited(served, takenIn);
  return [
    route({
      method: 'get',
      path: '/plans',
      id: 'listPlans',
      summary: 'Plans that wait to be applied, newest first',
      answer: z.object({ plans: z.array(planning) }),
      serve: async () => ({ plans: (await desk.planner.all()).map(planningJson) }),
    }),
    route({
      method: 'post',
      path: '/plans',
      id: 'makePlan',
      summary: 'Makes a plan from a file of updates, CSV or JSON',
      query: onlyFields({
        reason,
        job: jobNameSchema.optional(),
        refresh: z.enum(['true', 'false']).default('true'),
      }),
      body: 'file',
      wait,
      answer: done,
      serve: async (asked) => {
        const { query, body } = asked;
        if (!(body instanceof Readable))
          throw new PageError('Send the file as text/csv or application/octet-stream.', 415);
        const job = query.job ?? newName();
        await desk.plan(job, 'an upload', deedOf(asked, query.reason), async (folder) => {
          await keep(body, `${folder}/${UPLOAD_FILE}`, mostBytes);
          return { from: 'file', name: 'upload', set: {}, refresh: query.refresh === 'true' };
        });
        return { job };
      },
    }),
    route({
      method: 'post',
      path: '/plans/live',
      id: 'planLiveTasks',
      summary: 'Makes a plan for the live tasks',
      body: onlyFields({
        reason,
        job: jobNameSchema.optional(),
        where: onlyFields(Object.fromEntries(whereFields.map((field) => [field, values])) as WhereShape)
          .default({})
          .meta({ description: 'Accepted values by field; a task must have one of them. Empty: all tasks.' }),
        set: onlyFields({ Description, TaskConfigurationId }).refine(
          (set) => Object.values(set).some((value) => value !== undefined),
          'say what to set on the tasks',
        ),
        refresh: z.boolean().default(true),
      }),
      wait,
      answer: done,
      serve: async (asked) => {
        const { where, set, refresh, reason: why } = asked.body;
        const conditions = toConditions(
          whereFields.flatMap((field) => (where[field] ?? []).map((value) => [field, value] as const)),
        );
        const job = asked.body.job ?? newName();
        await desk.plan(job, 'live tasks', deedOf(asked, why), async () => ({
          from: 'live',
          conditions,
          set: defined(set),
          refresh,
        }));
        return { job };
      },
    }),
    route({
      method: 'get',
      path: '/plans/{job}',
      id: 'showPlan',
      summary: 'A plan that waits to be applied',
      answer: planning,
      serve: async ({ subject: job }) => planningJson(await desk.planner.get(job)),
    }),
    route({
      method: 'post',
      path: '/plans/{job}/apply',
      id: 'applyPlan',
      summary: 'Enters a plan in the ledger, to be sent',
      body: onlyFields({ reason, settings: settings.default({}) }),
      wait: async (served, { subject }) =>
        (await desk.applying.entered(subject, served)) ? await served : { job: subject, entered: false },
      answer: done.extend({
        entered: z.boolean().meta({
          description:
            'Whether all rows are in the ledger. If not, the job has begun there and its rows are still being entered; if that fails, the plan is `made` again, and its `note` says why.',
        }),
      }),
      serve: async (asked) => {
        const { settings: given, reason: why } = asked.body;
        await desk.applying.apply(asked.subject, { abortWhen: [], ...defined(given) }, deedOf(asked, why));
        return { job: asked.subject, entered: true };
      },
    }),
    route({
      method: 'post',
      path: '/plans/{job}/discard',
      id: 'discardPlan',
      summary: 'Discards a plan, or stops making one',
      body: reasonBody,
      wait,
      answer: done,
      serve: async (asked) => {
        await desk.discard(asked.subject, deedOf(asked, asked.body.reason));
        return { job: asked.subject };
      },
    }),
  ];
}

function planningJson({ jobId, state, source, by, note, noteSince, away, report }: Planning) {
  return {
    job: jobId,
    state,
    source,
    by,
    note: note === undefined ? null : inFields(note),
    noteSince: noteSince === undefined ? null : new Date(noteSince).toISOString(),
    away: awayJson(away),
    counts: report?.counts ?? null,
    configurations: report === undefined ? null : configurationsJson(report),
  };
}

/** @throws PageError for a file that is too large or truncated. */
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
    // The decompressor replaces the error that breaks it.
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    if (error instanceof PageError || !body.errored) throw error;
    throw new PageError('The upload was cut off: nothing was kept. Send it again.');
  }
}
