/** Answers to receives, read message by message: whatever is wrong with one costs no other. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ForeignAnswerError } from '../../src/aws/foreign.ts';
import { buildDeadLetter, deadLetterRecord } from '../../src/message/dead-letter.ts';
import { parseMessage } from '../../src/message/parse.ts';
import { readReceived, toSqsAttributes } from '../../src/queue/convert.ts';

const NOW = Date.parse('2026-11-28T08:00:00Z');
const body = '{"Identifier":"a1","Description":"new"}';
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const healthy = (id: string) => ({
  MessageId: id,
  ReceiptHandle: `handle ${id}`,
  Body: body,
  MD5OfBody: md5(body),
  Attributes: { SentTimestamp: String(NOW - 5_000), ApproximateReceiveCount: '2' },
});
const read = (...messages: unknown[]) => readReceived(JSON.stringify({ Messages: messages }), NOW);
const withAttributes = (json: string): string =>
  `{"Messages":[${JSON.stringify(healthy('m')).slice(0, -1)},"MessageAttributes":${json}}]}`;

test('a healthy message', () => {
  expect(read(healthy('m'))).toEqual({
    messages: [
      {
        messageId: 'm',
        receiptHandle: 'handle m',
        body,
        attributes: {},
        sentAt: NOW - 5_000,
        receiveCount: 2,
      },
    ],
    left: [],
  });
});

describe('attributes', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'named %s keep their value',
    (name) => {
      const json = `{"${name}":{"DataType":"String","StringValue":"v"}}`;
      const [message] = readReceived(withAttributes(json), NOW).messages;
      expect(message?.fault).toBeUndefined();
      // As a letter carries them, and as the SDK is given them.
      const record = deadLetterRecord(message as NonNullable<typeof message>, {
        reason: 'Invalid',
        error: { name: 'x', message: '' },
        attempts: 0,
        ids: {},
        sourceQueueUrl: 'q',
        now: NOW,
      });
      const letter = buildDeadLetter(message as NonNullable<typeof message>, record, 100_000);
      const sent = Object.entries(toSqsAttributes(letter.attributes));
      expect(sent).toContainEqual([name, { DataType: 'String', StringValue: 'v' }]);
      expect(sent).toHaveLength(2);
    },
  );

  test('of every type', () => {
    const json =
      '{"a":{"DataType":"Number.cm","StringValue":"1"},"b":{"DataType":"Binary.png","BinaryValue":"AAEC"},' +
      '"c":{"DataType":"String","StringValue":"","BinaryListValues":[]}}';
    const [message] = readReceived(withAttributes(json), NOW).messages;
    expect(message?.attributes).toEqual({
      a: { dataType: 'Number.cm', stringValue: '1' },
      b: { dataType: 'Binary.png', binaryValue: Uint8Array.of(0, 1, 2) },
      c: { dataType: 'String', stringValue: '' },
    });
  });

  test.each([
    ['null', '{"x":null}'],
    ['text', '{"x":"y"}'],
    ['without a type', '{"x":{"StringValue":"y"}}'],
    ['without a value', '{"x":{"DataType":"String"}}'],
    ['a binary without bytes', '{"x":{"DataType":"Binary","StringValue":"y"}}'],
    ['no base64', '{"x":{"DataType":"Binary","BinaryValue":"A*"}}'],
    ['a list', '{"x":[]}'],
  ])('that are %s make the message one that cannot be read, and keep the others', (_, json) => {
    const also = `${json.slice(0, -1)},"ok":{"DataType":"String","StringValue":"v"}}`;
    const [message] = readReceived(withAttributes(also), NOW).messages;
    expect(message?.fault).toBe('its attribute "x" cannot be read');
    expect(message?.attributes).toEqual({ ok: { dataType: 'String', stringValue: 'v' } });
    expect(parseMessage(message as NonNullable<typeof message>)).toEqual({
      ok: false,
      message: 'the message cannot be read: its attribute "x" cannot be read',
      ids: { identifier: 'a1' },
    });
  });

  test.each(['[]', '"x"', '5'])('that are %s as a whole', (json) => {
    expect(readReceived(withAttributes(json), NOW).messages).toMatchObject([
      { fault: 'its attributes cannot be read', attributes: {} },
    ]);
  });
});

describe('what SQS says of a message', () => {
  const system = (attributes: object) => read({ ...healthy('m'), Attributes: attributes }).messages[0];

  /** Objects that cannot be made a text or a number of. */
  const stubborn = { toString: 1, valueOf: 1 };

  test.each([
    ...['yesterday', '-5', '', '1e400', '9e15', '99999999999999999'],
    ...[null, undefined, true, {}, 1.5, stubborn, [stubborn], [NOW]],
  ])('a sent time %j is none: the message cannot be read', (SentTimestamp) => {
    const message = system({ SentTimestamp });
    expect(message?.fault).toBe('its sent time is not a time');
    expect(message?.sentAt).toBe(NOW);
  });

  test.each([
    ['0', 0],
    ['8640000000000000', 8.64e15],
    [NOW, NOW],
  ])('a sent time %j is taken as it is', (SentTimestamp, sentAt) => {
    expect(system({ SentTimestamp })).toMatchObject({ sentAt });
  });

  test.each([
    ['3', 3],
    ['0', 1],
    ['-1', 1],
    ['x', 1],
    ['1e400', 1],
    [null, 1],
    [{}, 1],
    [stubborn, 1],
  ])('a receive count %j counts as %j', (ApproximateReceiveCount, receiveCount) => {
    expect(system({ ApproximateReceiveCount })).toMatchObject({ receiveCount });
  });

  test('without any, the message counts as sent just now', () => {
    for (const attributes of [undefined, null, 'x', []]) {
      const { messages } = read({ ...healthy('m'), Attributes: attributes });
      expect(messages).toMatchObject([{ sentAt: NOW, receiveCount: 1 }]);
    }
  });
});

test.each<[string, object]>([
  ['it has no id', { MessageId: undefined }],
  ['it has no id', { MessageId: 7 }],
  ['it has no receipt handle', { ReceiptHandle: null }],
  ['it has no receipt handle', { ReceiptHandle: '' }],
  ['it has no body', { Body: undefined }],
  ['it has no body', { Body: { Identifier: 'a1' } }],
  ['the checksum of its body does not match', { MD5OfBody: '0'.repeat(32) }],
  ['the checksum of its body does not match', { MD5OfBody: 1 }],
  ['the checksum of its attributes does not match', { MD5OfMessageAttributes: '0'.repeat(32) }],
])('%s: only that message is left (%j)', (reason, wrong) => {
  const { messages, left } = read(healthy('a'), { ...healthy('b'), ...wrong }, healthy('c'));
  expect(messages.map(({ messageId }) => messageId)).toEqual(['a', 'c']);
  expect(left).toMatchObject([{ reason }]);
});

describe('an answer as a whole', () => {
  test.each(['', '{}', '{"Messages":null}', '{"Messages":[]}'])('%j brings nothing', (text) => {
    expect(readReceived(text, NOW)).toEqual({ messages: [], left: [] });
  });
  test.each(['<html>', '[]', 'null', '"x"', '{"Messages":{}}', '{"Messages":'])('%j is not one', (text) => {
    expect(() => readReceived(text, NOW)).toThrow(ForeignAnswerError);
  });

  test('whatever the others are, the healthy messages come, and every other can be dead-lettered or is left', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('__proto__', 'constructor', 'String', 'Binary', '0', '-1'),
    );
    const json = fc.oneof(fc.jsonValue(), text, fc.constant(null));
    const attribute = fc.oneof(json, fc.record({ DataType: text, StringValue: json, BinaryValue: json }));
    const hostile = fc.oneof(
      json,
      fc.record(
        {
          MessageId: fc.oneof(json, fc.constant('h')),
          ReceiptHandle: fc.oneof(json, fc.constant('h')),
          Body: fc.oneof(json, fc.constant(body)),
          MD5OfBody: fc.oneof(json, fc.constant(md5(body))),
          MD5OfMessageAttributes: json,
          MessageAttributes: fc.oneof(json, fc.dictionary(text, attribute)),
          Attributes: fc.oneof(
            json,
            fc.record({
              SentTimestamp: fc.oneof(json, fc.double().map(String), fc.integer().map(String)),
              ApproximateReceiveCount: fc.oneof(json, fc.double().map(String)),
              MessageGroupId: json,
              DeadLetterQueueSourceArn: json,
            }),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 9 }), fc.nat(9), (others, place) => {
        const at = Math.min(place, others.length);
        const all = [...others.slice(0, at), healthy('good'), ...others.slice(at)];
        const { messages, left } = read(...all);
        expect(messages.length + left.length).toBe(all.length);
        expect(messages.find(({ messageId }) => messageId === 'good')).toMatchObject({ body });
        for (const message of messages) {
          parseMessage(message);
          const record = deadLetterRecord(message, {
            reason: 'Invalid',
            error: { name: 'InvalidUpdate', message: message.fault ?? '' },
            attempts: 0,
            ids: {},
            sourceQueueUrl: 'q',
            now: NOW,
          });
          expect(buildDeadLetter(message, record, 1_048_576).body).toBe(message.body);
        }
      }),
    );
  });
});
