import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Leads } from '../../../../src/ota/rate/fleet/leads.ts';

test('a call is of when the permit was booked that was used last before it began', () => {
  const leads = new Leads();
  expect(leads.bookedAt(50)).toBe(50);
  leads.add(100, 20);
  leads.add(200, 150);
  expect([100, 150, 200, 300].map((at) => leads.bookedAt(at))).toEqual([20, 20, 150, 150]);
  // Before the first that is known it is taken for as old as that one, and never for younger than itself.
  expect([99, 10].map((at) => leads.bookedAt(at))).toEqual([20, 10]);
  leads.clear();
  expect(leads.bookedAt(300)).toBe(300);
});

test('of many grants the latest are remembered', () => {
  const leads = new Leads();
  for (let at = 0; at < 10_000; at++) leads.add(at, at - 100);
  expect([9_999, 9_900].map((at) => leads.bookedAt(at))).toEqual([9_899, 9_800]);
  expect(leads.bookedAt(5_000)).toBeGreaterThan(4_900);
});

test('a call is never of later than when it began', () => {
  const grants = fc.array(fc.tuple(fc.nat(100), fc.integer({ min: -50, max: 500 })), { maxLength: 20 });
  fc.assert(
    fc.property(grants, fc.nat(2_000), (all, startedAt) => {
      const leads = new Leads();
      let at = 0;
      for (const [later, lead] of all) {
        at += later;
        leads.add(at, at - lead);
      }
      expect(leads.bookedAt(startedAt)).toBeLessThanOrEqual(startedAt);
    }),
  );
});
