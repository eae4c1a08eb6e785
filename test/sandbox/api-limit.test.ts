import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { readLimit } from '../../src/sandbox/commands/api-limit.ts';
import type { LimitSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { startApi } from '../../testing/stages/api.ts';

const window = { kind: 'window', calls: 600, periodMs: 60_000 } as const;
const frontEnds = { kind: 'frontEnds', count: 10, limit: { ratePerSecond: 200, burst: 100 } } as const;

const taken: Readonly<Record<string, LimitSettingsInput>> = {
  '200': { ratePerSecond: 200, burst: 20 },
  '0.5:3': { ratePerSecond: 0.5, burst: 3 },
  '200:20@tick=1s': { ratePerSecond: 200, burst: 20, tickMs: 1000 },
  // A burst of a tenth of a second's calls would be the limit.
  '500@tick=1s': { ratePerSecond: 500, burst: 500, tickMs: 1000 },
  '500@tick=10ms': { ratePerSecond: 500, burst: 50, tickMs: 10 },
  '5@tick=0.1s': { ratePerSecond: 5, burst: 1, tickMs: 100 },
  '600/60s': { ...window, sliding: false },
  '600/1m@sliding': { ...window, sliding: true },
  '600/500ms': { ...window, periodMs: 500, sliding: false },
  '50@in-flight': { kind: 'concurrency', calls: 50 },
  '200:100@front-ends=10': { ...frontEnds, sticky: false },
  '200:100@sticky,front-ends=10': { ...frontEnds, sticky: true },
  '600/60s@sliding,front-ends=4': {
    kind: 'frontEnds',
    count: 4,
    sticky: false,
    limit: { ...window, sliding: true },
  },
  '200:100@front-ends=10,tick=1s': {
    ...frontEnds,
    sticky: false,
    limit: { ratePerSecond: 200, burst: 100, tickMs: 1000 },
  },
  '200:20+600/60s+50@in-flight': {
    kind: 'all',
    limits: [
      { ratePerSecond: 200, burst: 20 },
      { ...window, sliding: false },
      { kind: 'concurrency', calls: 50 },
    ],
  },
};

test.each(Object.entries(taken))('%s is taken, and the simulated API takes it', async (text, limit) => {
  expect(readLimit(text)).toEqual(limit);
  await startApi({ settings: { limit } });
});

describe('is refused in a sentence', () => {
  const period =
    'It must be a whole number of calls from 1 to 1000000 and a period from 1ms to 24h, as in 600/60s.';
  const tick = 'tick must be a time from 1ms to 24h, as in tick=1s.';
  const rate = 'must be calls per second from 0.001 to 1000000, as in 200, with a burst from 1';
  const inFlight = 'It must be a whole number of calls from 1 to 1000000, as in 50@in-flight.';
  const frontEndCount = 'front-ends must be a whole number from 1 to 1000, as in 200:100@front-ends=10.';

  test.each<[string, string]>([
    ['unlimted', 'Did you mean "unlimited"?'],
    ['200+unlimited', 'unlimited cannot be combined with other limits.'],
    ['200+', `"" ${rate}`],
    ['200+x', `"x" ${rate}`],
    ['200@', 'There is no "" after @.'],
    ['200@slidng', 'There is no "slidng" after @. Did you mean "sliding"?'],
    ['200@front_ends=3', 'There is no "front_ends" after @. Did you mean "front-ends"?'],
    ['200@tick=1s@sticky', 'It must have one @, and commas after it'],
    ['200@tick=1s,tick=2s', 'tick is given twice.'],
    ['200@tick', tick],
    ['200@tick=0s', tick],
    ['200@tick=1s=2', tick],
    ['200@tick=1', `${tick} Did you mean "tick=1s"?`],
    ['200@sliding', 'sliding goes with calls in a period, as in 600/60s@sliding.'],
    ['200@sticky', 'sticky goes with front ends, as in 200:100@front-ends=10,sticky.'],
    ['600/60s@tick=1s', 'tick goes with calls per second, as in 200:20@tick=1s.'],
    ['600/60s@sliding=yes', 'sliding must be without a value, as in @sliding.'],
    ['600/', period],
    ['/60s', period],
    ['0/60s', period],
    ['1.5/60s', period],
    ['600/25h', period],
    ['600/60s/2', period],
    ['600/60', `${period} Did you mean "600/60s"?`],
    ['600/1min', `${period} Did you mean "600/1m"?`],
    ['600/5 Sec', `${period} Did you mean "600/5s"?`],
    ['@in-flight', inFlight],
    ['0@in-flight', inFlight],
    ['50:5@in-flight', inFlight],
    ['50@in-flight,front-ends=2', 'in-flight must be the only word after the @, as in 200:20+50@in-flight.'],
    ['200@front-ends', frontEndCount],
    ['200@front-ends=0', frontEndCount],
    ['200@front-ends=1.5', frontEndCount],
    ['200@front-ends=1001', frontEndCount],
  ])('%j', (text, says) => {
    expect(() => readLimit(text)).toThrow(InvalidArgumentError);
    expect(() => readLimit(text)).toThrow(says);
  });
});
