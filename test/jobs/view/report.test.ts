import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobRecord } from '../../../src/jobs/ledger/job.ts';
import type { LedgerRow } from '../../../src/jobs/ledger/row.ts';
import { isReport, type ReportFormat, type ReportRow, reportText } from '../../../src/jobs/view/report.ts';
import { reportFilter } from '../../../src/jobs/view/report-filter.ts';
import { safeCsv } from '../../../src/text/safe-csv.ts';
import { anyText } from '../../../testing/any-text.ts';

/** The report of one row that says `said` wherever it may. */
async function reportOf(said: string, format: ReportFormat): Promise<string> {
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
  return (await Array.fromAsync(reportText({ pages, unmatched }, job, format))).join('');
}

/** Its cells. */
async function csv(said: string): Promise<string[]> {
  return parse(await reportOf(said, 'csv'))[1] ?? [];
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

test('what begins as a report is one, whatever it says, and a file of some of its columns is not', async () => {
  const text = anyText({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom<ReportFormat[]>('csv', 'json'), async (said, format) => {
      expect(isReport((await reportOf(said, format)).slice(0, 4_096))).toBe(true);
    }),
  );
  expect(isReport('[\n{"Identifier":"a1","State":"applied","Attempts":1}\n]\n')).toBe(true);
  for (const other of [
    'Row,Identifier,Description\n1,a1,x\n',
    'Row,Identifier,Description,TaskConfigurationId\n1,a1,x,\n',
    '[\n{"Row":1,"Identifier":"a1","Description":"\\"State\\":\\""}\n]\n',
    '[\n{"State":"Ohio"}\n]\n',
    '',
  ])
    expect(isReport(other), other).toBe(false);
});

test('a report can be of some states and errors, and a wrong state is told with the right one', () => {
  const row = (facts: Partial<ReportRow>) => facts as ReportRow;
  const rows = [
    row({ Row: 1, State: 'applied', Try: 1 }),
    row({ Row: 2, State: 'dead-lettered', Try: 1, Reason: 'Rejected', ErrorName: 'NotFound' }),
    row({ Row: 3, State: 'refused', Try: 1, ErrorName: 'RefusedBySqs' }),
    row({ Row: 4, State: 'refused', Reason: 'Identifier: missing' }),
  ];
  const kept = (states: string[], errors: string[] = []) =>
    rows.filter(reportFilter(states, errors)).map(({ Row }) => Row);
  expect(kept([])).toEqual([1, 2, 3, 4]);
  expect(kept(['failed'])).toEqual([2, 3]);
  expect(kept(['refused'])).toEqual([3, 4]);
  expect(kept(['applied', 'failed'])).toEqual([1, 2, 3]);
  expect(kept([], ['notfound'])).toEqual([2]);
  expect(kept(['failed'], ['Rejected', 'RefusedBySqs'])).toEqual([2, 3]);
  expect(() => kept(['deadlettered'])).toThrow(
    /^--state deadlettered: there is no such state\. Did you mean "dead-lettered"\? The states are failed, planned, /,
  );
});

test('numbers and booleans are written as they are', () => {
  expect(safeCsv([[-1, true, undefined, 'x', 'a,b']])).toBe('-1,true,,x,"a,b"\n');
});
