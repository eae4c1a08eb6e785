/** The section of the API that the chart of the first page is drawn from, for tests. */
import { observeRoutes } from '../../src/console/api/observe.ts';
import { apiSection } from '../../src/console/api/serve.ts';
import type { Watch } from '../../src/console/now/watch.ts';
import type { Section } from '../../src/console/section.ts';
import type { Trace } from '../../src/trace/trace.ts';

export function observeSection(watch: Watch): Section {
  const none = async (identifier: string): Promise<Trace> => ({
    identifier,
    task: undefined,
    updates: [],
    sources: [],
  });
  const samples = () => watch.samples();
  return apiSection(
    observeRoutes({ status: async () => undefined, samples, changes: {}, trace: none }),
    '0',
    Date.now,
  );
}
