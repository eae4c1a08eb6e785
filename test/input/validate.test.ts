import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/input/rows.ts';
import { readRows } from '../../src/input/rows.ts';
import { checkRow, checkRows, checkSetFields, type RefusedRow, tallyRows } from '../../src/input/validate.ts';
import { checkUpdate, type Update, updateFields } from '../../src/message/update.ts';

const startedAt = Date.parse('2026-11-23T07:00:00Z');
const rules = { set: {}, startedAt };
const good = { Identifier: 'a1B2c3', Description: 'Nightly roll-out 7' };

const row = (fields: Record<string, unknown>, line = 17): Row => ({ line, raw: 'raw', fields });

describe('checkRow', () => {
  test('gives a row its line as RequestId and the start of the run as IssuedAt', () => {
    expect(checkRow(row(good), rules)).toEqual({
      line: 17,
      raw: 'raw',
      update: { ...good, RequestId: 'row-000017', IssuedAt: '2026-11-23T07:00:00.000Z' },
    });
  });

  test("keeps a row's own RequestId and IssuedAt", () => {
    const own = { RequestId: 'crm:1', IssuedAt: '2026-01-01T00:00:00Z' };
    expect(checkRow(row({ ...good, ...own }), rules)).toMatchObject({ update: own });
  });

  test('keeps the order of rows in RequestIds up to a million lines and beyond', () => {
    expect(checkRow(row(good, 1_234_567), rules)).toMatchObject({ update: { RequestId: 'row-1234567' } });
  });

  test('sets a field on every row, over what the row holds', () => {
    const set = { TaskConfigurationId: 'cfgB7', Description: 'set' };
    expect(checkRow(row({ ...good, Description: 'not valid!' }), { set, startedAt })).toMatchObject({
      update: { Identifier: 'a1B2c3', ...set },
    });
  });

  test('passes a fault on as the reason', () => {
    expect(checkRow({ line: 3, raw: 'x', fault: 'has 1 cell' }, rules)).toEqual({
      line: 3,
      raw: 'x',
      reason: 'has 1 cell',
    });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no Identifier', { Description: 'x' }, 'Identifier: is missing'],
    ['a bad character in Identifier', { ...good, Identifier: 'dev-17' }, 'Identifier: may hold only letters'],
    ['a long Identifier', { ...good, Identifier: 'x'.repeat(201) }, 'Identifier: '],
    ['a bad character in Description', { ...good, Description: 'x!' }, 'Description: may hold only'],
    ['a long Description', { ...good, Description: 'x'.repeat(257) }, 'Description: '],
    ['a bad TaskConfigurationId', { ...good, TaskConfigurationId: 'cfg-B7' }, 'TaskConfigurationId: may'],
    ['a long TaskConfigurationId', { ...good, TaskConfigurationId: 'c'.repeat(65) }, 'TaskConfigurationId: '],
    ['nothing to update', { Identifier: 'a1' }, 'nothing to update'],
    ['a bad JobId', { ...good, JobId: 'fleet b7' }, 'JobId: may hold only'],
    ['a long JobId', { ...good, JobId: 'j'.repeat(129) }, 'JobId: '],
    ['a bad RequestId', { ...good, RequestId: 'row/17' }, 'RequestId: may hold only'],
    ['an IssuedAt that is no ISO time', { ...good, IssuedAt: '23.11.2026' }, 'IssuedAt: must be an ISO 8601'],
    ['a local IssuedAt', { ...good, IssuedAt: '2026-11-23T08:00:00+01:00' }, 'IssuedAt: must be an ISO 8601'],
    ['an IssuedAt far ahead', { ...good, IssuedAt: '2026-11-23T07:05:01Z' }, 'more than 5 minutes after'],
    ['an unknown field', { ...good, TaskConfigurationID: 'x' }, 'unknown field "TaskConfigurationID"'],
    ['a number for a text', { ...good, Identifier: 17 }, 'Identifier: '],
  ])('refuses %s', (_what, fields, reason) => {
    expect(checkRow(row(fields), rules)).toMatchObject({ line: 17, reason: expect.stringContaining(reason) });
  });
});

describe('checkSetFields', () => {
  test('accepts valid values', () => {
    expect(() =>
      checkSetFields({ set: { TaskConfigurationId: 'cfgB7', JobId: 'job-1' }, startedAt }),
    ).not.toThrow();
  });

  test.each([
    [{ TaskConfigurationId: 'cfg B7' }, 'TaskConfigurationId: may hold only'],
    [{ Description: '' }, 'Description: '],
    [{ IssuedAt: '2026-11-24T00:00:00Z' }, 'more than 5 minutes'],
  ])('refuses %j once and not row by row', (set, message) => {
    expect(() => checkSetFields({ set, startedAt })).toThrow(message);
  });
});

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function tally(rows: readonly Row[], fromLine = 1, signal = new AbortController().signal) {
  const refused: RefusedRow[] = [];
  const counts = await tallyRows(checkRows(each(rows), rules), {
    fromLine,
    signal,
    onRefused: (refusedRow) => refused.push(refusedRow),
  });
  return { ...counts, refusedLines: refused.map(({ line }) => line) };
}

describe('tallyRows', () => {
  test('counts good, refused, skipped and repeated rows', async () => {
    const rows = ['a', 'b', 'a', '!', 'c', 'a', 'b'].map((Identifier, i) =>
      row({ ...good, Identifier }, i + 2),
    );
    expect(await tally(rows, 4)).toEqual({
      rows: 7,
      refused: 1,
      refusedLines: [5],
      skipped: 2,
      toSend: 4,
      lastLine: 8,
      duplicates: { identifiers: 2, rows: 3 },
    });
  });

  test('reports refused rows before the line to begin with too', async () => {
    expect(await tally([row({}, 2), row(good, 3)], 3)).toMatchObject({ refusedLines: [2], toSend: 1 });
  });

  test('ends early when it is interrupted', async () => {
    expect(await tally([row(good)], 1, AbortSignal.abort())).toMatchObject({ rows: 0 });
  });

  test('counts repeated Identifiers exactly', async () => {
    const identifiers = fc.array(fc.stringMatching(/^[A-Za-z0-9]{1,3}$/), { maxLength: 2_000 });
    await fc.assert(
      fc.asyncProperty(identifiers, async (all) => {
        const rows = all.map((Identifier, i) => row({ ...good, Identifier }, i + 2));
        const groups = Object.values(Object.groupBy(all, (identifier) => `_${identifier}`));
        const repeated = groups.map((group) => group?.length ?? 0).filter((count) => count > 1);
        expect((await tally(rows)).duplicates).toEqual({
          identifiers: repeated.length,
          rows: repeated.reduce((sum, count) => sum + count - 1, 0),
        });
      }),
      { numRuns: 30 },
    );
  });
});

test('an update that the contract accepts comes through CSV unchanged', async () => {
  const id = fc.stringMatching(/^[0-9A-Za-z_.:-]{1,128}$/);
  const update = fc
    .record(
      {
        Identifier: fc.stringMatching(/^[A-Za-z0-9]{1,200}$/),
        Description: fc.stringMatching(/^[0-9A-Za-z_\- ]{1,256}$/),
        TaskConfigurationId: fc.stringMatching(/^[A-Za-z0-9]{1,64}$/),
        JobId: id,
        RequestId: id,
        IssuedAt: fc
          .date({ min: new Date('2020-01-01'), max: new Date(startedAt), noInvalidDate: true })
          .map((date) => date.toISOString()),
      },
      { requiredKeys: ['Identifier', 'RequestId', 'IssuedAt'] },
    )
    .filter((value) => checkUpdate(value, startedAt).ok);
  await fc.assert(
    fc.asyncProperty(
      fc.array(update, { minLength: 1, maxLength: 10 }),
      fc.boolean(),
      async (updates, quoted) => {
        const text = stringify(updates, { header: true, quoted, columns: [...updateFields] });
        const rows = readRows({ name: 'x', format: 'csv', chunks: each([Buffer.from(text)]) });
        const checked = await Array.fromAsync(checkRows(rows, rules));
        expect(checked.map((entry) => ('update' in entry ? entry.update : entry.reason))).toEqual(
          updates as Update[],
        );
      },
    ),
  );
});
