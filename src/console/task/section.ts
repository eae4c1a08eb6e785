/** The section *Task*. */
import { updateSchema } from '../../message/update.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Section } from '../section.ts';
import { taskPage } from './page.ts';

/** @param trace asks all sources; its report says what a source cannot tell. */
export function taskSection(trace: (identifier: string, signal: AbortSignal) => Promise<Trace>): Section {
  return {
    nav: { path: '/task', name: 'Task' },
    add: (site) =>
      site.view('/task', async ({ query, raw }) => {
        const { identifier } = query as { readonly identifier?: unknown };
        if (typeof identifier !== 'string') return taskPage('', undefined, undefined);
        const asked = identifier.trim();
        const { error } = updateSchema.shape.Identifier.safeParse(asked);
        if (error !== undefined)
          return taskPage(asked.slice(0, 200), `Identifier: ${error.issues[0]?.message}.`, undefined);
        const gone = new AbortController();
        raw.once('close', () => gone.abort());
        return taskPage(asked, undefined, await trace(asked, gone.signal));
      }),
  };
}
