/** The navigation of a complete console, for tests of some of its sections. */
import { unavailableSection } from '../../src/console/pages/unavailable.ts';
import type { Section } from '../../src/console/section.ts';

const pages = [
  { path: '/', name: 'Now' },
  { path: '/jobs', name: 'Jobs' },
  { path: '/dead-letters', name: 'Dead letters' },
  { path: '/task', name: 'Task' },
  { path: '/changes', name: 'Log of changes' },
] as const;

/** All of the console's pages in order: those not among `sections` say that they are unavailable. */
export function withOtherPages(sections: readonly Section[]): readonly Section[] {
  const missing = pages.map(
    (page) =>
      sections.find(({ nav }) => nav?.path === page.path) ??
      unavailableSection(page, 'It is no part of a test.'),
  );
  return [...missing, ...sections.filter(({ nav }) => nav === undefined)];
}
