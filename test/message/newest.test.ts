import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/message/message.ts';
import {
  freshPart,
  type Marks,
  type NewestField,
  newestFields,
  staleFields,
} from '../../src/message/newest.ts';
import { decidedAt, parseBody } from '../../src/message/parse.ts';
import type { Update } from '../../src/message/update.ts';

const none = Number.NEGATIVE_INFINITY;
const both: Update = { Identifier: 'a1', Description: 'd', TaskConfigurationId: 'c', JobId: 'j' };
const description: Update = { Identifier: 'a1', Description: 'd' };
const configuration: Update = { Identifier: 'a1', TaskConfigurationId: 'c' };

describe('stale fields', () => {
  const marks = (d: number, t: number): Marks => ({ Description: d, TaskConfigurationId: t });

  test.each<[string, Update, Marks | undefined, readonly NewestField[]]>([
    ['nothing is known', both, undefined, []],
    ['neither field is known', both, marks(none, none), []],
    ['both are older', both, marks(99, 99), []],
    ['both were decided at the same time', both, marks(100, 100), []],
    ['one is newer', both, marks(101, 99), ['Description']],
    ['the other is newer', both, marks(none, 101), ['TaskConfigurationId']],
    ['both are newer', both, marks(101, 101), ['Description', 'TaskConfigurationId']],
    ['its only field is newer', description, marks(101, none), ['Description']],
    ['the newer field is not in it', description, marks(none, 101), []],
    ['the newer field is not in it, vice versa', configuration, marks(101, 100), []],
  ])('of an update decided on at 100, when %s', (_, update, known, stale) => {
    expect(staleFields(update, 100, known)).toEqual(stale);
  });

  test('are left out, and nothing else is', () => {
    expect(freshPart(both, [])).toBe(both);
    expect(freshPart(both, ['Description'])).toEqual({
      Identifier: 'a1',
      TaskConfigurationId: 'c',
      JobId: 'j',
    });
    expect(freshPart(both, ['Description', 'TaskConfigurationId'])).toBeUndefined();
    expect(freshPart(configuration, ['TaskConfigurationId'])).toBeUndefined();
    expect(both).toHaveProperty('Description', 'd');
  });
});

test('each field ends at its newest value, in whatever order updates arrive', () => {
  const values = fc.record({
    at: fc.integer({ min: 0, max: 5 }),
    fields: fc.subarray([...newestFields], { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 12 }), (updates) => {
      const task = new Map<NewestField, number>();
      const marks: Record<NewestField, number> = { Description: none, TaskConfigurationId: none };
      for (const { at, fields } of updates) {
        const update: Update = { Identifier: 'a', ...Object.fromEntries(fields.map((f) => [f, `${at}`])) };
        const fresh = freshPart(update, staleFields(update, at, marks));
        for (const field of newestFields) {
          if (fresh?.[field] === undefined) continue;
          task.set(field, Number(fresh[field]));
          marks[field] = Math.max(marks[field], at);
        }
      }
      for (const field of newestFields) {
        const times = updates.filter(({ fields }) => fields.includes(field)).map(({ at }) => at);
        expect(task.get(field)).toBe(times.length === 0 ? undefined : Math.max(...times));
      }
    }),
  );
});

describe('when an update was decided on', () => {
  const sentAt = Date.parse('2026-11-23T07:00:00Z');
  const message = (letter?: string): Message => ({
    messageId: 'm',
    receiptHandle: 'r',
    body: '',
    attributes: letter === undefined ? {} : { DeadLetter: { dataType: 'String', stringValue: letter } },
    sentAt,
    receiveCount: 1,
  });
  const issued = { ...both, IssuedAt: '2026-11-22T00:00:00.5Z' };

  test.each<[string, Update, string | undefined, string]>([
    ['its IssuedAt', issued, undefined, '2026-11-22T00:00:00.500Z'],
    [
      'its IssuedAt, also after a redrive',
      issued,
      '{"sentAt":"2026-11-01T00:00:00Z"}',
      '2026-11-22T00:00:00.500Z',
    ],
    ['when it was sent', both, undefined, '2026-11-23T07:00:00.000Z'],
    ['when it was first sent', both, '{"sentAt":"2026-11-01T00:00:00Z"}', '2026-11-01T00:00:00.000Z'],
    ['never later than it was sent', both, '{"sentAt":"2027-01-01T00:00:00Z"}', '2026-11-23T07:00:00.000Z'],
    [
      'when it was sent, when the record has no valid time',
      both,
      '{"sentAt":"yesterday"}',
      '2026-11-23T07:00:00.000Z',
    ],
    ['when it was sent, when the record is not JSON', both, '{', '2026-11-23T07:00:00.000Z'],
  ])('is %s', (_, update, letter, expected) => {
    expect(new Date(decidedAt({ ok: true, update }, message(letter))).toISOString()).toBe(expected);
  });

  const sns = (Timestamp: unknown, payload: object): string =>
    JSON.stringify({ Type: 'Notification', Timestamp, Message: JSON.stringify(payload) });
  const event = (time: unknown, detail: unknown): object => ({
    source: 's',
    'detail-type': 't',
    time,
    detail,
  });
  const [early, late] = ['2026-11-20T00:00:00Z', '2026-11-21T00:00:00.5Z'];
  /** Of an event whose time says no more than the second, and which was sent much later. */
  const inEarly = '2026-11-20T00:00:00.999Z';
  const redriven = '{"sentAt":"2026-11-22T00:00:00Z"}';

  test.each<[string, string, string | undefined, string]>([
    ["EventBridge's time of a replay", JSON.stringify(event(early, both)), undefined, inEarly],
    ["SNS's time of a late retry", sns(late, both), undefined, late],
    ['a time on a whole minute', sns('2026-11-20T00:00Z', both), undefined, inEarly],
    ['the earliest of two envelopes', sns(late, event(early, both)), undefined, inEarly],
    ['the earliest of two envelopes, the outer one', sns(early, event(late, both)), undefined, inEarly],
    [
      'the earliest of two envelopes, the other being absurd',
      sns(late, event('1970-01-01T00:00:00Z', both)),
      undefined,
      late,
    ],
    ['the IssuedAt inside it', JSON.stringify(event(early, issued)), undefined, '2026-11-22T00:00:00.500Z'],
    ["the event's time, also after a redrive", sns(late, both), redriven, late],
    [
      'the first sent time, where the event is later',
      sns('2026-11-22T12:00:00Z', both),
      redriven,
      '2026-11-22T00:00:00Z',
    ],
    [
      'when it was sent, where the event is later',
      sns('2027-01-01T00:00:00Z', both),
      undefined,
      '2026-11-23T07:00:00Z',
    ],
    [
      'when it was sent, where the time is local',
      sns('2026-11-20T00:00:00', both),
      undefined,
      '2026-11-23T07:00:00Z',
    ],
    [
      'when it was sent, where the time is a number',
      sns(1_700_000_000, both),
      undefined,
      '2026-11-23T07:00:00Z',
    ],
    [
      'when it was sent, where the time is of 1970',
      sns('1970-01-01T00:00:00Z', both),
      undefined,
      '2026-11-23T07:00:00Z',
    ],
  ])('is %s', (_, body, letter, expected) => {
    const check = parseBody(body, sentAt);
    expect(check.ok && new Date(decidedAt(check, message(letter))).toISOString()).toBe(
      new Date(expected).toISOString(),
    );
  });

  test('of two events of one second, the one sent first is the older; and neither leaves its second', () => {
    const at = (time: string, sentMs: number): number => {
      const check = parseBody(JSON.stringify(event(time, both)), sentAt);
      if (!check.ok) throw new Error(check.message);
      return decidedAt(check, { ...message(), sentAt: Date.parse('2026-11-20T00:00:00Z') + sentMs });
    };
    const times = [
      at('2026-11-20T00:00:00Z', 0),
      at('2026-11-20T00:00:00Z', 400),
      at('2026-11-20T00:00:00Z', 1_300),
      at('2026-11-20T00:00:00Z', 9_000),
      at('2026-11-20T00:00:00Z', 86_400_000),
      at('2026-11-20T00:00:01Z', 1_000),
    ];
    expect(new Set(times).size).toBe(times.length);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
  });
});
