/** Letters on the dead-letter queue. */
import { afterEach, describe, expect, test } from 'vitest';
import type { MessageAttribute } from '../../src/message/message.ts';
import { logEvents } from '../../src/observe/log-events.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { recordOf, type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const empty = { ready: 0, inFlight: 0 };
const MiB = 1_048_576;
const complete = [
  'reason',
  'error',
  'attempts',
  'receiveCount',
  'sentAt',
  'deadLetteredAt',
  'sourceMessageId',
  'sourceQueueUrl',
  'jobId',
  'requestId',
  'redriveCount',
];
const bare = complete.filter((key) => key !== 'jobId' && key !== 'requestId');

const text = (stringValue: string, dataType = 'String'): MessageAttribute => ({ dataType, stringValue });

async function sendOne(body: string, attributes: Record<string, MessageAttribute> = {}): Promise<void> {
  const failures = await stage.source.send([{ key: 'one', body, attributes }]);
  expect(failures).toEqual([]);
}

/** A stage whose API rejects every call with `message`, and whose log is kept. */
async function setRefusingStage(
  message: string,
  options: StageOptions = {},
): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('info', {
    write: (line: string) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  });
  stage = await setStage({ ...options, listeners: [logEvents(log)] });
  stage.api.scriptAll({ status: 400, errorType: 'ValidationException', body: { message } });
  return lines;
}

const logged = (lines: Record<string, unknown>[]) => lines.filter((line) => line.event === 'dead_letter');

const ids = { Identifier: 'task0', JobId: 'job-1', RequestId: 'row-1' };
/** A valid update of exactly this many bytes, by white space between tokens. */
function bodyOf(bytes: number): string {
  const json = JSON.stringify({ ...ids, Description: 'x' });
  return `{${' '.repeat(bytes - json.length)}${json.slice(1)}`;
}

/** Characters of every width that SQS accepts, except astral ones, which fauxqs refuses (see dead-letters-wire). */
const characters = '\t\n\r "\\/ aé\u00a0ß€\u200f\u202e\u2028\ud7ff\ue000\ufdd0\ufeff\ufffd';

describe('the body', () => {
  test.each<[string, string]>([
    ['characters of every width', characters],
    [
      'unusual but valid JSON',
      '{ "Identifier" : "\\u0074ask0",\r\n\t"Description":"x", "Identifier":"t-0" }',
    ],
  ])('arrives byte for byte: %s', async (_what, body) => {
    stage = await setStage();
    await sendOne(body);
    await stage.worker.start();
    await stage.ended(1);
    const letters = await stage.deadLetters();
    expect(letters.map((letter) => Buffer.from(letter.body).toString('hex'))).toEqual([
      Buffer.from(body).toString('hex'),
    ]);
    expect(letters.map((letter) => recordOf(letter).reason)).toEqual(['Invalid']);
    expect(stage.left()).toEqual(empty);
  });

  test('arrives byte for byte close to 1 MiB', async () => {
    stage = await setStage();
    const filled = characters.repeat(Math.floor((MiB - 2_000) / Buffer.byteLength(characters)));
    await sendOne(filled);
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    expect(letter?.body === filled).toBe(true);
    expect(letter && Object.keys(recordOf(letter))).toEqual(bare);
    expect(stage.left()).toEqual(empty);
  });

  test('of ten messages of 1 MiB arrives, although a request can hold only one', async () => {
    stage = await setStage();
    const bodies = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(MiB - 10));
    for (const body of bodies) await sendOne(body);
    await stage.worker.start();
    await stage.ended(10);
    const letters = await stage.deadLetters();
    expect(letters).toHaveLength(10);
    expect(new Set(letters.map(({ body }) => body))).toEqual(new Set(bodies));
    expect(stage.left()).toEqual(empty);
  });
});

describe('the other attributes', () => {
  test('are kept, of every type', async () => {
    const attributes: Record<string, MessageAttribute> = {
      Text: text('été 🎉 "quoted"'),
      Count: text('-12.50', 'Number'),
      Big: text('99999999999999999999', 'Number.long'),
      Custom: text('{"a":1}', 'String.json'),
      Bytes: { dataType: 'Binary', binaryValue: Uint8Array.from({ length: 256 }, (_, i) => i) },
      Picture: { dataType: 'Binary.png', binaryValue: Uint8Array.of(0, 255) },
      'traceparent.x-y_z': text('00-abc-def-01'),
    };
    await setRefusingStage('no');
    await sendOne(JSON.stringify({ ...ids, Description: 'x' }), attributes);
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    const { DeadLetter, ...others } = letter?.attributes ?? {};
    expect(others).toEqual(attributes);
    expect(DeadLetter?.dataType).toBe('String');
    expect(letter && Object.keys(recordOf(letter))).toEqual(complete);
  });
});

describe('the record', () => {
  test('is complete when it fits', async () => {
    await setRefusingStage('not this one');
    await sendOne(JSON.stringify({ ...ids, Description: 'x' }));
    const sent = stage.sqs.inspectQueue('updates')?.messages.ready[0];
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    const record = letter && recordOf(letter);
    expect(record).toEqual({
      reason: 'Rejected',
      error: {
        name: 'ValidationException',
        status: 400,
        message: 'not this one',
        requestId: expect.any(String),
      },
      attempts: 1,
      receiveCount: 1,
      sentAt: new Date(sent?.sentTimestamp ?? 0).toISOString(),
      deadLetteredAt: expect.any(String),
      sourceMessageId: sent?.messageId,
      sourceQueueUrl: stage.config.queueUrl,
      jobId: 'job-1',
      requestId: 'row-1',
      redriveCount: 0,
    });
    expect(Date.parse(record?.deadLetteredAt ?? '')).toBeGreaterThanOrEqual(
      sent?.sentTimestamp ?? Number.NaN,
    );
    expect(stage.settled()).toMatchObject([{ deadLetter: { fit: 'complete', replaced: false } }]);
  });

  test('has its message cut first', async () => {
    const lines = await setRefusingStage('é'.repeat(1_000));
    await sendOne(bodyOf(MiB - 1_100));
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    const record = letter && recordOf(letter);
    expect(Object.keys(record ?? {})).toEqual(complete);
    expect(record?.error.message).toMatch(/^é+…$/);
    expect(record?.error.message.length).toBeLessThan(1_000);
    expect(record).toMatchObject({
      jobId: 'job-1',
      requestId: 'row-1',
      error: { requestId: expect.any(String) },
    });
    expect(stage.settled()).toMatchObject([{ deadLetter: { fit: 'message-cut' } }]);
    expect(logged(lines)).toMatchObject([
      { recordFit: 'message-cut', record: { error: { message: 'é'.repeat(1_000) } } },
    ]);
  });

  test.each([
    ['a body of exactly 1 MiB', bodyOf(MiB), {}],
    [
      'ten other attributes',
      bodyOf(200),
      Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a${i}`, text(`${i}`)])),
    ],
  ])('is left off last, and is complete in the log: %s', async (_what, body, attributes) => {
    const lines = await setRefusingStage('not this one');
    await sendOne(body, attributes);
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    expect(letter?.body === body).toBe(true);
    expect(letter?.attributes).toEqual(attributes);
    const [line] = logged(lines);
    expect(line).toMatchObject({ recordFit: 'left-off', identifier: 'task0' });
    expect(Object.keys(line?.record as object)).toEqual(complete);
    expect(line?.record).toMatchObject({
      reason: 'Rejected',
      error: { message: 'not this one', status: 400 },
    });
    expect(stage.left()).toEqual(empty);
  });

  test('shrinks to the MaximumMessageSize of the dead-letter queue', async () => {
    await setRefusingStage('x'.repeat(1_000), { deadLetterAttributes: { MaximumMessageSize: '2048' } });
    await sendOne(bodyOf(1_000));
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    expect(letter?.body).toBe(bodyOf(1_000));
    expect(letter && recordOf(letter).error.message).toMatch(/^x+…$/);
  });
});

describe('a record that came with the message', () => {
  const former = {
    reason: 'RetriesExhausted',
    error: { name: 'InternalServerException', status: 500, message: 'an old one' },
    sentAt: '2026-01-02T03:04:05.678Z',
    redriveCount: 3,
  };

  test('is replaced, with the first sent time kept and one more redrive counted', async () => {
    const lines = await setRefusingStage('no');
    await sendOne(bodyOf(200), { DeadLetter: text(JSON.stringify(former)), Other: text('kept') });
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    expect(letter?.attributes.Other).toEqual(text('kept'));
    const record = letter && recordOf(letter);
    expect(Object.keys(record ?? {})).toEqual(complete);
    expect(record).toMatchObject({
      reason: 'Rejected',
      error: { name: 'ValidationException', message: 'no' },
      sentAt: former.sentAt,
      redriveCount: 4,
    });
    expect(stage.settled()).toMatchObject([{ deadLetter: { replaced: true } }]);
    expect(logged(lines)).toMatchObject([{ replacedRecord: true }]);
  });

  test.each<[string, MessageAttribute]>([
    ['not JSON', text('oops')],
    ['a sent time in the future', text('{"sentAt":"2999-01-01T00:00:00Z"}')],
  ])('is not trusted: %s', async (_what, attribute) => {
    await setRefusingStage('no');
    await sendOne(bodyOf(200), { DeadLetter: attribute });
    const sent = stage.sqs.inspectQueue('updates')?.messages.ready[0];
    await stage.worker.start();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'Rejected', sentAt: new Date(sent?.sentTimestamp ?? 0).toISOString(), redriveCount: 0 },
    ]);
    expect(stage.settled()).toMatchObject([{ deadLetter: { replaced: true } }]);
  });
});

describe('an error message with unsafe characters', () => {
  /** Characters that SQS accepts in an attribute. */
  const taken = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

  test.each<[string, string]>([
    ['NUL', 'a\u0000b'],
    ['a lone high surrogate', 'a\ud83db'],
    ['bidi controls', 'a\u202e\u2066txt.exe\u2069b'],
    ['a surrogate pair at the cut', `${'x'.repeat(999)}😀b`],
  ])('is kept as JSON that SQS accepts: %s', async (_what, message) => {
    // No character is cut in two.
    const kept = message.slice(0, 1_000).replace(/[\ud800-\udbff]$/, '');
    const lines = await setRefusingStage(message);
    await sendOne(bodyOf(200));
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    const value = letter?.attributes.DeadLetter?.stringValue ?? '\u0000';
    expect(value).toMatch(taken);
    expect(letter && recordOf(letter)).toMatchObject({
      reason: 'Rejected',
      error: { name: 'ValidationException', message: kept },
    });
    expect(logged(lines)).toMatchObject([{ errorMessage: kept }]);
  });

  test('is kept together with such a name', async () => {
    const name = 'a\u0000\ud800\ufffe\u202e"\\b';
    stage = await setStage();
    stage.api.scriptAll({ status: 400, body: { __type: name, message: 'm' } });
    await sendOne(bodyOf(200));
    await stage.worker.start();
    await stage.ended(1);
    const [letter] = await stage.deadLetters();
    expect(letter?.attributes.DeadLetter?.stringValue ?? '\u0000').toMatch(taken);
    expect(letter && recordOf(letter)).toMatchObject({ reason: 'Rejected', error: { name } });
  });
});
