import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attributesBytes,
  buildDeadLetter,
  DEAD_LETTER_ATTRIBUTE,
  type DeadLetter,
  type DeadLetterFacts,
  deadLetterRecord,
  MAX_ATTRIBUTES,
  readEarlierRecord,
} from '../../src/message/dead-letter.ts';
import type { DeadLetterRecord } from '../../src/message/dead-letter-record.ts';
import type { Message, MessageAttribute } from '../../src/message/message.ts';
import { anyText } from '../../testing/any-text.ts';

const sentAt = Date.parse('2026-11-23T07:00:00Z');
const anHourLater = sentAt + 3_600_000;
/** The characters that SQS accepts, from its API reference. */
const allowed = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const unlimited = 1_048_576;

function messageOf(overrides: Partial<Message> = {}): Message {
  return {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body: '{"Identifier":"a1"}',
    attributes: {},
    sentAt,
    receiveCount: 3,
    ...overrides,
  };
}

function withFormer(value: unknown, overrides: Partial<Message> = {}): Message {
  const stringValue = typeof value === 'string' ? value : JSON.stringify(value);
  return messageOf({
    attributes: { [DEAD_LETTER_ATTRIBUTE]: { dataType: 'String', stringValue } },
    ...overrides,
  });
}

const facts: DeadLetterFacts = {
  reason: 'Rejected',
  error: { name: 'ValidationException', status: 400, message: 'no such configuration', requestId: 'aws-1' },
  attempts: 2,
  ids: { identifier: 'a1', jobId: 'job-1', requestId: 'row-1' },
  sourceQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/updates',
  now: anHourLater,
};
const record = deadLetterRecord(messageOf(), facts);

/** Bytes as SQS counts them, computed independently of the code under test. */
function bytesOf({ body, attributes }: Pick<DeadLetter, 'body' | 'attributes'>): number {
  const encoder = new TextEncoder();
  let bytes = encoder.encode(body).length;
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += encoder.encode(name).length + encoder.encode(attribute.dataType).length;
    bytes += encoder.encode(attribute.stringValue ?? '').length + (attribute.binaryValue?.length ?? 0);
  }
  return bytes;
}

function textOf(letter: DeadLetter): string {
  const text = letter.attributes[DEAD_LETTER_ATTRIBUTE]?.stringValue;
  if (text === undefined) throw new Error('the letter carries no record');
  return text;
}

const recordOf = (letter: DeadLetter): DeadLetterRecord => JSON.parse(textOf(letter));

describe('deadLetterRecord', () => {
  test('has every field', () => {
    expect(record).toEqual({
      reason: 'Rejected',
      error: {
        name: 'ValidationException',
        status: 400,
        message: 'no such configuration',
        requestId: 'aws-1',
      },
      attempts: 2,
      receiveCount: 3,
      sentAt: '2026-11-23T07:00:00.000Z',
      deadLetteredAt: '2026-11-23T08:00:00.000Z',
      sourceMessageId: 'm-1',
      sourceQueueUrl: facts.sourceQueueUrl,
      jobId: 'job-1',
      requestId: 'row-1',
      redriveCount: 0,
    });
  });

  test('leaves out ids that could not be read', () => {
    const bare = deadLetterRecord(messageOf(), { ...facts, ids: {} });
    expect(Object.keys(bare)).not.toContain('jobId');
    expect(Object.keys(bare)).not.toContain('requestId');
  });

  test('keeps the first sent time through a redrive, although the redriven message has a new one', () => {
    const redriven = withFormer(record, { sentAt: anHourLater });
    expect(deadLetterRecord(redriven, facts).sentAt).toBe('2026-11-23T07:00:00.000Z');
  });

  test('counts a redrive when the message came with a DeadLetter', () => {
    const second = deadLetterRecord(withFormer(record, { sentAt: anHourLater }), facts);
    const third = deadLetterRecord(withFormer(second, { sentAt: anHourLater }), facts);
    expect([second.redriveCount, third.redriveCount]).toEqual([1, 2]);
  });

  test('keeps the id that the message had first, through any number of redrives', () => {
    expect(record).not.toHaveProperty('originalMessageId');
    const second = deadLetterRecord(withFormer(record, { messageId: 'm-2', sentAt: anHourLater }), facts);
    expect(second).toMatchObject({ sourceMessageId: 'm-2', originalMessageId: 'm-1' });
    const third = deadLetterRecord(withFormer(second, { messageId: 'm-3', sentAt: anHourLater }), facts);
    expect(third).toMatchObject({ sourceMessageId: 'm-3', originalMessageId: 'm-1' });
  });

  test('keeps the first sent time from an earlier record that was shrunk', () => {
    const former = textOf(
      buildDeadLetter(messageOf(), record, bytesOf(buildDeadLetter(messageOf(), record, unlimited)) - 30),
    );
    const second = deadLetterRecord(withFormer(former, { sentAt: anHourLater }), facts);
    expect(second.sentAt).toBe('2026-11-23T07:00:00.000Z');
  });
});

describe('readEarlierRecord', () => {
  test.each<[string, unknown]>([
    ['no JSON', 'not JSON'],
    ['an empty text', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[]'],
    ['another object', { hello: 'world' }],
    ['a sent time that is not a time', { sentAt: 'yesterday' }],
    ['a sent time that is a number', { sentAt: 5 }],
    ['a sent time after the message was sent', { sentAt: '2026-11-23T07:00:00.001Z' }],
    ['a count below zero', { redriveCount: -1 }],
    ['a fraction as count', { redriveCount: 1.5 }],
    ['a count as text', { redriveCount: '2' }],
    ['a count that is not a safe integer', { redriveCount: 1e300 }],
    ['a count of null', { redriveCount: null }],
    ['a message id that is a number', { originalMessageId: 7, sourceMessageId: 8 }],
    ['an empty message id', { originalMessageId: '' }],
    ['a message id without end', { sourceMessageId: 'x'.repeat(101) }],
  ])('believes nothing of %s', (_, former) => {
    expect(readEarlierRecord(withFormer(former))).toEqual({});
  });

  test('is empty without the attribute, and when it is binary', () => {
    const binary = { dataType: 'Binary', binaryValue: new TextEncoder().encode(JSON.stringify(record)) };
    expect(readEarlierRecord(messageOf())).toEqual({});
    expect(readEarlierRecord(messageOf({ attributes: { [DEAD_LETTER_ATTRIBUTE]: binary } }))).toEqual({});
  });

  test('does not read a sent time without a zone, which would be taken for local time', () => {
    expect(readEarlierRecord(withFormer({ sentAt: '2026-11-22T07:00:00' }))).toEqual({});
  });

  test('reads one field when the other is invalid', () => {
    expect(readEarlierRecord(withFormer({ sentAt: '2026-11-22T07:00:00+01:00', redriveCount: 'x' }))).toEqual(
      {
        sentAt: '2026-11-22T06:00:00.000Z',
      },
    );
    expect(readEarlierRecord(withFormer({ sentAt: 'x', redriveCount: 4 }))).toEqual({ redriveCount: 4 });
  });

  test('never throws', () => {
    const any = fc.oneof(anyText(), fc.json());
    fc.assert(
      fc.property(any, (former) => {
        const message = withFormer(former);
        const written = deadLetterRecord(message, facts);
        expect(Date.parse(written.sentAt)).toBeLessThanOrEqual(message.sentAt);
        expect(Number.isSafeInteger(written.redriveCount)).toBe(true);
      }),
    );
  });
});

describe('attributesBytes', () => {
  test.each<[string, Record<string, MessageAttribute>, number]>([
    ['nothing', {}, 0],
    ['name, type and text', { ab: { dataType: 'String', stringValue: 'xyz' } }, 2 + 6 + 3],
    ['bytes, not characters', { é: { dataType: 'String.é', stringValue: '🚀é' } }, 2 + 9 + 6],
    ['a number by its digits', { n: { dataType: 'Number', stringValue: '12' } }, 1 + 6 + 2],
    ['binary by its length', { b: { dataType: 'Binary', binaryValue: new Uint8Array(5) } }, 1 + 6 + 5],
    [
      'each of several',
      {
        a: { dataType: 'String', stringValue: '' },
        b: { dataType: 'Binary', binaryValue: new Uint8Array(1) },
      },
      7 + 8,
    ],
  ])('counts %s', (_, attributes, bytes) => {
    expect(attributesBytes(attributes)).toBe(bytes);
  });
});

describe('buildDeadLetter', () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      'a',
      ' ',
      '"',
      '\\',
      'é',
      '🚀',
      '\u0000',
      '\u001f',
      '\n',
      '\u007f',
      '\u0085',
      '\u009f',
      '\ufffe',
      '\uffff',
      '\ud800',
      '\udc00',
      '\u{1fffe}',
    ),
    maxLength: 40,
  });
  const attribute: fc.Arbitrary<MessageAttribute> = fc.oneof(
    fc.string({ maxLength: 20 }).map((stringValue) => ({ dataType: 'String', stringValue })),
    fc.integer().map((n) => ({ dataType: 'Number', stringValue: String(n) })),
    fc.uint8Array({ maxLength: 20 }).map((binaryValue) => ({ dataType: 'Binary.png', binaryValue })),
  );
  const attributesOf = (maxKeys: number) =>
    fc.dictionary(fc.stringMatching(/^[A-Za-z0-9_-]{1,10}$/), attribute, { maxKeys, noNullPrototype: true });
  const message = fc
    .record({
      body: fc.string({ unit: 'grapheme', maxLength: 200 }),
      attributes: attributesOf(MAX_ATTRIBUTES - 1),
    })
    .map(messageOf);
  const anyRecord: fc.Arbitrary<DeadLetterRecord> = fc
    .record({
      error: fc.record(
        { name: nasty, status: fc.integer({ min: 100, max: 599 }), message: nasty, requestId: nasty },
        { requiredKeys: ['name', 'message'] },
      ),
      ids: fc.record({ jobId: nasty, requestId: nasty }, { requiredKeys: [] }),
    })
    .map(({ error, ids }) => ({ ...record, error, jobId: undefined, requestId: undefined, ...ids }))
    .map(({ jobId, requestId, ...rest }) => ({
      ...rest,
      ...(jobId !== undefined && { jobId }),
      ...(requestId !== undefined && { requestId }),
    }));

  test('carries the whole record as JSON, in characters that SQS accepts', () => {
    fc.assert(
      fc.property(message, anyRecord, (original, whole) => {
        const letter = buildDeadLetter(original, whole, unlimited);
        expect(letter.fit).toBe('complete');
        expect(textOf(letter)).toMatch(allowed);
        expect(recordOf(letter)).toEqual(whole);
      }),
    );
  });

  test('keeps within the limit, leaves the rest as it is, and has a record of valid JSON', () => {
    fc.assert(
      fc.property(message, anyRecord, fc.nat(900), (original, whole, spare) => {
        const max = bytesOf(original) + spare;

        const letter = buildDeadLetter(original, whole, max);

        const { [DEAD_LETTER_ATTRIBUTE]: added, ...others } = letter.attributes;
        expect(bytesOf(letter)).toBeLessThanOrEqual(max);
        expect(letter.body).toBe(original.body);
        expect(others).toEqual(original.attributes);
        expect(letter.record).toEqual(whole);
        expect(added === undefined).toBe(letter.fit === 'left-off');
        if (added !== undefined) {
          expect(added.dataType).toBe('String');
          expect(textOf(letter)).toMatch(allowed);
          expect(recordOf(letter)).toMatchObject({
            reason: whole.reason,
            sourceMessageId: whole.sourceMessageId,
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('shrinks the record to fit: cut message, then no optional fields, then no record', () => {
    fc.assert(
      fc.property(message, anyRecord, (original, drawn) => {
        const whole = {
          ...drawn,
          error: { ...drawn.error, message: `a message to be cut: ${drawn.error.message}` },
        };
        const complete = bytesOf(buildDeadLetter(original, whole, unlimited));
        expect(buildDeadLetter(original, whole, complete).fit).toBe('complete');
        expect(buildDeadLetter(original, whole, complete - 1).fit).toBe('message-cut');

        const least = { ...whole, error: { ...whole.error, message: '…' } };
        const cut = bytesOf(buildDeadLetter(original, least, unlimited));
        expect(buildDeadLetter(original, whole, cut).fit).toBe('message-cut');
        expect(recordOf(buildDeadLetter(original, whole, cut))).toEqual(least);
        expect(buildDeadLetter(original, whole, cut - 1).fit).toBe('optional-dropped');

        const { jobId: _, requestId: __, ...rest } = whole;
        const { name, status } = whole.error;
        const bare = { ...rest, error: { name, ...(status !== undefined && { status }), message: '' } };
        const dropped = bytesOf(buildDeadLetter(original, bare, unlimited));
        expect(recordOf(buildDeadLetter(original, whole, dropped))).toEqual(bare);
        expect(buildDeadLetter(original, whole, dropped - 1).fit).toBe('left-off');
      }),
    );
  });

  test('cuts no more of the message than necessary', () => {
    const whole = { ...record, error: { ...record.error, message: 'm'.repeat(5_000) } };
    const complete = bytesOf(buildDeadLetter(messageOf(), whole, unlimited));
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 4_997 }), (over) => {
        const letter = buildDeadLetter(messageOf(), whole, complete - over);
        expect(bytesOf(letter)).toBe(complete - over);
        expect(recordOf(letter).error.message).toBe(`${'m'.repeat(5_000 - over - 3)}…`);
      }),
      { examples: [[4], [4_997]] },
    );
  });

  test('changes only the message when that is cut', () => {
    const whole = { ...record, error: { ...record.error, message: 'm'.repeat(100) } };
    const max = bytesOf(buildDeadLetter(messageOf(), whole, unlimited)) - 50;
    const { error, ...rest } = recordOf(buildDeadLetter(messageOf(), whole, max));
    const { error: wholeError, ...wholeRest } = whole;
    expect(rest).toEqual(wholeRest);
    expect({ ...error, message: '' }).toEqual({ ...wholeError, message: '' });
  });

  test('leaves the record off when the body takes all the room', () => {
    const original = messageOf({ body: 'x'.repeat(unlimited) });
    const letter = buildDeadLetter(original, record, unlimited);
    expect(letter).toMatchObject({ fit: 'left-off', attributes: {}, record });
    expect(letter.body).toBe(original.body);
  });

  test.each([
    [9, 'complete'],
    [10, 'left-off'],
    [11, 'left-off'],
  ] as const)('with %i attributes of the message its record is %s', (count, fit) => {
    const attributes = Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`a${i}`, { dataType: 'String', stringValue: 'x' }]),
    );
    const letter = buildDeadLetter(messageOf({ attributes }), record, unlimited);
    expect(letter.fit).toBe(fit);
    expect(letter.attributes).toMatchObject(attributes);
    expect(Object.keys(letter.attributes)).toHaveLength(Math.max(10, count));
  });

  test('replaces an earlier record, which takes no room', () => {
    const others = Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`a${i}`, { dataType: 'String', stringValue: 'x' }]),
    );
    const former = { dataType: 'String', stringValue: 'x'.repeat(5_000) };
    const original = messageOf({ attributes: { ...others, [DEAD_LETTER_ATTRIBUTE]: former } });
    const withoutFormer = buildDeadLetter(messageOf({ attributes: others }), record, unlimited);

    const letter = buildDeadLetter(original, record, bytesOf(withoutFormer));

    expect(letter).toEqual({ ...withoutFormer, replaced: true });
    expect(withoutFormer.replaced).toBe(false);
    expect(letter.fit).toBe('complete');
  });

  test('removes an earlier record even when the new one is left off', () => {
    const letter = buildDeadLetter(withFormer(record), record, 0);
    expect(letter).toMatchObject({ fit: 'left-off', replaced: true, attributes: {} });
  });

  test('does not change the message it is given', () => {
    const original = Object.freeze(withFormer(record));
    Object.freeze(original.attributes);
    buildDeadLetter(original, record, unlimited);
    expect(original.attributes).toHaveProperty(DEAD_LETTER_ATTRIBUTE);
  });
});
