import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AcceptedCalls } from '../../../../src/ota/rate/adaptive/accepted-calls.ts';

/** To which a time is counted, in milliseconds. */
const QUARTER = 250;

test('nothing was accepted before a call', () => {
  expect(new AcceptedCalls().perSecond(10_000, 1_000)).toBe(0);
});

test.each([
  ['a second', 1_000, 10],
  ['the last half of it', 500, 10],
  ['two, of which one was quiet', 2_000, 5],
])('counts the calls of %s', (_, ms, expected) => {
  const calls = new AcceptedCalls();
  for (let at = 1_000; at < 2_000; at += 100) calls.add(at);
  expect(calls.perSecond(2_000, ms)).toBeCloseTo(expected, 0);
});

test('counts calls at the same moment', () => {
  const calls = new AcceptedCalls();
  for (let i = 0; i < 7; i++) calls.add(500);
  expect(calls.perSecond(500, 1_000)).toBe(7);
});

const gaps = fc.array(
  fc.oneof(
    fc.constant(0),
    fc.double({ min: 0, max: 1_000, noNaN: true }),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  ),
  { maxLength: 200 },
);

test('counts every call of the time, and of the time before at most a quarter of a second', () => {
  const times = fc.double({ min: 1, max: 600_000, noNaN: true });
  fc.assert(
    fc.property(gaps, times, (all, ms) => {
      const calls = new AcceptedCalls();
      const ends: number[] = [];
      let now = 0;
      for (const gap of all) {
        now += gap;
        ends.push(now);
        calls.add(now);
      }
      const since = (from: number): number => ends.filter((end) => end > from).length;
      const counted = (calls.perSecond(now, ms) * ms) / 1_000;
      expect(counted).toBeGreaterThanOrEqual(since(now - ms) - 1e-6);
      expect(counted).toBeLessThanOrEqual(since(now - ms - QUARTER - 1e-6) + 1e-6);
    }),
  );
});

test('keeps ten minutes, not more', () => {
  const calls = new AcceptedCalls();
  const minutes = 30;
  for (let at = 0; at < minutes * 60_000; at += QUARTER) calls.add(at);
  const counted = (calls.perSecond(minutes * 60_000, 3_600_000) * 3_600_000) / 1_000;
  expect(counted).toBeCloseTo((10 * 60_000) / QUARTER, 6);
});
