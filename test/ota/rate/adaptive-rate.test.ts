import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AdaptiveRate } from '../../../src/ota/rate/adaptive-rate.ts';
import type { ObservedCall } from '../../../src/ota/rate/rate-control.ts';
import { drivenRate, oneOf, throttling } from './driven-rate.ts';

test('a rate is found since the first cut, until it is at the ceiling again', () => {
  const { control, now, accept, throttle, pass, until } = drivenRate(50);
  accept(100);
  expect(control.foundAt).toBe(undefined);
  throttle();
  const cutAt = now();
  accept(5);
  throttle();
  pass(1_000);
  expect(control.foundAt).toBe(cutAt);
  until(
    () => control.rate === 50,
    () => accept(10),
  );
  expect(control.foundAt).toBe(undefined);
});

test('a rate is found at no earlier time than what was seen before', () => {
  const { control, now, accept, end, pass } = drivenRate(50);
  accept(100);
  const seen = now();
  pass(-500);
  end(now(), throttling);
  expect(control.rate).toBeLessThan(50);
  expect(control.foundAt).toBe(seen);
});

describe('at the ceiling', () => {
  test.each([0.05, 2, 200, Number.POSITIVE_INFINITY])(
    'stays at %d/s until a call is throttled',
    (ceiling) => {
      const { control, told, accept } = drivenRate(ceiling);
      expect(control.rate).toBe(ceiling);
      accept(1_000, 10);
      expect(control.rate).toBe(ceiling);
      expect(told).toEqual([]);
    },
  );

  test.each(['retryable', 'denied', 'rejected', 'misconfigured', 'unidentified'])(
    'ignores calls that end as %s',
    (kind) => {
      const { control, pass, end, now } = drivenRate(50);
      for (let i = 0; i < 200; i++) {
        pass(20);
        end(now(), { kind });
      }
      expect(control.rate).toBe(50);
    },
  );

  test('is reached again, and never exceeded', () => {
    const { control, told, accept, throttle, until } = drivenRate(100);
    accept(100);
    throttle();
    expect(control.rate).toBeLessThan(100);
    until(
      () => control.rate === 100,
      () => accept(1),
    );
    accept(2_000);
    expect(Math.max(...told)).toBe(100);
  });
});

const history = fc.array(
  fc.record({
    gapMs: fc.oneof(
      fc.double({ min: 0, max: 50, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
    ),
    tookMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 20_000, noNaN: true })),
    kind: fc.constantFrom(undefined, undefined, 'throttled', 'retryable'),
  }),
  { maxLength: 400 },
);
const ceilings = fc.oneof(
  fc.double({ min: 0.01, max: 100_000, noNaN: true }),
  fc.constant(Number.POSITIVE_INFINITY),
);

function* calls(of: readonly { gapMs: number; tookMs: number; kind: string | undefined }[]) {
  let startedAt = 0;
  for (const { gapMs, tookMs, kind } of of) {
    startedAt += gapMs;
    // Sorted by start; they end in any order.
    const call: ObservedCall = { startedAt, endedAt: startedAt + tookMs };
    yield kind === undefined ? call : { ...call, failure: { kind } };
  }
}

describe('after any calls', () => {
  test('the rate is between floor and ceiling, and each change is reported once', () => {
    fc.assert(
      fc.property(ceilings, history, (ceiling, of) => {
        const told: number[] = [];
        const control = new AdaptiveRate({ ceiling, onChange: (perSecond) => told.push(perSecond) });
        for (const call of calls(of)) {
          const [before, heard] = [control.rate, told.length];
          control.observe(call);
          expect(control.rate).toBeLessThanOrEqual(ceiling);
          expect(control.rate).toBeGreaterThanOrEqual(Math.min(0.1, ceiling));
          if (control.rate === before && told.length === heard) continue;
          expect(told.length).toBeGreaterThan(heard);
          expect(told.at(-1)).toBe(control.rate);
        }
        for (const [i, perSecond] of told.entries()) expect(perSecond).not.toBe(told[i - 1] ?? ceiling);
      }),
    );
  });

  test('the rate is finite from the first throttled call that follows another call', () => {
    fc.assert(
      fc.property(history, (of) => {
        const control = new AdaptiveRate({ ceiling: Number.POSITIVE_INFINITY, onChange: () => {} });
        control.observe({ startedAt: 0, endedAt: 0 });
        control.observe({ startedAt: 5, endedAt: 10, failure: throttling });
        for (const call of calls(of)) {
          control.observe({ ...call, startedAt: call.startedAt + 10, endedAt: call.endedAt + 10 });
          expect(control.rate).toBeLessThan(Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});

describe('without a ceiling', () => {
  test.each([0, 5_000])(
    'the rate stays finite and positive after bursts of only 429s (%i ms idle before)',
    (idle) => {
      const rate = new AdaptiveRate({ ceiling: Number.POSITIVE_INFINITY, onChange: () => {} });
      const throttled = { kind: 'throttled' };
      if (idle > 0) rate.observe({ startedAt: 0, endedAt: 0 });
      for (let wave = 0; wave < 5; wave++) {
        const startedAt = idle + wave * 2_500;
        for (let call = 0; call < 40; call++)
          rate.observe({ startedAt, endedAt: startedAt + 1_200, failure: throttled });
        expect(rate.rate).toBeGreaterThan(0);
      }
      expect(rate.rate).toBeLessThan(Number.POSITIVE_INFINITY);
    },
  );
});

test('without a ceiling, noise gives back no rate that was not found', () => {
  const { told, accept, pass, end, now } = drivenRate(Number.POSITIVE_INFINITY);
  end(now(), throttling);
  accept(10, 1);
  end(now(), throttling);
  const isNoise = oneOf(20);
  for (let calls = 0; calls < 6_000; calls++) {
    pass(5);
    end(now(), isNoise() ? throttling : undefined);
  }
  expect(told).not.toContain(Number.POSITIVE_INFINITY);
});

describe('a ceiling that changes', () => {
  test('holds at once, and is left for a higher one as at a start where nothing was throttled', () => {
    const { control, told } = drivenRate(100);
    control.setCeiling(20);
    expect([control.rate, control.foundAt]).toEqual([20, undefined]);
    control.setCeiling(50);
    expect([control.rate, control.foundAt]).toEqual([50, undefined]);
    expect(told).toEqual([20, 50]);
  });

  test('above what was found changes nothing, and what was found is not left for a higher one at once', () => {
    const { control, end, pass, accept, now } = drivenRate(100);
    accept(100);
    pass(10);
    end(now(), throttling);
    const found = control.rate;
    expect(found).toBeLessThan(100);
    control.setCeiling(99.5);
    expect(control.rate).toBe(found);
    control.setCeiling(20);
    expect([control.rate, control.foundAt]).toEqual([20, undefined]);
    control.setCeiling(100);
    expect([control.rate, control.foundAt]).toEqual([20, now()]);
  });
});
