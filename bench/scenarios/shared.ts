/** Four workers, one budget on Redis: exact, even through the loss of a worker, of the data and of Redis itself. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../../testing/processes/child.ts';
import { findRedis, type RedisServer, startRedis } from '../../testing/redis/server.ts';
import { otaUpdater, startContender } from '../harness/contenders.ts';
import { callsOverTime, limitLine, lineOf } from '../harness/rate-trial.ts';
import type { Scenario, ScenarioContext, ScenarioResult } from '../harness/result.ts';
import { perSecond, seriesOf, windows } from '../harness/timeline.ts';

const RATE = 100;
const WORKERS = 4;
const WINDOW = 5;
/** Time for the start, in which the workers find Redis and each other. */
const SETTLE = 6;
/** The killed worker's messages reappear when their leases end. */
const ALL_DONE_WITHIN_MS = 90_000;

export const shared: Scenario = async (context) => {
  const found = findRedis();
  if (found === undefined) {
    return { about: '', tables: [], targets: [], skipped: 'neither redis-server nor valkey-server is here' };
  }
  const redis = await startRedis();
  try {
    return await play(context, redis, found.version);
  } finally {
    await redis.kill();
  }
};

async function play(context: ScenarioContext, redis: RedisServer, version: string): Promise<ScenarioResult> {
  const { stage, quick, say } = context;
  const [steady, afterKill, afterFlush, away, afterReturn] = quick
    ? [12, 12, 16, 5, 18]
    : [30, 20, 25, 5, 25];
  const total = RATE * (SETTLE + steady + afterKill + afterFlush + away + afterReturn + 3);
  const queueUrl = await stage.createQueue();
  await stage.fill(queueUrl, total);
  await stage.reset({ latency: { minMs: 50, maxMs: 50 } });
  const workers: Child[] = [];
  const startedAt = performance.now();
  const now = (): number => (performance.now() - startedAt) / 1_000;
  try {
    const contender = otaUpdater({ RATE_LIMIT: String(RATE), REDIS_URL: redis.url });
    for (let i = 0; i < WORKERS; i++) workers.push(startContender(contender, stage.env(queueUrl)));
    await sleep((SETTLE + steady) * 1_000);
    const killedAt = now();
    if (workers[0] !== undefined) await workers[0].end();
    await sleep(afterKill * 1_000);
    const flushedAt = now();
    await redis.flush();
    await sleep(afterFlush * 1_000);
    const lostAt = now();
    await redis.kill();
    await sleep(away * 1_000);
    await redis.restart();
    const backAt = now();
    await sleep(afterReturn * 1_000);
    const endedAt = now();
    const timeline = await stage.timeline();
    const { accepted } = seriesOf(timeline);
    const until = performance.now() + ALL_DONE_WITHIN_MS;
    while ((await stage.left(queueUrl)) > 0 && performance.now() < until) await sleep(200);
    const { distinct } = await stage.look();
    const spread = (from: number, to: number) => spreadOf(accepted, from, to);
    const phases = [
      { name: 'four workers', ...spread(SETTLE, killedAt) },
      { name: 'from 5 s after one was killed', ...spread(killedAt + 5, flushedAt) },
      { name: 'from 10 s after FLUSHALL', ...spread(flushedAt + 10, lostAt) },
      { name: 'Redis away', ...spread(lostAt, backAt) },
      { name: 'from 10 s after Redis returned', ...spread(backAt + 10, endedAt) },
    ];
    for (const { name, least, most } of phases) say(`${name}: ${least.toFixed(1)} to ${most.toFixed(1)}/s`);
    const most = Math.max(...windows(accepted, WINDOW, SETTLE, endedAt).map((each) => each.perSecond));
    const exact = phases.filter(({ name }) => name !== 'Redis away');
    const marks = [
      { at: killedAt, label: 'a worker killed' },
      { at: flushedAt, label: 'FLUSHALL' },
      { at: lostAt, label: 'Redis stopped' },
      { at: backAt, label: 'Redis back, empty' },
    ];
    return {
      about: `${WORKERS} workers with RATE_LIMIT=${RATE} and one REDIS_URL (${version}); calls per second in windows of ${WINDOW} s.`,
      tables: [
        {
          columns: ['phase', 'least /s', 'most /s'],
          rows: phases.map((each) => [each.name, each.least.toFixed(1), each.most.toFixed(1)]),
        },
      ],
      targets: [
        ...exact.map(({ name, least, most }) => ({
          claim: `${name}: every ${WINDOW} s window within 3% of ${RATE}/s`,
          seen: `${least.toFixed(1)} to ${most.toFixed(1)}`,
          met: least >= RATE * 0.97 && most <= RATE * 1.03,
        })),
        { claim: 'never above 130/s in a window', seen: most.toFixed(1), met: most <= 130 },
        { claim: 'nothing lost', seen: `${distinct} of ${total} applied`, met: distinct === total },
      ],
      plots: [
        {
          name: 'shared-rate',
          svg: callsOverTime(
            'Four workers sharing 100 calls per second',
            [lineOf('calls', accepted, 0, endedAt), limitLine(RATE, endedAt)],
            marks,
          ),
        },
      ],
      figures: { phases, perSecond: lineOf('calls', accepted, 0, endedAt).points.map(({ value }) => value) },
    };
  } finally {
    await Promise.all(workers.map((child) => child.end()));
    await stage.deleteQueue(queueUrl);
  }
}

/** The minimum and maximum per second in any window between two times. */
function spreadOf(buckets: readonly number[], from: number, to: number): { least: number; most: number } {
  const all = windows(buckets, WINDOW, from, to).map((each) => each.perSecond);
  if (all.length === 0) all.push(perSecond(buckets, from, to));
  return { least: Math.min(...all), most: Math.max(...all) };
}
