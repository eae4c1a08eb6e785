import { expect, test } from 'vitest';
import { Pace } from '../../../src/jobs/run/progress.ts';

test('the rate is that of the last ten seconds, and falls to nothing when nothing ends', () => {
  let now = 0;
  const pace = new Pace(() => now, { endedByWorkers: 0 });
  expect(pace.perSecond).toBe(0);
  for (let ended = 0; now < 20_000; now += 500, ended += 500)
    pace.observe({ endedByWorkers: ended, inFlight: 100 });
  expect(pace.perSecond).toBeGreaterThan(900);
  expect(pace.perSecond).toBeLessThan(1_100);
  const ended = 20_000;
  for (; now < 40_000; now += 500) pace.observe({ endedByWorkers: ended, inFlight: 100 });
  expect(pace.perSecond).toBe(0);
  expect(pace.quietMs).toBeGreaterThan(18_000);
});

test('it is quiet from when rows are in flight, and not from when the last of earlier ones ended', () => {
  let now = 0;
  const pace = new Pace(() => now, { endedByWorkers: 0 });
  pace.observe({ endedByWorkers: 10, inFlight: 0 });
  // A pause, a soak, a window that is closed.
  for (; now < 120_000; now += 1_000) pace.observe({ endedByWorkers: 10, inFlight: 0 });
  now += 500;
  pace.observe({ endedByWorkers: 10, inFlight: 500 });
  expect(pace.quietMs).toBeLessThan(2_000);
  now += 30_000;
  pace.observe({ endedByWorkers: 10, inFlight: 500 });
  expect(pace.quietMs).toBeGreaterThan(30_000);
});
