/** The API of what goes on now, and of one task. PURE but for what it is given. */
import { z } from 'zod';
import { updateSchema } from '../../message/update.ts';
import { traceJson } from '../../trace/json.ts';
import type { Trace } from '../../trace/trace.ts';
import { PageError } from '../pages/page-error.ts';
import { type ApiRoute, route } from './route.ts';

export interface ObserveOptions {
  /** What `status --json` prints; undefined where nothing was looked at yet. */
  readonly status: () => Promise<string | undefined>;
  readonly trace: (identifier: string, signal: AbortSignal) => Promise<Trace>;
}

export function observeRoutes({ status, trace }: ObserveOptions): readonly ApiRoute[] {
  return [
    route({
      method: 'get',
      path: '/status',
      id: 'showStatus',
      summary: 'Whether updates go through, and how fast',
      answer: z
        .looseObject({ at: z.string(), state: z.string(), sentence: z.string() })
        .meta({ description: 'What `status --json` prints.' }),
      serve: async () => {
        const text = await status();
        if (text === undefined) throw new PageError('Nothing was looked at yet: ask again.', 503);
        return JSON.parse(text);
      },
    }),
    route({
      method: 'get',
      path: '/trace',
      id: 'traceTask',
      summary: 'What happened to a task',
      query: z.object({ identifier: updateSchema.shape.Identifier }),
      answer: z.looseObject({ identifier: z.string() }).meta({ description: 'What `trace --json` prints.' }),
      serve: async ({ query, request }) => {
        const gone = new AbortController();
        request.raw.once('close', () => gone.abort());
        return JSON.parse(traceJson(await trace(query.identifier, gone.signal)));
      },
    }),
  ];
}
