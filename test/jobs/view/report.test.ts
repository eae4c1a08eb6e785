import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reportText } from '../../../src/jobs/view/report.ts';
import { safeCsv } from '../../../src/text/safe-csv.ts';

/** A report of one row that says `said` wherever it may. */
function csv(said: string): string[] {
  const row = {
    Row: 1,
    Identifier: said,
    State: 'refused',
    Reason: said,
    ErrorMessage: said,
    Reconciled: true,
  };
  const text = [...reportText([row as never], 'csv')].join('');
  return parse(text)[1] ?? [];
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
])('the report writes %j as %j', (said, written) => {
  const [, identifier, , , , , state, reason] = csv(said);
  expect([identifier, state, reason]).toEqual([written, 'refused', written]);
});

test('no cell of the CSV begins a formula, whatever separates the cells, and none controls a terminal', () => {
  const hostile = fc.string({
    unit: fc.constantFrom('=', '+', '-', '@', ';', ',', '"', '\t', '\r', '\n', ' ', 'a'),
  });
  fc.assert(
    fc.property(hostile, (said) => {
      for (const cell of csv(said)) {
        expect(cell).not.toMatch(/^[=+\-@]|;\s*[=+\-@]|\p{Cc}/u);
      }
    }),
  );
});

test('numbers and booleans are written as they are', () => {
  expect(safeCsv([[-1, true, undefined, 'x', 'a,b']])).toBe('-1,true,,x,"a,b"\n');
});
