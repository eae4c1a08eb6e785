import { describe, expect, test } from 'vitest';
import { buildDeadLetter, deadLetterRecord } from '../../src/message/dead-letter.ts';
import type { Message } from '../../src/message/message.ts';
import { tracesOf } from '../../src/message/message-traces.ts';

const of = (digit: string) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16), sampled: true });
const text = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
const attribute = (stringValue: string) => ({ dataType: 'String', stringValue });

const update = { Identifier: 'a1', Description: 'x' };
const message = (parts: Partial<Message> = {}): Message => ({
  messageId: 'm1',
  receiptHandle: 'r1',
  body: JSON.stringify(update),
  attributes: {},
  sentAt: Date.UTC(2026, 10, 29),
  receiveCount: 1,
  ...parts,
});
const cloudEvent = (more: object) =>
  JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', data: update, ...more });

describe('the spans that a message comes from', () => {
  test('are none for a message without them', () => {
    expect(tracesOf(message())).toEqual({ parent: undefined, producers: [], earlier: undefined });
  });

  test('are that of its attribute, before that of its CloudEvent', () => {
    const body = cloudEvent({ traceparent: text('b'), tracestate: 'v=1' });
    expect(tracesOf(message({ body }))).toMatchObject({ producers: [{ ...of('b'), state: 'v=1' }] });
    const attributes = { traceparent: attribute(text('a')) };
    expect(tracesOf(message({ body, attributes }))).toMatchObject({ producers: [of('a')] });
  });

  test('are read out of a CloudEvent inside a notification of SNS', () => {
    const body = JSON.stringify({ Type: 'Notification', Message: cloudEvent({ traceparent: text('b') }) });
    expect(tracesOf(message({ body }))).toMatchObject({ producers: [of('b')] });
  });

  test("are that of X-Ray's header as well, once where both name one span", () => {
    const traceHeader = (digit: string) =>
      `Root=1-${digit.repeat(8)}-${digit.repeat(24)};Parent=${digit.repeat(16)};Sampled=1`;
    const attributes = { traceparent: attribute(text('a')) };
    expect(tracesOf(message({ traceHeader: traceHeader('c') })).producers).toEqual([of('c')]);
    expect(tracesOf(message({ attributes, traceHeader: traceHeader('c') })).producers).toEqual([
      of('a'),
      of('c'),
    ]);
    expect(tracesOf(message({ attributes, traceHeader: traceHeader('a') })).producers).toEqual([of('a')]);
  });

  test('are linked to only, where whoever made them leaves the sampling to others', () => {
    const traceHeader = `Root=1-${'c'.repeat(8)}-${'c'.repeat(24)};Parent=${'c'.repeat(16)}`;
    const { parent, producers } = tracesOf(message({ traceHeader }));
    expect(parent).toBeUndefined();
    expect(producers).toMatchObject([{ undecided: true }]);
    const DeadLetter = attribute(JSON.stringify({ traceparent: text('d') }));
    expect(tracesOf(message({ traceHeader, attributes: { DeadLetter } })).parent).toEqual(of('d'));
    expect(tracesOf(message({ traceHeader: `${traceHeader};Sampled=0` })).parent).toMatchObject({
      sampled: false,
    });
  });

  test('are not what is malformed, whatever has it', () => {
    const attributes = {
      traceparent: attribute(`${text('a')}\u001b[31m`),
      DeadLetter: attribute(JSON.stringify({ traceparent: 'javascript:alert(1)' })),
    };
    const body = cloudEvent({ traceparent: { evil: true } });
    expect(tracesOf(message({ attributes, body, traceHeader: 'Root=;' }))).toEqual({
      parent: undefined,
      producers: [],
      earlier: undefined,
    });
    expect(tracesOf(message({ body: '{"traceparent"' })).producers).toEqual([]);
  });
});

describe('the record of a dead letter', () => {
  const facts = {
    reason: 'Rejected',
    error: { name: 'X', message: '' },
    attempts: 1,
    ids: {},
    sourceQueueUrl: 'q',
    now: 0,
  } as const;
  const lettered = (from: Message, traceparent?: string) =>
    buildDeadLetter(from, deadLetterRecord(from, { ...facts, traceparent }), 100_000).attributes;

  test('carries the span in which it was given up, so that the next try is in its trace', () => {
    const attributes = lettered(message(), text('d'));
    expect(tracesOf(message({ attributes })).earlier).toEqual(of('d'));
  });

  test('keeps that of an earlier letter where this delivery is not traced, and replaces it where it is', () => {
    const first = message({ attributes: lettered(message(), text('d')) });
    expect(tracesOf(message({ attributes: lettered(first) })).earlier).toEqual(of('d'));
    expect(tracesOf(message({ attributes: lettered(first, text('e')) })).earlier).toEqual(of('e'));
  });
});
