/** Large sets in pages, so that memory stays flat. */
import { setImmediate } from 'node:timers/promises';
import type { Raw } from './records.ts';

const PAGE_ROWS = 500;

/**
 * All that `select` gives, in the order of `place`.
 * @param select gives at most `max` rows behind `after`, in order.
 * @param place the column that they are ordered by.
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
    // SQLite never waits: without a pause, signals would come after the last page.
    await setImmediate();
  }
}
