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

test('the round trip is the shortest from the sending of rows to the first of their ends that are seen', () => {
  let now = 0;
  const pace = new Pace(() => now, { endedByWorkers: 100 });
  const look = (ms: number, endedByWorkers: number, inFlight: number): number | undefined => {
    now += ms;
    pace.observe({ endedByWorkers, inFlight });
    return pace.roundTripMs;
  };
  // When these five were sent is not known.
  expect([look(0, 100, 5), look(1_000, 102, 13), look(1_000, 105, 10)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect([look(5_000, 106, 29), look(1_000, 114, 21)]).toEqual([6_000, 6_000]);
  expect(look(1_000, 116, 19)).toBe(2_000);
  // Later ones that take longer change nothing, and neither does a time in which nothing was in flight.
  expect([look(500, 116, 30), look(9_000, 146, 0), look(60_000, 146, 4), look(2_500, 150, 0)]).toEqual([
    2_000, 2_000, 2_000, 2_000,
  ]);
  expect([look(0, 150, 4), look(700, 151, 3)]).toEqual([2_000, 700]);
});
