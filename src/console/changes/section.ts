/** The section *Log of changes*. */
import type { Section } from '../section.ts';
import { type ChangeSources, newestChanges } from './newest.ts';
import { changesPage } from './page.ts';

/** Maximum number of changes on the page. */
const MOST = 200;

export function changesSection(sources: ChangeSources): Section {
  return {
    nav: { path: '/changes', name: 'Log of changes' },
    add: (site) => site.view('/changes', async () => changesPage(await newestChanges(sources, MOST))),
  };
}
