/** The section *Now*. */
import { Feed } from '../live/feed.ts';
import type { Section } from '../section.ts';
import { sampleColumns } from './columns.ts';
import { NOW_STREAM, nowPage, nowPart } from './page.ts';
import type { Watch } from './watch.ts';

/** @param watch must already be running. */
export function nowSection(watch: Watch): Section {
  return {
    nav: { path: '/', name: 'Now' },
    add: (site) => {
      site.view('/', async () => nowPage(await watch.seen()));
      site.live(
        NOW_STREAM,
        new Feed({
          look: async () => {
            const seen = await watch.next();
            if (seen === undefined) return { html: '' };
            return {
              html: String(nowPart(seen)),
              event: { name: 'sample', data: sampleColumns([seen.sample]).map(([value]) => value) },
            };
          },
          everyMs: 0,
          sleep: async () => {},
        }),
      );
    },
  };
}
