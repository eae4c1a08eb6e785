import { expect, test } from 'vitest';
import { LatestCalls } from '../../../src/ota/rate/adaptive-rate.ts';

/** One call every 10 ms: `x` is throttled. */
function latest(size: number, ends: string): LatestCalls {
  const calls = new LatestCalls(size);
  for (const [i, end] of [...ends].entries()) calls.add(i * 10, end === 'x');
  return calls;
}

const none = { calls: 0, throttledShare: 0, acceptedPerSecond: Number.POSITIVE_INFINITY };

test.each([
  ['nothing throttled', '.....', none],
  ['nothing since the one that was throttled', '....x', none],
  [
    'only the calls since the first throttled one',
    '....x.x.x',
    { calls: 4, throttledShare: 0.5, acceptedPerSecond: 50 },
  ],
  ['everything throttled', 'xxx', { calls: 2, throttledShare: 1, acceptedPerSecond: 0 }],
])('measures %s', (_, ends, expected) => {
  expect(latest(60, ends).overload((ends.length - 1) * 10)).toEqual(expected);
});

test('keeps only the latest calls', () => {
  expect(latest(4, 'xx..x.x').overload(60)).toEqual({ calls: 2, throttledShare: 0.5, acceptedPerSecond: 50 });
});

test('has an infinite rate for calls that ended at the same moment', () => {
  const calls = new LatestCalls(4);
  for (let i = 0; i < 3; i++) calls.add(5, i === 0);
  expect(calls.overload(5).acceptedPerSecond).toBe(Number.POSITIVE_INFINITY);
});

test('starts again when cleared', () => {
  const calls = latest(60, 'x..x');
  calls.clear();
  expect(calls.overload(100)).toEqual(none);
});
