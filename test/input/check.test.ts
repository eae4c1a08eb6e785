import { describe, expect, test } from 'vitest';
import type { RowFields } from '../../src/input/row.ts';
import { checkRow, checkSetFields } from '../../src/input/rows.ts';

const startedAt = Date.parse('2026-11-23T07:00:00Z');
const rules = { set: {}, startedAt };
const good = { Identifier: 'a1B2c3', Description: 'Nightly roll-out 7' };

const row = (fields: Record<string, unknown>, line = 17): RowFields => ({ line, raw: 'raw', fields });

describe('checkRow', () => {
  test('keeps a number of a refused row as text, but not one that JavaScript has rounded', () => {
    const fields = { Identifier: 17, Description: 2 ** 60, TaskConfigurationId: true };
    expect(checkRow(row(fields), rules)).toMatchObject({ values: { Identifier: '17' } });
    expect(checkRow(row(fields), rules)).not.toHaveProperty('values.Description');
  });

  test('gives a row its update', () => {
    expect(checkRow(row(good), rules)).toEqual({ line: 17, raw: 'raw', update: good });
  });

  test('sets a field on every row, over what the row holds', () => {
    const set = { TaskConfigurationId: 'cfgB7', Description: 'set' };
    expect(checkRow(row({ ...good, Description: 'not valid!' }), { set, startedAt })).toMatchObject({
      update: { Identifier: 'a1B2c3', ...set },
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
    ['a number for a text', { ...good, Identifier: 17 }, 'Identifier: is a number: put it in quotes'],
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
