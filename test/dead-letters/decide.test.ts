import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRedrive, type RedriveRules } from '../../src/dead-letters/changes/decide.ts';
import type { Letter } from '../../src/dead-letters/letters/letter.ts';
import { readEarlierRecord } from '../../src/message/dead-letter.ts';
import type { MessageAttribute } from '../../src/message/message.ts';
import { parseBody } from '../../src/message/parse.ts';
import type { OutgoingMessage } from '../../src/queue/types.ts';
import { letterWith, messageWith, now, queueUrl, record, update } from '../../testing/letters.ts';

const rules: RedriveRules = {
  set: {},
  force: false,
  queueUrl,
  queueArn: 'arn:aws:sqs:eu-west-1:123456789012:updates',
  fifo: false,
  maxBytes: 1_048_576,
  now,
};

function sent(letter: Letter, changes: Partial<RedriveRules> = {}): OutgoingMessage {
  const decision = decideRedrive(letter, { ...rules, ...changes });
  if (!decision.redrive) throw new Error(decision.why);
  return decision.message;
}

const invalid = letterWith({ reason: 'Invalid' }, { body: '{"Identifier":"task1","Descriptoin":"x"}' });
const badDescription = letterWith(
  { reason: 'Invalid' },
  { body: '{"Identifier":"task1","Description":"*"}' },
);
const arn = (name: string) => ({ deadLetterSourceArn: `arn:aws:sqs:eu-west-1:123456789012:${name}` });
const full: Record<string, MessageAttribute> = Object.fromEntries(
  Array.from({ length: 10 }, (_, i) => [`a${i}`, { dataType: 'String', stringValue: 'x' }]),
);
const noIssuedAt = JSON.stringify({ Identifier: 'task1', Description: 'x' });

const inEvent = (time: string): string =>
  JSON.stringify({ source: 's', 'detail-type': 't', time, detail: JSON.parse(noIssuedAt) });

describe('a letter is refused', () => {
  test.each<[string, Letter, Partial<RedriveRules>, RegExp | undefined]>([
    ['rejected once', letterWith(), {}, undefined],
    ['rejected again, unchanged', letterWith({ redriveCount: 1 }), {}, /^rejected again/],
    ['rejected again, changed', letterWith({ redriveCount: 1 }), { set: { Description: 'y' } }, undefined],
    ['out of retries again', letterWith({ reason: 'RetriesExhausted', redriveCount: 2 }), {}, undefined],
    [
      'put back three times',
      letterWith({ reason: 'Expiring', redriveCount: 3 }),
      {},
      /^already put back 3 times/,
    ],
    [
      'put back three times, changed',
      letterWith({ redriveCount: 3 }),
      { set: { Description: 'y' } },
      /^already put back/,
    ],
    ['not valid', invalid, {}, /^not a valid update/],
    ['not valid and foreign', letterWith(null, { body: 'hello' }), {}, /^not a valid update/],
    ['foreign', letterWith(null), {}, undefined],
    [
      'of another queue',
      letterWith({ sourceQueueUrl: `${queueUrl}2` }),
      {},
      /^came from another queue: https/,
    ],
    ['moved by SQS', letterWith(null, arn('updates')), {}, undefined],
    ['moved by SQS from another queue', letterWith(null, arn('other')), {}, /^came from another queue: arn/],
    [
      'without IssuedAt and room',
      letterWith(null, { attributes: full, body: noIssuedAt }),
      {},
      /^has no IssuedAt/,
    ],
    ['without room, with IssuedAt', letterWith(null, { attributes: full }), {}, undefined],
    [
      'without room, in an event that happened before',
      letterWith(null, { attributes: full, body: inEvent('2026-11-01T00:00:00Z') }),
      {},
      undefined,
    ],
    [
      'without room, in an event that happened later',
      letterWith(null, { attributes: full, body: inEvent('2026-11-24T00:00:00Z') }),
      {},
      /no room for its first sent time/,
    ],
  ])('%s', (_what, letter, changes, why) => {
    const decision = decideRedrive(letter, { ...rules, ...changes });
    if (why === undefined) expect(decision).toMatchObject({ redrive: true });
    else expect(decision).toEqual({ redrive: false, forcible: true, why: expect.stringMatching(why) });
    expect(decideRedrive(letter, { ...rules, ...changes, force: true })).toMatchObject({ redrive: true });
  });

  test.each<[string, Letter, Partial<RedriveRules>, RegExp]>([
    [
      'still not valid when changed',
      invalid,
      { set: { JobId: 'j' } },
      /^still not valid with --set: unknown field/,
    ],
    ['no JSON and to be changed', letterWith(null, { body: 'x' }), { set: { JobId: 'j' } }, /not JSON/],
    ['too large for the queue', letterWith(), { maxBytes: 100 }, /^larger than the queue accepts/],
  ])('even with --force: %s', (_what, letter, changes, why) => {
    const decision = decideRedrive(letter, { ...rules, ...changes, force: true });
    expect(decision).toEqual({ redrive: false, forcible: false, why: expect.stringMatching(why) });
  });
});

describe('what is sent', () => {
  test('is body and attributes as they were, for a letter with a record', () => {
    const letter = letterWith({}, { groupId: 'tenant', traceHeader: 'Root=1' });
    expect(sent(letter)).toEqual({
      key: letter.message.messageId,
      body: letter.message.body,
      attributes: letter.message.attributes,
      groupId: 'tenant',
      traceHeader: 'Root=1',
    });
  });

  test.each([
    ['without a record', null],
    ['with a broken record', 'hello'],
  ])('gets a first sent time and a count, for a letter %s', (_what, text) => {
    const message = sent(letterWith(text));
    const life = readEarlierRecord(messageWith(null, { attributes: message.attributes ?? {}, sentAt: now }));
    expect(life).toEqual({
      sentAt: new Date(now - 60_000).toISOString(),
      redriveCount: 0,
      originalMessageId: letterWith(text).message.messageId,
    });
  });

  test('keeps the first sent time and the count, for a redriven letter that SQS moved', () => {
    const message = sent(letterWith({ redriveCount: 1 }, arn('updates')));
    const life = readEarlierRecord(messageWith(null, { attributes: message.attributes ?? {}, sentAt: now }));
    expect(life).toEqual({
      sentAt: record.sentAt,
      redriveCount: 2,
      originalMessageId: record.sourceMessageId,
    });
  });

  test.each([
    ['bare', JSON.stringify(update)],
    ['an SNS notification', JSON.stringify({ Type: 'Notification', Message: JSON.stringify(update) })],
    ['an EventBridge event', JSON.stringify({ 'detail-type': 'x', source: 'y', detail: update })],
  ])('is the update alone with the field set and a new IssuedAt: %s', (_what, body) => {
    const message = sent(letterWith({}, { body }), { set: { TaskConfigurationId: 'cfg2' } });
    expect(JSON.parse(message.body)).toEqual({
      ...update,
      TaskConfigurationId: 'cfg2',
      IssuedAt: new Date(now).toISOString(),
    });
  });

  test('replaces a field that was not valid', () => {
    const { body } = sent(badDescription, { set: { Description: 'good' } });
    expect(parseBody(body, now)).toMatchObject({ ok: true, update: { Description: 'good' } });
  });

  test('has a deduplication id of the letter and of what was changed, on a FIFO queue', () => {
    const letter = letterWith({}, { groupId: 'task1', deduplicationId: 'old' });
    const id = letter.message.messageId;
    const plain = sent(letter, { fifo: true });
    const changed = sent(letter, { fifo: true, set: { Description: 'y' } });
    const other = sent(letter, { fifo: true, set: { Description: 'z' } });
    expect(plain).toMatchObject({ groupId: 'task1', deduplicationId: id });
    expect(changed.deduplicationId).toMatch(new RegExp(`^${id}\\.[0-9a-f]{16}$`));
    expect(new Set([plain, changed, other].map((m) => m.deduplicationId)).size).toBe(3);
    expect(sent(letter, { fifo: true })).toEqual(plain);
  });

  test('gets a group on a FIFO queue when it has none', () => {
    expect(sent(letterWith(), { fifo: true })).toMatchObject({ groupId: 'task1' });
  });

  test('counts one redrive more each time, whatever the letter was', () => {
    fc.assert(
      fc.property(fc.option(fc.integer({ min: 0, max: 2 })), fc.boolean(), (count, moved) => {
        const letter = letterWith(
          count === null ? null : { reason: 'Expiring', redriveCount: count },
          moved ? arn('updates') : {},
        );
        const message = sent(letter, { force: true });
        const life = readEarlierRecord(
          messageWith(null, { attributes: message.attributes ?? {}, sentAt: now }),
        );
        expect(life.redriveCount).toBe(letter.redriveCount);
        expect(Date.parse(life.sentAt ?? '')).toBeLessThanOrEqual(letter.message.sentAt);
      }),
      { numRuns: 50 },
    );
  });
});
