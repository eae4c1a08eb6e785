import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLetter } from '../../src/dead-letters/letters/letter.ts';
import { letterWith, messageWith, now, record } from '../../testing/letters.ts';

describe('readLetter', () => {
  test('reads cause, ids and times of a worker’s letter', () => {
    const letter = letterWith({ jobId: 'job-1', requestId: 'row-1', redriveCount: 2 });
    expect(letter).toMatchObject({
      reason: 'Rejected',
      errorName: 'ResourceNotFoundException',
      errorStatus: 404,
      arrivedAt: Date.parse(record.deadLetteredAt),
      identifier: 'task1',
      jobId: 'job-1',
      requestId: 'row-1',
      redriveCount: 2,
      update: { ok: true },
    });
  });

  test.each([
    ['without an attribute', null, 'NoRecord'],
    ['with text that is no JSON', 'hello', 'UnreadableRecord'],
    ['with JSON that is no record', '{"reason":"Because"}', 'UnreadableRecord'],
    ['with null', 'null', 'UnreadableRecord'],
    ['with a reason nobody knows', JSON.stringify({ ...record, reason: 'Bored' }), 'UnreadableRecord'],
    ['with an error that is none', JSON.stringify({ ...record, error: 'x' }), 'UnreadableRecord'],
    ['with a time that is none', JSON.stringify({ ...record, deadLetteredAt: 'noon' }), 'UnreadableRecord'],
  ])('calls a letter foreign %s', (_what, text, errorName) => {
    expect(letterWith(text)).toMatchObject({
      reason: 'foreign',
      errorName,
      identifier: 'task1',
      arrivedAt: now - 60_000,
      redriveCount: 0,
    });
  });

  test('shows nothing secret that a record quotes', () => {
    const message = 'no: x-amz-security-token:abc';
    const letter = letterWith({ error: { name: 'Signature=abc', message, requestId: 'Signature=abc' } });
    expect(letter).toMatchObject({ errorName: '', errorMessage: 'no:' });
    expect(JSON.stringify(letter.record)).not.toContain('abc');
  });

  test('calls a letter foreign that SQS moved, and counts the redrives of its old record', () => {
    const arn = 'arn:aws:sqs:eu-west-1:123456789012:updates';
    const letter = letterWith({ redriveCount: 1 }, { deadLetterSourceArn: arn });
    expect(letter).toMatchObject({ reason: 'foreign', errorName: 'MovedBySqs', redriveCount: 2 });
    expect(letterWith(null, { deadLetterSourceArn: arn })).toMatchObject({ redriveCount: 0 });
    // What a redrive writes is no whole record; without its count nothing would stop a loop.
    const short = JSON.stringify({ sentAt: record.sentAt, redriveCount: 2 });
    expect(letterWith(short, { deadLetterSourceArn: arn })).toMatchObject({ redriveCount: 3 });
  });

  test('ignores single values of a record that are not valid', () => {
    const text = JSON.stringify({
      ...record,
      redriveCount: -1,
      sentAt: 'never',
      jobId: 'no good',
      attempts: 'x',
    });
    expect(letterWith(text)).toMatchObject({ reason: 'Rejected', redriveCount: 0, jobId: undefined });
  });

  test('reads the ids of a body that is not valid', () => {
    const letter = letterWith({}, { body: '{"Identifier":"task9","Descriptoin":"x"}' });
    expect(letter).toMatchObject({ identifier: 'task9', update: { ok: false } });
  });

  test('never throws, whatever is in body and record', () => {
    fc.assert(
      fc.property(fc.string(), fc.oneof(fc.string(), fc.json()), (body, text) => {
        readLetter(messageWith(text, { body }), now);
      }),
      { numRuns: 200 },
    );
  });
});
