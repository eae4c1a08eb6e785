import { describe, expect, test } from 'vitest';
import { checkUpdate, MAX_ISSUED_AHEAD_MS, updateFields } from '../../src/message/update.ts';

const sentAt = Date.parse('2026-11-23T07:00:00Z');
const valid = { Identifier: 'a1B2c3', Description: 'Nightly roll-out 7' };

/** The message for `valid` with these `fields`; undefined when it is accepted. */
function faultOf(fields: Record<string, unknown>): string | undefined {
  const check = checkUpdate({ ...valid, ...fields }, sentAt);
  return check.ok ? undefined : check.message;
}

describe('checkUpdate', () => {
  test('accepts an update with all fields', () => {
    const update = {
      ...valid,
      TaskConfigurationId: 'cfgB7',
      JobId: '2026-11-fleet-b7',
      RequestId: 'row-000017',
      IssuedAt: '2026-11-23T07:00:00Z',
    };
    expect(checkUpdate(update, sentAt)).toEqual({ ok: true, update });
  });

  test.each<[string, string, unknown]>([
    ['Identifier', 'one character', 'a'],
    ['Identifier', '200 characters', 'a'.repeat(200)],
    ['Identifier', 'every kind of character', 'azAZ09'],
    ['Description', 'one character', '-'],
    ['Description', '256 characters', 'a'.repeat(256)],
    ['Description', 'every kind of character', 'azAZ09_- '],
    ['Description', 'a space alone', ' '],
    ['TaskConfigurationId', 'one character', 'c'],
    ['TaskConfigurationId', '64 characters', 'c'.repeat(64)],
    ['TaskConfigurationId', 'every kind of character', 'azAZ09'],
    ['JobId', 'one character', '.'],
    ['JobId', '128 characters', 'j'.repeat(128)],
    ['JobId', 'every kind of character', 'azAZ09_.:-'],
    ['RequestId', 'one character', ':'],
    ['RequestId', '128 characters', 'r'.repeat(128)],
    ['RequestId', 'every kind of character', 'azAZ09_.:-'],
    ['IssuedAt', 'a whole minute', '2026-11-23T07:00Z'],
    ['IssuedAt', 'whole seconds', '2026-11-23T06:59:59Z'],
    ['IssuedAt', 'milliseconds', '2026-11-23T06:59:59.123Z'],
    ['IssuedAt', 'microseconds', '2026-11-23T06:59:59.123456Z'],
    ['IssuedAt', 'a leap day', '2024-02-29T00:00:00Z'],
    ['IssuedAt', 'a time long past', '1970-01-01T00:00:00Z'],
  ])('accepts %s of %s', (field, _, value) => {
    expect(faultOf({ [field]: value })).toBeUndefined();
  });

  test.each<[string, string, unknown]>([
    ['Identifier', 'nothing', ''],
    ['Identifier', '201 characters', 'a'.repeat(201)],
    ['Identifier', 'a hyphen', 'a-b'],
    ['Identifier', 'an underscore', 'a_b'],
    ['Identifier', 'a space', 'a b'],
    ['Identifier', 'a slash', 'a/b'],
    ['Identifier', 'a letter outside ASCII', 'é'],
    ['Identifier', 'a digit outside ASCII', '١'],
    ['Identifier', 'a line break at its end', 'a\n'],
    ['Identifier', 'a NUL', 'a\0'],
    ['Identifier', 'a number', 7],
    ['Identifier', 'null', null],
    ['Identifier', 'a list', ['a']],
    ['Description', 'nothing', ''],
    ['Description', '257 characters', 'a'.repeat(257)],
    ['Description', 'a dot', 'v1.2'],
    ['Description', 'a tab', 'a\tb'],
    ['Description', 'a line break at its end', 'a\n'],
    ['Description', 'a lone surrogate', 'a\ud800'],
    ['Description', 'an emoji', '🚀'],
    ['Description', 'a number', 7],
    ['Description', 'null', null],
    ['TaskConfigurationId', 'nothing', ''],
    ['TaskConfigurationId', '65 characters', 'c'.repeat(65)],
    ['TaskConfigurationId', 'a hyphen', 'cfg-7'],
    ['TaskConfigurationId', 'a number', 7],
    ['TaskConfigurationId', 'null', null],
    ['JobId', 'nothing', ''],
    ['JobId', '129 characters', 'j'.repeat(129)],
    ['JobId', 'a space', 'a b'],
    ['JobId', 'a slash', 'a/b'],
    ['JobId', 'a number', 7],
    ['RequestId', 'nothing', ''],
    ['RequestId', '129 characters', 'r'.repeat(129)],
    ['RequestId', 'a space', 'a b'],
    ['RequestId', 'a comma', 'a,b'],
    ['RequestId', 'a number', 7],
    ['IssuedAt', 'a date alone', '2026-11-23'],
    ['IssuedAt', 'no zone', '2026-11-23T07:00:00'],
    ['IssuedAt', 'an offset', '2026-11-23T08:00:00+01:00'],
    ['IssuedAt', 'an hour alone', '2026-11-23T07Z'],
    ['IssuedAt', 'a whole minute with a zone', '2026-11-23T07:00+00:00'],
    ['IssuedAt', 'a line break at its end', '2026-11-23T07:00Z\n'],
    ['IssuedAt', 'digits outside ASCII', '٢٠٢٦-11-23T07:00Z'],
    ['IssuedAt', 'a day that is none', '2026-02-29T00:00:00Z'],
    ['IssuedAt', 'hour 24', '2026-11-22T24:00:00Z'],
    ['IssuedAt', 'second 60', '2026-11-22T23:59:60Z'],
    ['IssuedAt', 'text about it', 'at 2026-11-23T07:00:00Z'],
    ['IssuedAt', 'epoch seconds', 1_795_417_200],
  ])('refuses %s of %s, naming the field', (field, _, value) => {
    expect(faultOf({ [field]: value })).toMatch(new RegExp(`^${field}: `));
  });

  test.each([
    ['5 minutes ahead of the sent time', MAX_ISSUED_AHEAD_MS, undefined],
    ['a millisecond more than that', MAX_ISSUED_AHEAD_MS + 1, expect.stringContaining('more than 5 minutes')],
    ['far ahead', 365 * 86_400_000, expect.stringContaining('more than 5 minutes')],
  ])('checks an IssuedAt that is %s', (_, aheadMs, fault) => {
    expect(faultOf({ IssuedAt: new Date(sentAt + aheadMs).toISOString() })).toEqual(fault);
  });

  test('counts whole milliseconds of an IssuedAt with many digits', () => {
    expect(faultOf({ IssuedAt: '2026-11-23T07:05:00.000999999999999Z' })).toBeUndefined();
    expect(faultOf({ IssuedAt: '2026-11-23T07:05:00.001000000000000Z' })).toContain('more than 5 minutes');
  });

  test.each([
    ['Description', { Identifier: 'a', Description: 'b' }],
    ['TaskConfigurationId', { Identifier: 'a', TaskConfigurationId: 'b' }],
  ])('accepts %s alone', (_, update) => {
    expect(checkUpdate(update, sentAt)).toEqual({ ok: true, update });
  });

  test('refuses an update that sets no field', () => {
    const check = checkUpdate({ Identifier: 'a', JobId: 'j' }, sentAt);
    expect(check).toMatchObject({ ok: false, message: expect.stringContaining('nothing to update') });
  });

  test('refuses an update without Identifier', () => {
    const check = checkUpdate({ Description: 'b' }, sentAt);
    expect(check).toMatchObject({ ok: false, message: expect.stringMatching(/^Identifier: is missing/) });
  });

  test.each(['TaskConfigurationID', 'identifier', 'Force', '__proto__', 'constructor', 'toString', ''])(
    'refuses the unknown field %j by name, and lists the known ones',
    (name) => {
      const unknown = JSON.parse(`{${JSON.stringify(name)}:"x"}`) as Record<string, unknown>;
      const message = faultOf(unknown);
      expect(message).toContain(`unknown field ${JSON.stringify(name)}`);
      for (const field of updateFields) expect(message).toContain(field);
    },
  );

  test('names every invalid field in one message', () => {
    const message = faultOf({ Identifier: '', Description: 'a.b', JobId: 'a b', Extra: 1 });
    for (const name of ['Identifier', 'Description', 'JobId', '"Extra"']) expect(message).toContain(name);
  });

  test.each([
    ['null', null],
    ['a list', [valid]],
    ['text', JSON.stringify(valid)],
    ['a number', 7],
    ['nothing', undefined],
  ])('refuses %s', (_, value) => {
    expect(checkUpdate(value, sentAt)).toEqual({ ok: false, message: 'not a JSON object', ids: {} });
  });

  test('says of a field that is empty or too long just that', () => {
    expect(faultOf({ Identifier: '', Description: 'd'.repeat(300), IssuedAt: '' })).toBe(
      'Identifier: is empty; Description: is 300 characters long, and may be 256 at most; IssuedAt: is empty',
    );
  });

  test.each([
    ['null', null, 'is null, not a text: leave the field out'],
    ['a number', 7, 'is a number: put it in quotes'],
    ['a list', [], 'is a list, not a text'],
    ['true', true, 'is true or false, not a text'],
    ['an object', {}, 'is an object, not a text'],
  ])('says of a field that is %s what it is', (_, value, what) => {
    expect(faultOf({ Description: value })).toBe(`Description: ${what}`);
  });

  test('says of a required field that is null or missing just that', () => {
    expect(faultOf({ Identifier: null })).toBe('Identifier: is null, not a text');
    expect(faultOf({ Identifier: undefined })).toBe('Identifier: is missing');
  });

  test('does not quote the value of an invalid field', () => {
    expect(faultOf({ Identifier: 'hostile<script>', Description: '\u001b[31m' })).not.toMatch(
      /hostile|\[31m/,
    );
  });

  test('returns the ids of an invalid update', () => {
    const update = { Identifier: 'a1', JobId: 'j1', RequestId: 'r1', Description: '' };
    expect(checkUpdate(update, sentAt)).toMatchObject({
      ids: { identifier: 'a1', jobId: 'j1', requestId: 'r1' },
    });
  });

  test('leaves out invalid ids', () => {
    const update = { Identifier: 'a b', JobId: 7, RequestId: 'r\n1', Description: 'd' };
    expect(checkUpdate(update, sentAt)).toMatchObject({ ok: false, ids: {} });
  });

  test('returns the ids of an update that was issued too far ahead', () => {
    const update = { ...valid, JobId: 'j1', IssuedAt: '2027-01-01T00:00:00Z' };
    expect(checkUpdate(update, sentAt)).toMatchObject({
      ok: false,
      ids: { identifier: 'a1B2c3', jobId: 'j1' },
    });
  });
});
