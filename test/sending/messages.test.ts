import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Update } from '../../src/message/update.ts';
import { toMessage } from '../../src/sending/messages.ts';

const run = 'run-1';
const standard = { key: '2', fifo: false, run };
const ordered = { key: '2', fifo: true, run };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const update = (Identifier: string, JobId?: string): Update => ({
  Identifier,
  Description: 'x',
  ...(JobId !== undefined && { JobId }),
});

describe('toMessage', () => {
  test('groups by job on a standard queue, for fairness', () => {
    expect(toMessage(update('a1', 'job-1'), standard)).toEqual({
      key: '2',
      body: '{"Identifier":"a1","Description":"x","JobId":"job-1"}',
      groupId: 'job-1',
    });
  });

  test('sends no group to a standard queue when there is no job', () => {
    expect(Object.keys(toMessage(update('a1'), standard))).toEqual(['key', 'body']);
  });

  test('groups by Identifier on a FIFO queue', () => {
    expect(toMessage(update('a1', 'job-1'), ordered).groupId).toBe('a1');
  });

  test('gives an update that is sent again the same deduplication id, another update and another run another', () => {
    const id = (key: string, Identifier: string, inRun = run): string | undefined =>
      toMessage(update(Identifier), { key, fifo: true, run: inRun }).deduplicationId;
    expect(id('2', 'a1')).toBe(id('2', 'a1'));
    expect(id('2', 'a1')).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set([id('2', 'a1'), id('3', 'a1'), id('2', 'b2'), id('2', 'a1', 'run-2')]).size).toBe(4);
  });

  test.each([
    [128, 'x'.repeat(128)],
    [129, sha256('x'.repeat(129))],
  ])('makes a group of an Identifier of %d characters', (length, groupId) => {
    expect(toMessage(update('x'.repeat(length)), ordered).groupId).toBe(groupId);
  });
});
