/** The time in which calls are held says nothing of the rate. */
import { expect, test } from 'vitest';
import { AdaptiveRate } from '../../../src/ota/rate/adaptive-rate.ts';

/** A rate below its ceiling that climbs with each call, and its clock. */
function climbing() {
  const control = new AdaptiveRate({ ceiling: 500, onChange: () => {} });
  let now = 0;
  const call = (failure?: { readonly kind: string }): void => {
    now += 1_000 / control.rate;
    control.observe({ startedAt: now, endedAt: now, ...(failure && { failure }) });
  };
  for (let i = 0; i < 1_000; i++) call();
  call({ kind: 'throttled' });
  for (let i = 0; i < 200; i++) call();
  return {
    control,
    call,
    hold: (ms: number) => {
      control.held(now, now + ms);
      now += ms;
    },
  };
}

test('a rate goes on after a hold as if there had been none', () => {
  const held = climbing();
  const twin = climbing();
  expect(held.control.rate).toBeLessThan(500);
  held.hold(10_000);
  for (let i = 0; i < 300; i++) {
    held.call();
    twin.call();
    expect(held.control.rate).toBeCloseTo(twin.control.rate, 6);
  }
});

test('a hold before the first call is of no effect', () => {
  const control = new AdaptiveRate({ ceiling: 500, onChange: () => {} });
  control.held(0, 1_000);
  control.observe({ startedAt: 1_000, endedAt: 1_010 });
  expect(control.rate).toBe(500);
});
