/**
 * What a job costs others and itself, on a virtual clock: workers take messages from a queue in order, so many per second. How long an
 * update of another system waits is what is ahead of it.
 */
import { expect, test } from 'vitest';
import type { Counts } from '../../../src/jobs/ledger/job.ts';
import { decide } from '../../../src/jobs/rules/decide.ts';
import { beginning } from '../../../src/jobs/rules/progress.ts';
import { Pace } from '../../../src/jobs/run/progress.ts';

interface Run {
  /** The longest that an update of another system would have waited for the job's, in seconds. */
  readonly longestWait: number;
  readonly seconds: number;
}

/** A job of `total` rows; an end is seen `lagMs` after it. */
function sendJob(total: number, perSecond: number, lagMs: number): Run {
  const stepMs = 50;
  let now = 0;
  let [sent, worked, longestWait] = [0, 0, 0];
  const pace = new Pace(() => now, 0);
  const seen: { readonly at: number; readonly ended: number }[] = [];
  let ended = 0;
  while (ended < total) {
    now += stepMs;
    // Nothing is saved up while there was nothing to do.
    worked = Math.min(sent, worked + (perSecond * stepMs) / 1_000);
    seen.push({ at: now + lagMs, ended: Math.floor(worked + 1e-9) });
    while ((seen[0]?.at ?? Number.POSITIVE_INFINITY) <= now) ended = seen.shift()?.ended ?? ended;
    pace.observe(ended);
    const counts: Counts = {
      total,
      planned: total - sent,
      inFlight: sent - ended,
      applied: ended,
      superseded: 0,
      failed: 0,
      notSent: 0,
      ended,
      causes: [],
      calls: 0,
      callsOf: 0,
    };
    const present = { progress: beginning, now, perSecond: pace.perSecond, share: 1 };
    sent += decide({ settings: {}, counts, total, ...present }).room;
    longestWait = Math.max(longestWait, (sent - worked) / perSecond);
  }
  return { longestWait, seconds: now / 1_000 };
}

test.each([
  [2, 60],
  [5, 500],
  [20, 2_000],
  [300, 20_000],
  [1_000, 50_000],
])('at %i/s an update of another system waits at most 10 s longer', (perSecond, rows) => {
  const { longestWait, seconds } = sendJob(rows, perSecond, 300);
  // A row more or less: rates are measured by whole rows.
  expect(longestWait).toBeLessThanOrEqual(10 + 1 / perSecond);
  // Nor is the job slower for it: a few seconds until its rate is known.
  expect(seconds).toBeLessThan(rows / perSecond + 5);
});

test('ends that are seen late cost a fast job a few seconds at its begin, and no more', () => {
  expect(sendJob(50_000, 1_000, 2_000).seconds).toBeLessThan(50 + 15);
});
