import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noColumnFlags } from '../../src/input/columns.ts';
import { readRows } from '../../src/input/rows.ts';
import { checkUpdate, type Update, updateFields } from '../../src/message/update.ts';

/** Tables of valid updates, written in every way that people's programs write them, read back as the same updates. */
const startedAt = Date.parse('2026-11-23T07:00:00Z');

const id = fc.stringMatching(/^[0-9A-Za-z_.:-]{1,20}$/);
const update = fc
  .record(
    {
      Identifier: fc.stringMatching(/^[A-Za-z0-9]{1,20}$/),
      Description: fc.stringMatching(/^[0-9A-Za-z_\- ]{1,20}$/),
      TaskConfigurationId: fc.stringMatching(/^[A-Za-z0-9]{1,20}$/),
      JobId: id,
      RequestId: id,
      IssuedAt: fc
        .date({ min: new Date('2020-01-01'), max: new Date(startedAt), noInvalidDate: true })
        .map((date) => date.toISOString()),
    },
    { requiredKeys: ['Identifier'] },
  )
  .filter((value) => checkUpdate(value, startedAt).ok);
const updates = fc.array(update, { minLength: 1, maxLength: 6 });

const letterCase = fc.constantFrom(
  (name: string) => name,
  (name: string) => name.toLowerCase(),
  (name: string) => ` ${name.toUpperCase()}\u00a0`,
);

async function* each(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function read(format: 'csv' | 'json' | 'jsonl', bytes: Uint8Array, flags = noColumnFlags) {
  const input = { name: 'x', format, chunks: each(bytes), flags };
  const rows = await Array.fromAsync(readRows(input, { set: {}, startedAt }));
  return rows.map((row) => ('update' in row ? row.update : row.reason));
}

/** How a table is written. */
const csvForm = fc.record({
  columns: fc.shuffledSubarray([...updateFields], { minLength: updateFields.length }),
  letterCase,
  separator: fc.constantFrom(',', ';', '\t', '|'),
  told: fc.boolean(),
  quoted: fc.boolean(),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  encoding: fc.constantFrom('utf8', 'utf8 with BOM', 'utf16le', 'utf16be', 'latin1'),
  identifier: fc.constantFrom('Identifier', 'Task ID'),
  /** The contents of a column that is ignored; undefined where there is none. */
  note: fc.option(fc.constantFrom('Gerät 7', 'a;b,c\td|e', 'say "x"', '=1+1', 'two\nlines', '\u00a0')),
  empty: fc.nat(2),
  /** After which row there is a blank one, and what it holds. */
  blank: fc.option(fc.record({ after: fc.nat(6), cells: fc.boolean() })),
});
type CsvForm = typeof csvForm extends fc.Arbitrary<infer Form> ? Form : never;

function write(rows: readonly Update[], form: CsvForm): Buffer {
  const { columns, separator, note, quoted, lineEnd } = form;
  const more = [...(note === null ? [] : ['Notiz']), ...Array<string>(form.empty).fill('')];
  const names = columns.map((field) => form.letterCase(field === 'Identifier' ? form.identifier : field));
  const table: string[][] = [[...names, ...more]];
  // Only what is quoted may hold a line end.
  const cell = quoted ? (note ?? '') : (note ?? '').replace('\n', ' ');
  for (const row of rows)
    table.push([
      ...columns.map((field) => row[field] ?? ''),
      ...more.map((name) => (name === '' ? '' : cell)),
    ]);
  if (form.blank !== null)
    table.splice(form.blank.after + 1, 0, form.blank.cells ? (table[0]?.map(() => '') ?? []) : ['']);
  const text =
    (form.told ? `sep=${separator}${lineEnd}` : '') +
    stringify(table, { delimiter: separator, quoted, record_delimiter: lineEnd });
  if (form.encoding === 'utf8 with BOM') return Buffer.from(`\uFEFF${text}`);
  if (form.encoding === 'utf16be') return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(text, form.encoding as BufferEncoding);
}

test('a table of valid updates reads back as the same, however its CSV is written', async () => {
  await fc.assert(
    fc.asyncProperty(updates, csvForm, async (rows, form) => {
      const mapped = form.identifier === 'Identifier' ? [] : [[form.identifier, 'Identifier'] as const];
      const flags = { ignored: ['notiz'], mapped, where: [] };
      expect(await read('csv', write(rows, form), flags)).toEqual(rows);
    }),
    { numRuns: 300 },
  );
});

test('and however its JSON is', async () => {
  const forms = fc.record({
    letterCase,
    space: fc.constantFrom(undefined, 2, '\t'),
    array: fc.boolean(),
    nulls: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(updates, forms, async (rows, form) => {
      const objects = rows.map((row) =>
        Object.fromEntries(
          updateFields
            .filter((field) => form.nulls || row[field] !== undefined)
            .map((field) => [form.letterCase(field), row[field] ?? null]),
        ),
      );
      const array = Buffer.from(JSON.stringify(objects, undefined, form.space));
      const lines = Buffer.from(objects.map((object) => `${JSON.stringify(object)}\n`).join('\n'));
      expect(await read(form.array ? 'json' : 'jsonl', form.array ? array : lines)).toEqual(rows);
    }),
    { numRuns: 100 },
  );
});
