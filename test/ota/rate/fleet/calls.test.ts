import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MOST_BYTES, MOST_CALLS, readCalls, writeCalls } from '../../../../src/ota/rate/fleet/calls.ts';
import type { ObservedCall } from '../../../../src/ota/rate/rate-control.ts';

const NOW = 1_000_000;
const throttled = { failure: { kind: 'throttled' } };

const call = fc.record({ ago: fc.nat(5_000), took: fc.nat(30_000), throttled: fc.boolean() }).map(
  (each): ObservedCall => ({
    startedAt: NOW - each.ago - each.took,
    endedAt: NOW - each.ago,
    ...(each.throttled && throttled),
  }),
);

const counts = (calls: readonly ObservedCall[]) => ({
  all: calls.length,
  throttled: calls.filter(({ failure }) => failure?.kind === 'throttled').length,
});

/** Of a day before NOW, to the millisecond. */
const millisecond = fc.double({ min: 0, max: 100, noNaN: true });

describe('a report', () => {
  test('of few calls says of each when it began and ended, on the clock of whoever reads it', () => {
    const calls: ObservedCall[] = [
      { startedAt: NOW - 150, endedAt: NOW - 90 },
      { startedAt: NOW - 100, endedAt: NOW - 40, ...throttled },
      { startedAt: NOW - 61, endedAt: NOW - 1, failure: { kind: 'rejected' } },
    ];
    expect(readCalls(writeCalls(calls, NOW), 500)).toEqual([
      { startedAt: 350, endedAt: 410 },
      { startedAt: 400, endedAt: 460, ...throttled },
      { startedAt: 439, endedAt: 499 },
    ]);
  });

  test('counts every call, in the order of their ends, and is never too long', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 2_000, size: 'max' }), (calls) => {
        const text = writeCalls(calls, NOW);
        expect(text.length).toBeLessThanOrEqual(MOST_BYTES);
        if (calls.length === 0) {
          expect(text).toBe('');
          return;
        }
        const read = readCalls(text, NOW) ?? [];
        expect(counts(read)).toEqual(counts(calls));
        const ends = read.map(({ endedAt }) => endedAt);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
      }),
    );
  });

  test('of many calls at many times is as exact as its length allows', () => {
    const calls = Array.from({ length: 5_000 }, (_, i) => ({
      startedAt: NOW - 60 - i / 50,
      endedAt: NOW - i / 50,
    }));
    const read = readCalls(writeCalls(calls, NOW), NOW) ?? [];
    const ends = read.map(({ endedAt }) => endedAt);
    expect(read).toHaveLength(5_000);
    expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(95);
  });

  test('of more calls than a worker makes names the latest', () => {
    const calls = Array.from({ length: MOST_CALLS + 5 }, (_, i) => ({
      startedAt: NOW - 50,
      endedAt: NOW - 10,
      ...(i < 5 && throttled),
    }));
    expect(counts(readCalls(writeCalls(calls, NOW), NOW) ?? [])).toEqual({ all: MOST_CALLS, throttled: 0 });
  });

  test('takes a call that ended after now, or before it began, for one that took no time', () => {
    fc.assert(
      fc.property(millisecond, millisecond, (ahead, back) => {
        const text = writeCalls([{ startedAt: NOW + ahead + back, endedAt: NOW + ahead }], NOW);
        expect(readCalls(text, NOW)).toEqual([{ startedAt: NOW, endedAt: NOW }]);
      }),
    );
  });

  test.each([
    '',
    'x',
    'null',
    '{}',
    '"1,2,3,4"',
    '[1,2,3]',
    '[1,2,3,"4"]',
    '[1,2,3,null]',
    '[1,2,3,1.5]',
    '[-1,2,3,4]',
    '[1,-2,3,4]',
    '[1,2,1e9,0]',
    '[1e300,2,3,4]',
    '[[1,2,3,4]]',
    `[1,1,${MOST_CALLS},1]`,
    `[${'1,1,0,0,'.repeat(1_000)}1,1,0,${'0'.repeat(10_000)}]`,
  ])('that is none, as %.40s, is refused', (text) => {
    expect(readCalls(text, NOW)).toBeUndefined();
  });

  test('of anything is refused or read as no more calls than a report has', () => {
    const numbers = fc.array(fc.oneof(fc.nat(20), fc.nat(), fc.double(), fc.string()), { maxLength: 40 });
    fc.assert(
      fc.property(numbers, (values) => {
        const read = readCalls(JSON.stringify(values), NOW);
        expect((read ?? []).length).toBeLessThanOrEqual(MOST_CALLS);
        for (const { startedAt, endedAt } of read ?? []) {
          expect(endedAt).toBeLessThanOrEqual(NOW);
          expect(startedAt).toBeLessThanOrEqual(endedAt);
        }
      }),
    );
  });
});
