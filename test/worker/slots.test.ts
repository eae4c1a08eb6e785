import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closedSlots, RECEIVE_SIZE, slotsFor } from '../../src/worker/slots.ts';

const usual = { maxConcurrency: 50, visibilitySeconds: 30 };
const rate = fc.oneof(
  fc.double({ min: 0.01, max: 100_000, noNaN: true }),
  fc.constant(Number.POSITIVE_INFINITY),
);
const settings = fc.record({
  maxConcurrency: fc.integer({ min: 1, max: 10_000 }),
  visibilitySeconds: fc.integer({ min: 2, max: 43_200 }),
});

describe('slotsFor', () => {
  test.each([
    ['the usual rate: two seconds ahead', 10, usual, 20],
    ['a higher rate: two seconds ahead', 40, usual, 80],
    ['a rate beyond what more in hand would speed up', 5_000, usual, 100],
    ['no rate at all', Number.POSITIVE_INFINITY, usual, 100],
    ['a low rate: a whole receive, within a third of the lease', 1, usual, 10],
    ['a lower rate: what a third of the lease allows', 0.5, usual, 5],
    ['the lowest rate: one', 0.01, usual, 1],
    [
      'a short lease: a tenth of it ahead, or a whole receive',
      30,
      { maxConcurrency: 50, visibilitySeconds: 2 },
      10,
    ],
    ['one call at a time: two receives', 1_000, { maxConcurrency: 1, visibilitySeconds: 30 }, 20],
  ])('holds for %s', (_, perSecond, given, waiting) => {
    expect(slotsFor(perSecond, false, given).waiting).toBe(waiting);
  });

  test('holds little while calls are paused, whatever the rate', () => {
    fc.assert(
      fc.property(rate, settings, (perSecond, given) => {
        expect(slotsFor(perSecond, true, given)).toEqual(closedSlots);
      }),
    );
    expect(closedSlots.held).toBeLessThanOrEqual(30);
    expect(closedSlots.waiting).toBe(RECEIVE_SIZE);
  });

  test('always has a whole, finite and sufficient number of slots', () => {
    fc.assert(
      fc.property(rate, settings, (perSecond, given) => {
        const { waiting, held } = slotsFor(perSecond, false, given);
        expect(Number.isInteger(waiting)).toBe(true);
        expect(waiting).toBeGreaterThanOrEqual(1);
        // Room for all in flight and all that wait, or calls would starve.
        expect(held).toBeGreaterThanOrEqual(given.maxConcurrency + waiting);
        expect(Number.isFinite(held)).toBe(true);
      }),
    );
  });

  test('never holds longer than a third of the lease what waits for its first call', () => {
    fc.assert(
      fc.property(rate, settings, (perSecond, given) => {
        const { waiting } = slotsFor(perSecond, false, given);
        if (waiting > 1) expect(waiting / perSecond).toBeLessThanOrEqual(given.visibilitySeconds / 3 + 1e-9);
      }),
    );
  });

  test('never holds fewer at a higher rate', () => {
    fc.assert(
      fc.property(rate, rate, settings, (one, other, given) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(slotsFor(low, false, given).waiting).toBeLessThanOrEqual(slotsFor(high, false, given).waiting);
      }),
    );
  });
});
