/** The API of the present state, and of one task. PURE, except for its parameters. */
import { z } from 'zod';
import { updateSchema } from '../../message/update.ts';
import { traceJson } from '../../trace/json.ts';
import type { Trace } from '../../trace/trace.ts';
import { type ChangeSources, newestChanges } from '../changes/newest.ts';
import { SAMPLES, sampleColumns, sampleNames } from '../now/columns.ts';
import type { Sample } from '../now/samples.ts';
import { PageError } from '../pages/page-error.ts';
import { digits, onlyFields } from './asked-shapes.ts';
import { type ApiRoute, route } from './route.ts';

export interface ObserveOptions {
  /**
   * What `status --json` prints, and which sources have not answered since when; undefined before the first look.
   */
  readonly status: () => Promise<
    | {
        readonly text: string;
        readonly away: readonly { readonly what: string; readonly since: number }[];
      }
    | undefined
  >;
  /** The last hour, oldest first. */
  readonly samples: () => readonly Sample[];
  readonly changes: ChangeSources;
  readonly trace: (identifier: string, signal: AbortSignal) => Promise<Trace>;
}

export function observeRoutes({ status, samples, changes, trace }: ObserveOptions): readonly ApiRoute[] {
  return [
    route({
      method: 'get',
      path: '/status',
      id: 'showStatus',
      summary: 'Whether updates go through, and how fast',
      answer: z
        .looseObject({
          at: z.string(),
          state: z.string(),
          sentence: z.string(),
          away: z.array(z.object({ what: z.string(), since: z.string() })).meta({
            description: 'Which of workers, queues and ledger do not answer, and since when.',
          }),
        })
        .meta({ description: 'What `status --json` prints, and what does not answer.' }),
      serve: async () => {
        const seen = await status();
        if (seen === undefined) throw new PageError('Nothing was looked at yet: ask again.', 503);
        const away = seen.away.map(({ what, since }) => ({ what, since: new Date(since).toISOString() }));
        return { ...JSON.parse(seen.text), away };
      },
    }),
    route({
      method: 'get',
      path: SAMPLES,
      id: 'listSamples',
      summary: 'The last hour in columns, the oldest first: what the chart is drawn from',
      answer: z.object({
        columns: z.array(z.enum(sampleNames)),
        values: z.array(z.array(z.number().nullable())),
      }),
      serve: async () => ({ columns: sampleNames, values: sampleColumns(samples()) }),
    }),
    route({
      method: 'get',
      path: '/changes',
      id: 'listAllChanges',
      summary: 'Who changed what, when and why, newest first',
      query: onlyFields({ max: digits(1, 1_000).default(100) }),
      answer: z.object({
        changes: z.array(
          z.object({
            at: z.string(),
            who: z.string(),
            what: z.string(),
            why: z.string(),
            detail: z.string(),
          }),
        ),
        away: z
          .record(z.string(), z.string())
          .meta({ description: 'Logs that cannot be read, since when, and why.' }),
      }),
      serve: async ({ query }) => {
        const { shown, away } = await newestChanges(changes, query.max);
        return {
          changes: shown.map(({ at, who, what, why, detail }) => ({
            at: new Date(at).toISOString(),
            who,
            what,
            why,
            detail,
          })),
          away: Object.fromEntries(away.map(({ name, why }) => [name, why])),
        };
      },
    }),
    route({
      method: 'get',
      path: '/trace',
      id: 'traceTask',
      summary: 'What happened to a task',
      query: onlyFields({ identifier: updateSchema.shape.Identifier }),
      answer: z.looseObject({ identifier: z.string() }).meta({ description: 'What `trace --json` prints.' }),
      serve: async ({ query, request }) => {
        const gone = new AbortController();
        request.raw.once('close', () => gone.abort());
        return JSON.parse(traceJson(await trace(query.identifier, gone.signal)));
      },
    }),
  ];
}
