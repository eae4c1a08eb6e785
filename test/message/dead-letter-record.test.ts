import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buildDeadLetter,
  DEAD_LETTER_ATTRIBUTE,
  type DeadLetter,
  deadLetterRecord,
} from '../../src/message/dead-letter.ts';
import { deadLetterJsonSchema, deadLetterReasons } from '../../src/message/dead-letter-record.ts';
import type { Message } from '../../src/message/message.ts';
import { anyText } from '../../testing/any-text.ts';

const now = Date.parse('2026-11-23T07:00:00Z');
const accepts = new Ajv2020().compile(JSON.parse(deadLetterJsonSchema()) as object);
const messageId = '5d3c5a2e-2c62-5c5b-8c71-07a0b4d7f7a5';
const message: Message = {
  messageId,
  receiptHandle: 'r-1',
  body: '{}',
  attributes: {},
  sentAt: now,
  receiveCount: 1,
};

describe('the JSON Schema of a record', () => {
  test('accepts each record that a letter carries, whatever is left out of it for want of room', () => {
    const any = anyText();
    const facts = fc.record({
      reason: fc.constantFrom(...deadLetterReasons),
      error: fc.record(
        { name: any, status: fc.integer({ min: 100, max: 599 }), message: any, requestId: any },
        { requiredKeys: ['name', 'message'] },
      ),
      attempts: fc.nat(),
      ids: fc.record({ jobId: fc.constant('job-1'), requestId: fc.constant('r-1') }, { requiredKeys: [] }),
      earlier: fc.option(fc.constant(JSON.stringify({ originalMessageId: messageId, redriveCount: 2 }))),
    });
    const fits = new Map<DeadLetter['fit'], number>();
    fc.assert(
      fc.property(facts, fc.integer({ min: 250, max: 900 }), ({ earlier, ...each }, room) => {
        const stringValue = earlier ?? '';
        const attributes =
          earlier === null ? {} : { [DEAD_LETTER_ATTRIBUTE]: { dataType: 'String', stringValue } };
        const original = { ...message, attributes };
        const record = deadLetterRecord(original, { ...each, sourceQueueUrl: 'https://sqs/1/updates', now });
        const letter = buildDeadLetter(original, record, room);
        fits.set(letter.fit, (fits.get(letter.fit) ?? 0) + 1);
        const written = letter.attributes[DEAD_LETTER_ATTRIBUTE]?.stringValue;
        if (letter.fit === 'left-off' || written === undefined) return;
        expect(accepts(JSON.parse(written)), JSON.stringify(accepts.errors)).toBe(true);
      }),
      { numRuns: 500 },
    );
    // Otherwise nothing would be proved of the shorter forms.
    expect([...fits.keys()].sort()).toEqual(['complete', 'left-off', 'message-cut', 'optional-dropped']);
  });

  test.each([
    ['reason', 'Bored'],
    ['attempts', -1],
    ['sentAt', 'yesterday'],
    ['deadLetteredAt', '2026-11-23T07:00:00Z\n'],
    ['sourceMessageId', ''],
  ])('refuses %s %j', (field, value) => {
    const error = { name: 'X', message: '' };
    const facts = { reason: 'Rejected', error, attempts: 1, ids: {}, sourceQueueUrl: 'u', now } as const;
    const record = deadLetterRecord(message, facts);
    expect(accepts(record)).toBe(true);
    expect(accepts({ ...record, later: 1 })).toBe(true);
    expect(accepts({ ...record, [field]: value })).toBe(false);
  });
});
