import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkUpdate,
  MAX_ISSUED_AHEAD_MS,
  updateFields,
  updateJsonSchema,
  updateSchema,
} from '../../src/message/update.ts';

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

describe('the published JSON Schema', () => {
  const schema = JSON.parse(updateJsonSchema()) as Record<string, unknown>;
  // `pattern` says all that `format` would.
  const accepts = new Ajv2020({ strict: true, strictRequired: false, validateFormats: false }).compile(
    schema,
  );

  test('allows the fields of an update and no others', () => {
    expect(schema).toMatchObject({ additionalProperties: false, required: ['Identifier'] });
    expect(Object.keys(schema.properties as object)).toEqual(updateFields);
  });

  test('accepts exactly what the worker accepts', () => {
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(nearMiss(), (value) => {
        const accepted = updateSchema.safeParse(value).success;
        seen[accepted ? 'accepted' : 'refused']++;
        expect(accepts(value)).toBe(accepted);
      }),
      { numRuns: 3_000 },
    );
    // A generator that hits one side only would prove nothing.
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
  });
});

/** Updates as parsed from JSON, most of them valid except for a field or two. */
function nearMiss(): fc.Arbitrary<unknown> {
  const text = (alphabet: string, max: number): fc.Arbitrary<unknown> => {
    const unit = fc.constantFrom(...alphabet);
    const edge = fc.constantFrom(0, 1, max - 1, max, max + 1).map((length) => 'a'.repeat(length));
    return fc.oneof(
      { weight: 12, arbitrary: fc.string({ unit, minLength: 1, maxLength: max }) },
      { weight: 2, arbitrary: edge },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
      { weight: 1, arbitrary: fc.string({ unit, minLength: 1 }).map((value) => `${value}\n`) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
  };
  const alphanumeric = 'abcxyzABCXYZ0189';
  const time = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
  const issuedAt = fc.oneof(
    { weight: 6, arbitrary: time.map((date) => date.toISOString()) },
    { weight: 1, arbitrary: time.map((date) => date.toISOString().replace('Z', '+00:00')) },
    {
      weight: 1,
      arbitrary: fc.stringMatching(/^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,9})?Z$/),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const fields = fc.record(
    {
      Identifier: text(alphanumeric, 200),
      Description: text(`${alphanumeric}_- `, 256),
      TaskConfigurationId: text(alphanumeric, 64),
      JobId: text(`${alphanumeric}_.:-`, 128),
      RequestId: text(`${alphanumeric}_.:-`, 128),
      IssuedAt: issuedAt,
    },
    { requiredKeys: [] },
  );
  const complete = fields.map((update) => ({ Identifier: 'a', Description: 'b', ...update }));
  const extra = fc.tuple(complete, fc.string(), fc.jsonValue()).map(([update, key, value]) => {
    // As JSON.parse would, and so also for __proto__.
    return Object.defineProperty({ ...update }, key, { value, enumerable: true, configurable: true });
  });
  return fc.oneof(
    { weight: 8, arbitrary: complete },
    { weight: 4, arbitrary: fields },
    { weight: 2, arbitrary: extra },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}
