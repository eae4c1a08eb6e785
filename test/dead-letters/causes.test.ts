import { describe, expect, test } from 'vitest';
import { causeOf, Groups } from '../../src/dead-letters/letters/causes.ts';
import type { Letter } from '../../src/dead-letters/letters/letter.ts';
import { letterWith, record } from '../../testing/letters.ts';

const body = (Identifier: string): string => JSON.stringify({ Identifier, Description: 'x' });
const notFound = (identifier: string): Letter =>
  letterWith(
    { error: { ...record.error, message: `OTA task ${identifier} was not found` } },
    { body: body(identifier) },
  );

describe('causeOf', () => {
  test.each<[string, Letter, Letter]>([
    ['two tasks in the message', notFound('task1'), notFound('other22')],
    [
      'numbers in the message',
      letterWith({ error: { name: 'E', message: 'limit 5 of 10' } }),
      letterWith({ error: { name: 'E', message: 'limit 17 of 2' } }),
    ],
    [
      'request ids in the message',
      letterWith({ error: { name: 'E', message: 'id 6fce6f35-0000-4000-8000-00000000040b' } }),
      letterWith({ error: { name: 'E', message: 'id 7ace6f35-1111-4000-8000-00000000040c' } }),
    ],
    [
      'AWS request ids beside the message',
      letterWith({ error: { ...record.error, requestId: 'a' } }),
      letterWith(),
    ],
  ])('is one for letters that differ by %s', (_what, a, b) => {
    expect(causeOf(a)).toEqual(causeOf(b));
  });

  test.each<[string, Letter, Letter]>([
    ['reason', letterWith(), letterWith({ reason: 'RetriesExhausted' })],
    ['error', letterWith(), letterWith({ error: { ...record.error, name: 'ValidationException' } })],
    ['status', letterWith(), letterWith({ error: { ...record.error, status: 410 } })],
    ['message', letterWith(), letterWith({ error: { ...record.error, message: 'gone' } })],
    ['origin', letterWith(null), letterWith('broken')],
  ])('is another for another %s', (_what, a, b) => {
    expect(causeOf(a).group).not.toBe(causeOf(b).group);
  });

  test('has the same name in every run', () => {
    expect(causeOf(letterWith()).group).toMatch(/^[0-9a-f]{8}$/);
    expect(causeOf(letterWith()).group).toBe('2eb0fa48');
  });
});

describe('Groups', () => {
  test('counts, and keeps first, last, the redriven ones and one example', () => {
    const groups = new Groups();
    groups.add(letterWith({ deadLetteredAt: '2026-11-23T04:00:00Z' }));
    groups.add(letterWith({ deadLetteredAt: '2026-11-23T03:00:00Z', redriveCount: 1 }));
    groups.add(letterWith(null));
    groups.add(letterWith({ deadLetteredAt: '2026-11-23T05:00:00Z' }));
    expect(groups.all()).toMatchObject([
      {
        reason: 'Rejected',
        count: 3,
        first: Date.parse('2026-11-23T03:00:00Z'),
        last: Date.parse('2026-11-23T05:00:00Z'),
        redriven: 1,
        example: { identifier: 'task1' },
      },
      { reason: 'foreign', count: 1 },
    ]);
  });

  test('keeps a bounded number of causes, and counts the rest', () => {
    const groups = new Groups(3);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'a'])
      groups.add(letterWith({ error: { name, message: '' } }));
    expect(groups.all().map(({ errorName, count }) => [errorName, count])).toEqual([
      ['a', 2],
      ['b', 1],
      ['c', 1],
    ]);
    expect(groups.others).toBe(2);
  });
});
