import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Comeback } from '../../../../src/ota/rate/adaptive/comeback.ts';
import { defaultTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';

const { after, most, remembered } = defaultTuning.comeback;
const AFTER_MS = 1_000 * after;
const REMEMBERED_MS = 1_000 * remembered;

/** A comeback to 100/s, cut deep at `at`. */
function cutAt(at: number): Comeback {
  const comeback = new Comeback(defaultTuning.comeback);
  comeback.remember(at, 100);
  comeback.wait(at);
  return comeback;
}

/** Milliseconds from `from` until an attempt from 50/s is due. */
function dueAfter(comeback: Comeback, from: number): number {
  let ms = 0;
  while (!comeback.due(from + ms, 50, false)) {
    if (ms > REMEMBERED_MS) return Number.POSITIVE_INFINITY;
    ms += 100;
  }
  return ms;
}

test('is never due before a deep cut from a settled rate', () => {
  const comeback = new Comeback(defaultTuning.comeback);
  comeback.wait(0);
  comeback.failed(0);
  expect(comeback.known).toBe(false);
  expect(comeback.due(1e9, 1, false)).toBe(false);
});

describe('the first attempt', () => {
  test('is due some time after the cut', () => {
    const comeback = cutAt(5_000);
    expect(comeback.known).toBe(true);
    expect(comeback.due(5_000 + AFTER_MS - 1, 50, false)).toBe(false);
    expect(comeback.due(5_000 + AFTER_MS, 50, false)).toBe(true);
  });

  test('is due before its time where nothing is throttled any more, as long as there is something to come back to', () => {
    expect(cutAt(5_000).due(5_001, 50, true)).toBe(true);
    expect(cutAt(5_000).due(5_001, 95, true)).toBe(false);
    expect(cutAt(5_000).due(5_000 + REMEMBERED_MS, 50, true)).toBe(false);
  });

  test('is not made where little is missing', () => {
    expect(cutAt(0).due(AFTER_MS, 95, false)).toBe(false);
    expect(cutAt(0).due(AFTER_MS, 80, false)).toBe(true);
  });

  test('is not made when the rate before is long ago', () => {
    expect(cutAt(0).due(REMEMBERED_MS - 1, 50, false)).toBe(true);
    expect(cutAt(0).due(REMEMBERED_MS, 50, false)).toBe(false);
  });

  test('is put off by a cut from a rate that was not settled', () => {
    const comeback = cutAt(0);
    comeback.wait(AFTER_MS);
    expect(comeback.due(AFTER_MS, 50, false)).toBe(false);
    expect(comeback.due(2 * AFTER_MS, 50, false)).toBe(true);
  });
});

describe('attempts that fail', () => {
  test('are made later and later, up to the most', () => {
    const comeback = cutAt(0);
    let now = AFTER_MS;
    for (let wait = 2 * AFTER_MS; wait <= 4_000 * most; wait *= 2) {
      comeback.failed(now);
      // Another deep cut does not begin the times anew, but what is remembered does.
      const waited = dueAfter(comeback, now);
      if (waited === Number.POSITIVE_INFINITY) return;
      expect(waited).toBeGreaterThanOrEqual(Math.min(wait, 1_000 * most));
      expect(waited).toBeLessThan(Math.min(wait, 1_000 * most) + 100);
      now += waited;
    }
  });

  test('are made as soon as the first after another cut from a settled rate', () => {
    const comeback = cutAt(0);
    for (let i = 0; i < 10; i++) comeback.failed(1_000);
    comeback.remember(2_000, 100);
    comeback.wait(2_000);
    expect(dueAfter(comeback, 2_000)).toBeLessThan(AFTER_MS + 100);
  });
});

describe('the rate before', () => {
  test('is the higher one of two cuts', () => {
    const comeback = cutAt(0);
    comeback.remember(1_000, 40);
    comeback.wait(1_000);
    expect(comeback.due(1_000 + AFTER_MS, 80, false)).toBe(true);
  });

  test('counts from its own cut, and then the later one is left', () => {
    const comeback = cutAt(0);
    comeback.remember(REMEMBERED_MS - 1_000, 40);
    comeback.wait(REMEMBERED_MS - 1_000);
    const after = REMEMBERED_MS - 1_000 + AFTER_MS;
    expect(comeback.due(after, 60, false)).toBe(false);
    expect(comeback.due(after, 30, false)).toBe(true);
    expect(comeback.reached(after, 39)).toBe(true);
  });

  test('is the later one when the first is long ago', () => {
    const comeback = cutAt(0);
    comeback.remember(REMEMBERED_MS, 40);
    comeback.wait(REMEMBERED_MS);
    expect(comeback.due(REMEMBERED_MS + AFTER_MS, 38, false)).toBe(false);
    expect(comeback.due(REMEMBERED_MS + AFTER_MS, 30, false)).toBe(true);
  });

  test('is reached nearly there, and then there is nothing to come back to', () => {
    const comeback = cutAt(0);
    expect(comeback.reached(AFTER_MS, 90)).toBe(false);
    expect(comeback.known).toBe(true);
    expect(comeback.reached(AFTER_MS, 96)).toBe(true);
    expect(comeback.known).toBe(false);
    expect(comeback.due(AFTER_MS, 10, false)).toBe(false);
  });

  test('is reached where there is none', () => {
    expect(new Comeback(defaultTuning.comeback).reached(0, 0.1)).toBe(true);
  });
});

test('after anything, an attempt is due only below what was remembered, and never sooner than the first may be', () => {
  const step = fc.record({
    kind: fc.constantFrom('remember', 'failed', 'wait', 'reached'),
    gapMs: fc.oneof(fc.constant(0), fc.nat(60_000), fc.nat(1e9)),
    rate: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const comeback = new Comeback(defaultTuning.comeback);
      let now = 0;
      let highest = 0;
      for (const { kind, gapMs, rate } of steps) {
        now += gapMs;
        if (kind === 'remember') {
          highest = Math.max(highest, rate);
          comeback.remember(now, rate);
          comeback.wait(now);
        } else if (kind === 'reached') comeback.reached(now, rate);
        else comeback[kind](now);
        if (kind !== 'reached' && comeback.known)
          expect(comeback.due(now + AFTER_MS - 1, 0.1, false)).toBe(false);
        for (const later of [0, AFTER_MS, 1_000 * most, 1e12])
          if (comeback.due(now + later, rate, false)) expect(rate).toBeLessThan(highest);
        if (!comeback.known) expect(comeback.due(now + 1_000 * most, 0.1, false)).toBe(false);
      }
    }),
  );
});
