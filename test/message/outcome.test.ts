import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeadLetterReason } from '../../src/message/dead-letter-record.ts';
import {
  type EndingDisposition,
  type Outcome,
  outcomeJsonSchema,
  outcomeOf,
  outcomeSchema,
} from '../../src/message/outcome.ts';
import { parseBody } from '../../src/message/parse.ts';
import { printableJson } from '../../src/text/printable.ts';
import { anyText } from '../../testing/any-text.ts';

const now = Date.parse('2026-11-23T07:00:00Z');
const facts = { messageId: 'm-1', ids: {}, attempts: 1, now };

describe('outcomeOf', () => {
  test.each(['applied', 'superseded'] as const)(
    'says of an acknowledged update that it is %s, with its ids',
    (outcome) => {
      const ids = { identifier: 'a1', jobId: 'job', requestId: 'row-1' };
      expect(outcomeOf({ ...facts, ids }, { action: 'acknowledge', outcome })).toEqual({
        MessageId: 'm-1',
        Identifier: 'a1',
        JobId: 'job',
        RequestId: 'row-1',
        Outcome: outcome,
        Attempts: 1,
        At: '2026-11-23T07:00:00.000Z',
      });
    },
  );

  test('says what was updated, when it was decided on, and which message a redriven one first was', () => {
    const update = {
      Identifier: 'a1',
      Description: 'new',
      TaskConfigurationId: 'cfg2',
      IssuedAt: '2026-11-23T06:00:00Z',
    };
    const { Identifier: _, ...values } = update;
    const told = outcomeOf(
      { ...facts, update, originalMessageId: 'm-0' },
      { action: 'acknowledge', outcome: 'applied' },
    );
    expect(told).toMatchObject({ ...values, MessageId: 'm-1', OriginalMessageId: 'm-0' });
    expect(outcomeSchema.parse(told)).toEqual(told);
  });

  test('takes reason and error of a dead letter', () => {
    const error = { name: 'ValidationException', status: 400, message: 'no', requestId: 'r' };
    expect(outcomeOf(facts, { action: 'dead-letter', reason: 'Rejected', error })).toEqual({
      MessageId: 'm-1',
      Outcome: 'dead-lettered',
      Reason: 'Rejected',
      Error: error,
      Attempts: 1,
      At: '2026-11-23T07:00:00.000Z',
    });
  });
});

describe('the JSON Schema of an outcome', () => {
  const accepts = new Ajv2020().compile(JSON.parse(outcomeJsonSchema()) as object);

  test('accepts every outcome that can be published, whatever the body and the error', () => {
    fc.assert(
      fc.property(
        bodies(),
        dispositions(),
        fc.nat(),
        fc.date({ noInvalidDate: true }),
        (body, disposition, attempts, at) => {
          const check = parseBody(body, now);
          const ids = check.ok ? { identifier: check.update.Identifier } : check.ids;
          const update = check.ok ? check.update : undefined;
          const outcome = outcomeOf(
            { messageId: 'm-1', ids, update, attempts, now: inYears(at) },
            disposition,
          );
          const read: unknown = JSON.parse(printableJson(outcome));
          expect(accepts(read), JSON.stringify(accepts.errors)).toBe(true);
          expect(outcomeSchema.parse(read)).toEqual(read);
        },
      ),
    );
  });

  test('allows unknown fields', () => {
    const outcome: Outcome = outcomeOf(facts, { action: 'acknowledge', outcome: 'applied' });
    expect(accepts({ ...outcome, Later: 1 })).toBe(true);
    expect(accepts({ ...outcome, Error: { name: 'X', message: '', Later: 1 } })).toBe(true);
  });

  test.each([
    ['Outcome', 'lost'],
    ['Reason', 'Bored'],
    ['Attempts', -1],
    ['Identifier', 'a-b'],
    ['At', 'yesterday'],
  ])('refuses %s %j', (field, value) => {
    expect(
      accepts({ ...outcomeOf(facts, { action: 'acknowledge', outcome: 'applied' }), [field]: value }),
    ).toBe(false);
  });
});

/** Within the four-digit years that clocks show. */
function inYears(date: Date): number {
  return Math.abs(date.getTime()) % Date.UTC(9999, 0);
}

function bodies(): fc.Arbitrary<string> {
  const id = fc.oneof(fc.stringMatching(/^[A-Za-z0-9]{1,20}$/), anyText(), fc.jsonValue());
  return fc.oneof(
    anyText(),
    fc
      .record({ Identifier: id, JobId: id, RequestId: id, Description: id }, { requiredKeys: [] })
      .map((body) => JSON.stringify(body)),
  );
}

function dispositions(): fc.Arbitrary<EndingDisposition> {
  const reasons: DeadLetterReason[] = [
    'Rejected',
    'Invalid',
    'RetriesExhausted',
    'Expiring',
    'InternalError',
  ];
  const error = fc.record(
    {
      name: anyText(),
      message: anyText(),
      status: fc.integer({ min: 100, max: 599 }),
      requestId: fc.string(),
    },
    { requiredKeys: ['name', 'message'] },
  );
  return fc.oneof(
    fc.record({
      action: fc.constant('acknowledge' as const),
      outcome: fc.constantFrom('applied' as const, 'superseded' as const),
    }),
    fc.record({ action: fc.constant('dead-letter' as const), reason: fc.constantFrom(...reasons), error }),
  );
}
