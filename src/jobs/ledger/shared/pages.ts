/** Large sets in pages, so memory use stays flat. */
import { setImmediate } from 'node:timers/promises';
import type { Raw } from './records.ts';

const PAGE_ROWS = 500;

/**
 * Everything that `select` gives, in the order of `place`.
 * @param select gives at most `max` rows after `after`, in order.
 * @param place the column that orders the rows.
 */
export async function* pagesOf<Row>(
  select: (after: number, max: number) => readonly Raw[] | Promise<readonly Raw[]>,
  place: 'row' | 'seq',
  toRow: (raw: Raw) => Row,
): AsyncGenerator<readonly Row[], undefined> {
  for (let after = 0; ; ) {
    const page = await select(after, PAGE_ROWS);
    if (page.length === 0) return;
    yield page.map(toRow);
    after = Number(page.at(-1)?.[place]);
    // SQLite never yields to the event loop: without this pause, signals would be handled only after the last
    // page.
    await setImmediate();
  }
}
