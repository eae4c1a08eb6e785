import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Allowance } from '../../../src/jobs/run/allowance.ts';

test('over any time it lets go what the rate allows, and a second of it at most at once', () => {
  const waits = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.constantFrom(0.2, 1, 7, 300), waits, (rate, steps) => {
      let now = 1_000;
      const allowance = new Allowance(() => now);
      let sent = 0;
      for (const ms of steps) {
        now += ms;
        const rows = allowance.rows(rate);
        expect(rows).toBeLessThanOrEqual(Math.max(1, rate));
        allowance.use(rows);
        sent += rows;
        expect(sent).toBeLessThanOrEqual(((now - 1_000) / 1_000) * rate + 1e-6);
      }
    }),
  );
});

test('a slow rate lets a row go as soon as it is due', () => {
  let now = 0;
  const allowance = new Allowance(() => now);
  now = 1_999;
  expect(allowance.rows(0.5)).toBe(0);
  now = 2_000;
  expect(allowance.rows(0.5)).toBe(1);
  allowance.use(1);
  expect(allowance.rows(0.5)).toBe(0);
  expect(allowance.rows(undefined)).toBe(Number.POSITIVE_INFINITY);
  allowance.use(500);
  now = 4_000;
  expect(allowance.rows(0.5)).toBe(1);
});
