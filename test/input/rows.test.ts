import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import { noColumnFlags } from '../../src/input/columns.ts';
import { MAX_LINE_LENGTH } from '../../src/input/lines.ts';
import type { Format, RefusedRow, RowFields } from '../../src/input/row.ts';
import { parseRows } from '../../src/input/rows.ts';
import { updateFields } from '../../src/message/update.ts';
import { anyText } from '../../testing/any-text.ts';

function rowsOf(
  text: string | Uint8Array,
  format: Format = 'csv',
  flags = noColumnFlags,
): Promise<(RowFields | RefusedRow)[]> {
  const chunks = (async function* () {
    yield Buffer.from(text as string);
  })();
  return Array.fromAsync(parseRows({ name: 'tasks.csv', format, chunks, flags }));
}

const csv = (...lines: string[]): Promise<(RowFields | RefusedRow)[]> =>
  rowsOf(['Identifier,Description,TaskConfigurationId', ...lines].join('\n'));

describe('parseRows of CSV', () => {
  test('names the fields by the header and the rows by their line', async () => {
    expect(await csv('a1,Nightly,cfg', 'b2,Weekly,cfg')).toEqual([
      {
        line: 2,
        raw: 'a1,Nightly,cfg',
        fields: { Identifier: 'a1', Description: 'Nightly', TaskConfigurationId: 'cfg' },
      },
      {
        line: 3,
        raw: 'b2,Weekly,cfg',
        fields: { Identifier: 'b2', Description: 'Weekly', TaskConfigurationId: 'cfg' },
      },
    ]);
  });

  test('takes an empty cell for an absent field', async () => {
    expect(await csv('a1,,cfg', 'b2,"",cfg')).toMatchObject([
      { fields: { Identifier: 'a1', TaskConfigurationId: 'cfg' } },
      { fields: { Identifier: 'b2', TaskConfigurationId: 'cfg' } },
    ]);
  });

  test('reads a byte order mark, CRLF, quoted cells and spaces around column names', async () => {
    const rows = await rowsOf('\uFEFFIdentifier, Description\r\n"a1","Night ""1"", long"\r\n');
    expect(rows).toMatchObject([{ line: 2, fields: { Identifier: 'a1', Description: 'Night "1", long' } }]);
  });

  test('skips blank lines and keeps the numbers of the others', async () => {
    expect((await csv('', 'a1,x,y', '  ', 'b2,x,y', '')).map((row) => row.line)).toEqual([3, 5]);
  });

  test('says which lines a quote has swallowed', async () => {
    const rows = await csv('a1,"one', 'b2,two,cfg', 'three",cfg', 'c3,x,y', 'd4,"x', 'y","z",4');
    const lines = (from: number, to: number): string =>
      `lines ${from} to ${to} are one row, because a quote (") that opens on line ${from} closes on line ${to}`;
    expect(rows).toMatchObject([
      { line: 2, reason: lines(2, 4), values: { Identifier: 'a1', TaskConfigurationId: 'cfg' } },
      { line: 5, fields: { Identifier: 'c3' } },
      { line: 6, reason: `has 4 cells, the header has 3 columns; ${lines(6, 7)}` },
    ]);
  });

  test('says it also where the column is left out, and of rows that --where does not ask for', async () => {
    const text = 'Identifier,Description,Note\na1,x,"one\nb2,y,two\nc3,z,three"\nd4,x,no\n';
    const flags = { ...noColumnFlags, ignored: ['note'] };
    const reason = 'lines 2 to 4 are one row, because a quote (") that opens on line 2 closes on line 4';
    for (const where of [[], [['Description', 'z']] as const])
      expect((await rowsOf(text, 'csv', { ...flags, where }))[0]).toMatchObject({ line: 2, reason });
  });

  test('takes a cell of several lines where the column is left out', async () => {
    const text = 'Identifier,Description,Note\na1,x,"one\ntwo"\nb2,y,z\n';
    const flags = { ...noColumnFlags, ignored: ['note'] };
    expect(await rowsOf(text, 'csv', flags)).toMatchObject([
      { line: 2, fields: { Identifier: 'a1', Description: 'x' } },
      { line: 4, fields: { Identifier: 'b2', Description: 'y' } },
    ]);
  });

  test.each([
    ['at the start of a cell', 'a1,"Nightly,cfg'],
    ['in an open cell', 'a1,Night"ly,cfg'],
    ['after the end of a quoted cell', '"a1"x,Nightly,cfg'],
  ])('lets a stray quote %s spoil its own line only', async (_where, line) => {
    const rows = await csv('a1,x,y', line, 'b2,x,y', '"c3","x","y"');
    expect(rows[1]).toEqual({ line: 3, raw: line, reason: 'a quote (") is misplaced or never closed' });
    expect([rows[0], rows[2], rows[3]]).toMatchObject([
      { line: 2, fields: { Identifier: 'a1' } },
      { line: 4, fields: { Identifier: 'b2' } },
      { line: 5, fields: { Identifier: 'c3' } },
    ]);
  });

  test('gives up a quote that stays open for more than fifty lines', async () => {
    const rows = await csv('a1,"x,y', ...Array.from({ length: 60 }, (_, i) => `b${i},x,y`), 'c3,x",y');
    expect(rows).toHaveLength(62);
    expect(rows.filter((row) => 'reason' in row).map((row) => row.line)).toEqual([2, 63]);
  });

  test.each([
    ['too few', 'a1,x', 'has 2 cells, the header has 3 columns'],
    ['too many', 'a1,x,y,z', 'has 4 cells, the header has 3 columns'],
    ['one', 'a1', 'has 1 cell, the header has 3 columns'],
  ])('refuses a row with %s cells', async (_what, line, reason) => {
    expect(await csv(line)).toEqual([{ line: 2, raw: line, reason }]);
  });

  test('refuses a line that is too long, and keeps its beginning', async () => {
    const [row] = await csv(`a1,${'x'.repeat(MAX_LINE_LENGTH)},y`);
    expect(row).toMatchObject({ line: 2, reason: 'is longer than 32000 characters' });
    expect(row?.raw).toHaveLength(MAX_LINE_LENGTH);
  });

  test.each([
    ['Identifier,Configuration', 'unknown column "Configuration". Did you mean TaskConfigurationId?'],
    ['TaskName,Descripton', 'unknown columns "TaskName", "Descripton", and no column Identifier.'],
    ['Identifier,', 'there is nothing to change'],
    ['Description,', 'there is no column Identifier, only "Description".'],
    ['Identifier,identifier', 'the columns "Identifier", "identifier" are both Identifier.'],
    ['Identifier,\u001b[31mred', 'unknown column "\\u{1b}[31mred".'],
    [Array.from({ length: 12 }, (_, i) => `c${i}`).join(','), '"c9" and 2 more.'],
    ['Identifier,Identifier', 'the column Identifier occurs twice.'],
    ['"Identifier', 'the header cannot be read (a quote'],
  ])('refuses the header %j', async (header, message) => {
    const failure = await rowsOf(`${header}\na1,x\n`).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandError);
    expect(String(failure)).toContain(message);
    expect(String(failure)).toContain('line 1');
  });

  test('lists the known columns when it refuses unknown ones', async () => {
    await expect(rowsOf('a,b\n1,2')).rejects.toThrow(`The columns are ${updateFields.join(', ')}`);
  });

  test.each([
    ['', 'tasks.csv is empty'],
    ['\n \n', 'tasks.csv is empty'],
    ['Identifier,Description\n', 'tasks.csv holds a header and no rows'],
    ['Identifier,Description\n\n', 'tasks.csv holds a header and no rows'],
  ])('refuses a file of no rows: %j', async (text, message) => {
    await expect(rowsOf(text)).rejects.toThrow(message);
  });

  test('reads back whatever csv-stringify writes', async () => {
    const cell = anyText().filter((text) => !/[\r\n]|^\s*$|^'[=+\-@]/.test(text) && !/^['"]?sep=/.test(text));
    const record = fc.record({ Identifier: cell, Description: cell, JobId: cell });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (records, quoted) => {
          const text = stringify(records, {
            header: true,
            quoted,
            columns: ['Identifier', 'Description', 'JobId'],
          });
          const expected = records.map((fields) =>
            Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')),
          );
          const rows = await rowsOf(text);
          expect(rows.map((row) => ('fields' in row ? row.fields : row.reason))).toEqual(expected);
        },
      ),
    );
  });
});

describe('parseRows of JSON Lines', () => {
  test('reads an object a line', async () => {
    expect(await rowsOf('{"Identifier":"a1"}\r\n\n{"identifier":"b2","Description":null}', 'jsonl')).toEqual([
      { line: 1, raw: '{"Identifier":"a1"}', fields: { Identifier: 'a1' } },
      { line: 3, raw: '{"identifier":"b2","Description":null}', fields: { Identifier: 'b2' } },
    ]);
  });

  test.each([
    ['{"Identifier":', /^not JSON: /],
    ['[]', /^not a JSON object$/],
    ['null', /^not a JSON object$/],
    ['"text"', /^not a JSON object$/],
    [`{"Identifier":"${'x'.repeat(MAX_LINE_LENGTH)}"}`, /^is longer than/],
  ])('refuses the line %.20j', async (line, reason) => {
    expect(await rowsOf(`${line}\n`, 'jsonl')).toMatchObject([
      { line: 1, reason: expect.stringMatching(reason) },
    ]);
  });

  test('refuses a file of blank lines', async () => {
    await expect(rowsOf('\n\n', 'jsonl')).rejects.toThrow('is empty');
  });
});

test.each(['csv', 'jsonl'] as const)('parseRows of %s takes any bytes without failing', async (format) => {
  const header = Buffer.from(format === 'csv' ? 'Identifier,Description\na1,x\n' : '{}\n');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.constantFrom('"', ',', '\n', '\r\n', 'a', '{', '}', ' '))
      .map((parts) => Buffer.from(parts.join(''))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (tail) => {
      const rows = await rowsOf(Buffer.concat([header, tail]), format);
      const lines = rows.map((row) => row.line);
      expect(lines).toEqual(lines.toSorted((a, b) => a - b));
      expect(new Set(lines).size).toBe(lines.length);
    }),
  );
});
