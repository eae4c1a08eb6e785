/**
 * Measures the pace of real worker processes: while the wall clock is stepped, on one budget with different clocks, and
 * on a distant Redis. Calls are counted where they arrive, by monotonic time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { stepClock } from '../processes/clock.ts';
import { startRedisDoor } from '../redis/door.ts';
import { type RedisServer, startRedis } from '../redis/server.ts';
import { WorkerFleet } from './worker-fleet.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
/** How far a pace may deviate, as a share of the rate. */
const TOLERANCE = 0.03;
/** How far the shares of two workers may differ, as a share of the larger. */
const UNEVEN = 0.1;

/** One finding of the proof. */
export interface PaceFinding {
  readonly what: string;
  readonly seen: string;
  readonly met: boolean;
}

export interface ProvePaceOptions {
  readonly say: (line: string) => void;
  /** How long shares are measured, in seconds. */
  readonly shareSeconds?: number;
}

export const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const within = (seen: number, wanted: number, calls = 0): boolean =>
  Math.abs(seen - wanted) <= wanted * TOLERANCE + calls;

/** The clock of a draining worker is stepped back and forth: every second except that of the step keeps the pace. */
export async function provePaceThroughSteps({ say }: ProvePaceOptions): Promise<PaceFinding[]> {
  const steps = [
    { name: 'back by 20 s', ms: -20_000 },
    { name: 'back by an hour', ms: -HOUR_MS },
    { name: 'forward by an hour', ms: HOUR_MS },
  ];
  const seconds = 5;
  const findings: PaceFinding[] = [];
  for (const rate of [10, 500]) {
    const fleet = await WorkerFleet.start(Math.ceil(rate * (steps.length + 1) * (seconds + 3) * 1.2));
    try {
      const worker = await fleet.add({ RATE_LIMIT: String(rate) });
      await sleep(2 * SECOND_MS);
      const check = async (what: string): Promise<void> => {
        const counts = await fleet.perSecond(0, seconds);
        const met = counts.every((count) => within(count, rate, 1));
        findings.push(tell(say, { what: `${rate}/s, ${what}`, seen: counts.join(' '), met }));
      };
      await check('before any step');
      for (const { name, ms } of steps) {
        await stepClock(worker, ms);
        await sleep(SECOND_MS);
        await check(`from a second after the clock went ${name}`);
      }
    } finally {
      await fleet.end();
    }
  }
  return findings;
}

/** Two workers with different clocks share one budget. */
export async function provePaceOfClocksApart({
  say,
  shareSeconds = 20,
}: ProvePaceOptions): Promise<PaceFinding[]> {
  const rate = 100;
  return await onRedis(async (redis) => {
    const findings: PaceFinding[] = [];
    for (const apartMs of [0, 50, 200, 2_000, 60_000, HOUR_MS]) {
      await redis.flush();
      const fleet = await WorkerFleet.start(rate * (shareSeconds + 15));
      try {
        const env = { RATE_LIMIT: String(rate), REDIS_URL: redis.url };
        await fleet.add(env);
        await fleet.add(env, { aheadMs: apartMs });
        await sleep(2 * SECOND_MS);
        const both = await Promise.all([0, 1].map((worker) => fleet.perSecond(worker, shareSeconds)));
        const [one = 0, other = 0] = both.map(sum);
        const even = Math.min(one, other) >= Math.max(one, other) * (1 - UNEVEN);
        const met = even && within(one + other, rate * shareSeconds);
        const what = `${rate}/s, two clocks ${apartMs / SECOND_MS} s apart, over ${shareSeconds} s`;
        findings.push(tell(say, { what, seen: `${one} and ${other}, ${one + other} in all`, met }));
      } finally {
        await fleet.end();
      }
    }
    return findings;
  });
}

/** One worker, and Redis at some distance. */
export async function provePaceOverDistance({ say }: ProvePaceOptions): Promise<PaceFinding[]> {
  const seconds = 8;
  return await onRedis(async (redis) => {
    const findings: PaceFinding[] = [];
    for (const rate of [100, 1_000]) {
      for (const roundTripMs of [0, 10, 30, 50]) {
        await redis.flush();
        const door = await startRedisDoor({ target: redis.port, delayMs: roundTripMs / 2 });
        const fleet = await WorkerFleet.start(rate * (seconds + 5));
        try {
          await fleet.add({ RATE_LIMIT: String(rate), REDIS_URL: door.url });
          await sleep(2 * SECOND_MS);
          const counts = await fleet.perSecond(0, seconds);
          const perSecond = sum(counts) / seconds;
          const what = `${rate}/s, Redis ${roundTripMs} ms away`;
          const seen = `${perSecond.toFixed(1)}/s (${counts.join(' ')})`;
          findings.push(tell(say, { what, seen, met: within(perSecond, rate) }));
        } finally {
          await fleet.end();
          await door.close();
        }
      }
    }
    return findings;
  });
}

/** Runs a real Redis during the work. */
export async function onRedis<T>(work: (redis: RedisServer) => Promise<T>): Promise<T> {
  const redis = await startRedis();
  try {
    return await work(redis);
  } finally {
    await redis.kill();
  }
}

/** Prints the finding. */
export function tell(say: (line: string) => void, finding: PaceFinding): PaceFinding {
  say(`${finding.met ? 'met   ' : 'MISSED'} ${finding.what}: ${finding.seen}`);
  return finding;
}
