/**
 * What jobs cost others and themselves, on a virtual clock: workers take messages from a queue in order, so many per second. How long an
 * update of another system waits is what is ahead of it when it comes, at the rates from then on.
 */
import { expect, test } from 'vitest';
import type { Counts } from '../../../src/jobs/ledger/job.ts';
import { decide } from '../../../src/jobs/rules/decide.ts';
import { beginning } from '../../../src/jobs/rules/progress.ts';
import { Pace, ratesTogether, roundTripOf } from '../../../src/jobs/run/progress.ts';

const STEP_MS = 50;

interface Setting {
  /** Rows of each job. */
  readonly rows: number;
  readonly jobs?: number;
  /** An end is seen so much later. */
  readonly lagMs?: number;
  /** Rows that workers end per second. */
  readonly rateAt: (seconds: number) => number;
  /** Messages of other systems that come in a step that ends then, before the jobs' rows of it. */
  readonly othersAt?: (seconds: number) => number;
}

interface Step {
  readonly seconds: number;
  /** Of all jobs, since the begin. */
  readonly sent: number;
  readonly worked: number;
}

class VirtualJob {
  readonly rows: number;
  readonly pace: Pace;
  sent = 0;
  ended = 0;
  readonly #seen: { readonly at: number; readonly ended: number }[] = [];
  worked = 0;

  constructor(rows: number, now: () => number) {
    this.rows = rows;
    this.pace = new Pace(now, { endedByWorkers: 0 });
  }

  see(now: number, lagMs: number): void {
    this.#seen.push({ at: now + lagMs, ended: Math.floor(this.worked + 1e-9) });
    while ((this.#seen[0]?.at ?? Number.POSITIVE_INFINITY) <= now)
      this.ended = this.#seen.shift()?.ended ?? this.ended;
    this.pace.observe({ endedByWorkers: this.ended, inFlight: this.sent - this.ended });
  }

  counts(): Counts {
    const { rows, sent, ended } = this;
    const ends = {
      applied: ended,
      superseded: 0,
      failed: 0,
      notSent: 0,
      ended,
      endedByWorkers: ended,
      causes: [],
      calls: 0,
      callsOf: 0,
    };
    return { total: rows, planned: rows - sent, inFlight: sent - ended, sending: 0, ...ends };
  }
}

/** Sends the rows of all jobs, each with a sender of its own, until they have ended. */
function send({ rows, jobs = 1, lagMs = 300, rateAt, othersAt = () => 0 }: Setting): Step[] {
  let now = 0;
  const all = Array.from({ length: jobs }, () => new VirtualJob(rows, () => now));
  const queue: { readonly job?: VirtualJob; left: number }[] = [];
  const steps: Step[] = [];
  const sum = (of: 'sent' | 'worked' | 'ended'): number => all.reduce((total, job) => total + job[of], 0);
  while (sum('ended') < rows * jobs) {
    now += STEP_MS;
    const ofOthers = othersAt(now / 1_000);
    if (ofOthers > 0) queue.push({ left: ofOthers });
    // Nothing is saved up while there was nothing to do.
    let can = (rateAt(now / 1_000) * STEP_MS) / 1_000;
    for (let first = queue[0]; first !== undefined && can > 0; first = queue[0]) {
      const done = Math.min(can, first.left);
      if (first.job !== undefined) first.job.worked += done;
      first.left -= done;
      can -= done;
      if (first.left <= 1e-9) queue.shift();
    }
    for (const job of all) job.see(now, lagMs);
    const perSecond = ratesTogether(all.map(({ pace }) => pace));
    for (const job of all) {
      const rest = all.filter((other) => other !== job && other.sent === rows);
      const others = all
        .filter((other) => other !== job && other.sent < rows)
        .map(() => ({ priority: 5, most: Number.POSITIVE_INFINITY }));
      const restInFlight = rest.reduce((total, { sent, ended }) => total + sent - ended, 0);
      const beside = { others, restInFlight };
      const roundTripMs = roundTripOf(all.map(({ pace }) => pace));
      const present = { progress: beginning, now, perSecond, beside, roundTripMs };
      const { room } = decide({ settings: {}, counts: job.counts(), total: rows, ...present });
      if (room > 0) queue.push({ job, left: room });
      job.sent += room;
    }
    steps.push({ seconds: now / 1_000, sent: sum('sent'), worked: sum('worked') });
  }
  return steps;
}

/** The longest that an update would wait that comes in that time, in seconds. */
function longestWait(steps: readonly Step[], from = 0, to = Number.POSITIVE_INFINITY): number {
  let longest = 0;
  let done = 0;
  for (const { seconds, sent } of steps) {
    while (done < steps.length - 1 && (steps[done]?.worked ?? 0) < sent - 1e-6) done++;
    if (seconds >= from && seconds <= to) longest = Math.max(longest, (steps[done]?.seconds ?? 0) - seconds);
  }
  return longest;
}

const endOf = (steps: readonly Step[]): number => steps.at(-1)?.seconds ?? Number.POSITIVE_INFINITY;

test.each([
  [2, 60, 10],
  [5, 500, 10],
  [10, 1_000, 10],
  [25, 2_000, 4],
  [300, 20_000, 4],
  [1_000, 50_000, 4],
])(
  'at %i/s an update of another system waits little longer, and the job takes no longer for it',
  (perSecond, rows, most) => {
    for (const jobs of [1, 3]) {
      const steps = send({ rows: Math.ceil(rows / jobs), jobs, rateAt: () => perSecond });
      // A row more or less: rates are measured by whole rows.
      expect(longestWait(steps)).toBeLessThanOrEqual(most + jobs / perSecond);
      // A few seconds until its rate is known.
      expect(endOf(steps)).toBeLessThan(rows / perSecond + 5);
    }
  },
);

test.each([1, 3])('%i jobs at once have 98 of 100 of the rate once it is known', (jobs) => {
  for (const perSecond of [5, 25, 300, 1_000])
    for (const lagMs of [300, 1_500]) {
      const steps = send({ rows: Math.ceil((perSecond * 60) / jobs), jobs, lagMs, rateAt: () => perSecond });
      const worked = (seconds: number): number => steps.find((step) => step.seconds >= seconds)?.worked ?? 0;
      expect((worked(40) - worked(20)) / 20).toBeGreaterThanOrEqual(perSecond * 0.98);
    }
});

test.each([
  [300, 2, 10],
  [300, 2.4, 10],
  [300, 5, 21],
  [300, 30, 125],
  [25, 2, 10],
  [10, 2, 20],
])(
  'when the rate falls from %d/s to 1/%d of it an update waits at most so many times longer: %d s',
  (perSecond, part, most) => {
    for (const jobs of [1, 3]) {
      const rateAt = (seconds: number): number => (seconds < 30 ? perSecond : perSecond / part);
      const steps = send({
        rows: Math.ceil((perSecond * 30 + (perSecond / part) * 200) / jobs),
        jobs,
        rateAt,
      });
      expect(longestWait(steps)).toBeLessThanOrEqual(most);
      // Only what was on the queue then does: a little later it is as at any rate.
      expect(longestWait(steps, 30 + most + 10)).toBeLessThanOrEqual(10.5);
    }
  },
);

test('ends that are seen late cost a fast job a few seconds at its begin, and no more', () => {
  const steps = send({ rows: 50_000, lagMs: 2_000, rateAt: () => 1_000 });
  expect(endOf(steps)).toBeLessThan(50 + 15);
});

test.each([
  [300, 6_000],
  [300, 8_000],
  [25, 8_000],
  [1_000, 8_000],
])(
  'rows that take %i/s through a pipe of %i ms have the whole rate soon, and others wait as little',
  (perSecond, lagMs) => {
    for (const jobs of [1, 3]) {
      const rows = perSecond * 600;
      const steps = send({ rows: Math.ceil(rows / jobs), jobs, lagMs, rateAt: () => perSecond });
      expect(longestWait(steps)).toBeLessThanOrEqual(10);
      // Once the rate is found: it grows by what has ended of a round.
      expect(longestWait(steps, 120, 500)).toBeLessThanOrEqual(4);
      expect(endOf(steps)).toBeLessThan(rows / perSecond + 70);
    }
  },
);

test.each([
  [20, 0.8, 60],
  [22, 0.8, 60],
  [60, 0, 0],
  [20, 0.8, 600],
])(
  'beside messages of others, for %d s at the begin and %d of the rate for %d s, a job makes an update wait no more than 10 s longer',
  (backlogSeconds, part, untilSeconds) => {
    const perSecond = 300;
    const othersAt = (seconds: number): number => {
      const first = seconds <= STEP_MS / 1_000 ? perSecond * backlogSeconds : 0;
      return first + (seconds < untilSeconds ? (part * perSecond * STEP_MS) / 1_000 : 0);
    };
    for (const jobs of [1, 3]) {
      const steps = send({ rows: Math.ceil(60_000 / jobs), jobs, rateAt: () => perSecond, othersAt });
      const ahead = Math.max(...steps.map(({ sent, worked }) => sent - worked));
      expect(ahead / perSecond).toBeLessThanOrEqual(10.2);
    }
  },
);
