import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobRecord } from '../../../src/jobs/ledger/job.ts';
import type { LedgerRow } from '../../../src/jobs/ledger/row.ts';
import { reportText } from '../../../src/jobs/view/report.ts';
import { safeCsv } from '../../../src/text/safe-csv.ts';

/** The report of one row that says `said` wherever it may. */
async function csv(said: string): Promise<string[]> {
  const end = { reason: said, error: { name: said, message: said } };
  const row: LedgerRow = {
    Row: 1,
    Identifier: said,
    state: 'refused',
    try: 1,
    sends: 1,
    end,
    reconciled: true,
  };
  async function* pages() {
    yield [row];
  }
  async function* unmatched() {}
  const job = { key: 1, plan: {} } as JobRecord;
  const text = await Array.fromAsync(reportText({ pages, unmatched }, job, 'csv'));
  return parse(text.join(''))[1] ?? [];
}

test.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(1)', "'@SUM(1)"],
  ['\t=1', '\\t=1'],
  ['\uff1d1', "'\uff1d1"],
  ['a;=1+1', "a;'=1+1"],
  ['a; @x;-1', "a;' @x;'-1"],
  ['a,"b"\n=1', 'a,"b"\\n=1'],
  ['plain - text', 'plain - text'],
])('the report writes %j as %j', async (said, written) => {
  const [, identifier, , , , , state, reason] = await csv(said);
  expect([identifier, state, reason]).toEqual([written, 'refused', written]);
});

test('no cell of the CSV begins a formula, whatever separates the cells, and none controls a terminal', async () => {
  const hostile = fc.string({
    unit: fc.constantFrom('=', '+', '-', '@', ';', ',', '"', '\t', '\r', '\n', ' ', 'a'),
  });
  await fc.assert(
    fc.asyncProperty(hostile, async (said) => {
      for (const cell of await csv(said)) {
        expect(cell).not.toMatch(/^[=+\-@]|;\s*[=+\-@]|\p{Cc}/u);
      }
    }),
  );
});

test('numbers and booleans are written as they are', () => {
  expect(safeCsv([[-1, true, undefined, 'x', 'a,b']])).toBe('-1,true,,x,"a,b"\n');
});
