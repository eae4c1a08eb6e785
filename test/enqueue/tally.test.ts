import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tallyRows } from '../../src/enqueue/tally.ts';
import type { InputRow, RefusedRow } from '../../src/input/row.ts';

const row = (line: number, Identifier = 'a1'): InputRow => ({
  line,
  raw: 'raw',
  update: { Identifier, Description: 'x' },
});
const refused = (line: number): InputRow => ({ line, raw: 'raw', reason: 'no' });

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function tally(rows: readonly InputRow[], fromLine = 1, signal = new AbortController().signal) {
  const found: RefusedRow[] = [];
  const counts = await tallyRows(each(rows), {
    fromLine,
    signal,
    onRefused: (refusedRow) => found.push(refusedRow),
  });
  return { ...counts, refusedLines: found.map(({ line }) => line) };
}

describe('tallyRows', () => {
  test('counts good, refused, skipped and repeated rows', async () => {
    const rows = ['a', 'b', 'a', '!', 'c', 'a', 'b'].map((Identifier, i) =>
      Identifier === '!' ? refused(i + 2) : row(i + 2, Identifier),
    );
    expect(await tally(rows, 4)).toEqual({
      rows: 7,
      refused: 1,
      refusedLines: [5],
      skipped: 2,
      toSend: 4,
      lastLine: 8,
      duplicates: { values: 2, rows: 3 },
      duplicateRequestIds: { values: 0, rows: 0 },
    });
  });

  test('counts RequestIds that more than one row has, and only those that are given', async () => {
    const withId = (line: number, RequestId: string): InputRow => ({
      line,
      raw: 'raw',
      update: { Identifier: `a${line}`, Description: 'x', RequestId },
    });
    const rows = [withId(2, 'r1'), row(3), withId(4, 'r2'), row(5), withId(6, 'r1'), withId(7, 'r1')];
    expect((await tally(rows)).duplicateRequestIds).toEqual({ values: 1, rows: 2 });
  });

  test('reports refused rows before the line to begin with too', async () => {
    expect(await tally([refused(2), row(3)], 3)).toMatchObject({ refusedLines: [2], toSend: 1 });
  });

  test('ends early when it is interrupted', async () => {
    expect(await tally([row(2)], 1, AbortSignal.abort())).toMatchObject({ rows: 0 });
  });

  test('counts repeated Identifiers exactly', async () => {
    const identifiers = fc.array(fc.stringMatching(/^[A-Za-z0-9]{1,3}$/), { maxLength: 2_000 });
    await fc.assert(
      fc.asyncProperty(identifiers, async (all) => {
        const rows = all.map((Identifier, i) => row(i + 2, Identifier));
        const groups = Object.values(Object.groupBy(all, (identifier) => `_${identifier}`));
        const repeated = groups.map((group) => group?.length ?? 0).filter((count) => count > 1);
        expect((await tally(rows)).duplicates).toEqual({
          values: repeated.length,
          rows: repeated.reduce((sum, count) => sum + count - 1, 0),
        });
      }),
      { numRuns: 30 },
    );
  });
});
