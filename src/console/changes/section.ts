/** The section *Log of changes*. */
import type { Section } from '../section.ts';
import { type ChangesAnswer, changesPage } from './page.ts';

/** Changes on the page; each source is asked for as many. */
const MOST = 200;

/** @param sources by what they are changes of. None rejects. */
export function changesSection(
  sources: Readonly<Record<string, (most: number) => Promise<ChangesAnswer>>>,
): Section {
  return {
    nav: { path: '/changes', name: 'Log of changes' },
    add: (site) =>
      site.view('/changes', async () => {
        const answers = await Promise.all(
          Object.entries(sources).map(async ([name, ask]) => [name, await ask(MOST)] as const),
        );
        return changesPage(Object.fromEntries(answers), MOST);
      }),
  };
}
