/** Newest wins with REDIS_URL: shared marks, on a real Redis server. */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/commands/assemble.ts';
import { readConfig } from '../../src/config.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';
import { type RedisServer, redisInstalled, startRedis } from '../../testing/redis/server.ts';
import { type PairsReport, pairsStage, sentTogether, sharedNewest } from '../../testing/stages/pairs.ts';
import { credentials, fastTimings, REGION, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

async function redisForTest(): Promise<RedisServer> {
  const redis = await startRedis();
  onTestFinished(() => redis.kill());
  return redis;
}

const updates = (count: number, Description: string, issuedAt: number): object[] =>
  Array.from({ length: count }, (_, i) => ({
    Identifier: `task${i}`,
    Description,
    IssuedAt: new Date(issuedAt).toISOString(),
  }));

/**
 * Of a run in which both workers shared their marks all the time. A machine that stands still for a second makes them work on by
 * themselves, as they say then; nothing is promised of that time, so it is done again.
 */
async function whileShared(url: string): Promise<PairsReport> {
  for (;;) {
    let lapses = 0;
    const onShared = (shared: boolean): void => void (shared || lapses++);
    stage = await setStage({ ...pairsStage, newest: sharedNewest(url, onShared) });
    const report = await sentTogether(stage, 100, Math.random);
    if (lapses === 0) return report;
    await stage.strike();
  }
}

describe.skipIf(!redisInstalled())('two workers with Redis', () => {
  test('no task ends with an old value after 100 pairs of updates sent together', async () => {
    const redis = await redisForTest();
    const { old, superseded, unanswered } = await whileShared(redis.url);
    expect({ old, unanswered }).toEqual({ old: [], unanswered: 0 });
    expect(superseded).toBeGreaterThan(0);
    // Calls for one task never overlap, even from two workers.
    expect(stage.api.stats().maxInFlightPerIdentifier).toBe(1);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
  });

  test('work continues when Redis is killed, and updates applied meanwhile count after it is back', async () => {
    const redis = await redisForTest();
    const told: boolean[] = [];
    const back = Promise.withResolvers<void>();
    const onShared = (shared: boolean): void => {
      told.push(shared);
      if (told.filter((each) => each).length === 4) back.resolve();
    };
    stage = await setStage({ ...pairsStage, newest: sharedNewest(redis.url, onShared) });
    const other = stage.makeWorker();
    onTestFinished(() => other.stop());
    await Promise.all([stage.worker.start(), other.start()]);
    const now = Date.now();
    await stage.send(...updates(60, 'new', now));
    await stage.ended(10);
    await redis.kill();
    await stage.ended(60);
    await redis.restart();
    await back.promise;
    // One warning per worker, not one per call.
    expect(told.filter((shared) => !shared)).toHaveLength(2);
    await stage.send(...updates(60, 'old', now - 1));
    await stage.ended(120);
    const tasks = Array.from({ length: 60 }, (_, i) => stage.api.task(`task${i}`)?.Description);
    expect(tasks).toEqual(tasks.map(() => 'new'));
  });

  test('claims that never end hold up neither other tasks nor, for long, their own; one that stays is a condition', async () => {
    const redis = await redisForTest();
    const raw = new Redis(redis.url);
    onTestFinished(() => raw.disconnect());
    const claimOf = (task: string): string => `ota-updater:claim:{${task}}`;
    const endless = Array.from({ length: 60 }, (_, i) => `task${i}`);
    await Promise.all(endless.map((task) => raw.set(claimOf(task), 'somebody')));
    await raw.set(claimOf('stays'), 'a worker', 'PX', 20_000);
    stage = await setStage({
      env: { MAX_CONCURRENCY: '1' },
      newest: sharedNewest(redis.url, undefined, 500),
      timings: { ...fastTimings, claimWaitMs: 1_000 },
    });
    await stage.send({ Identifier: 'stays', Description: 'x' });
    await stage.sendUpdates(60);
    await stage.sendUpdates(5, 'free');
    await stage.worker.start();
    await stage.until(() => stage.hasCondition('claims'));
    await stage.ended(65);
    expect(stage.api.callsFor('stays')).toEqual([]);
    expect(stage.events.some(({ type }) => type === 'claim-not-free')).toBe(true);
    await raw.del(claimOf('stays'));
    await stage.until(() => !stage.hasCondition('claims'));
    await stage.ended(66);
    expect(stage.settled('dead-letter')).toEqual([]);
    expect(stage.worker.snapshot().awaitingClaim).toBe(0);
  });

  test('marks are shared also without a rate limit to share', async () => {
    const redis = await redisForTest();
    stage = await setStage();
    const env = stage.environment({ REDIS_URL: redis.url, RATE_LIMIT: 'unlimited' });
    const shared = Promise.withResolvers<void>();
    const { worker, close } = assemble({
      config: readConfig(env),
      env,
      log: pino({ level: 'silent' }),
      listeners: [
        (event: WorkerEvent) => {
          if (event.type === 'shared' && event.condition === 'sharing-marks') shared.resolve();
        },
      ],
      sqs: { region: REGION, credentials, endpoint: stage.sqsUrl },
      api: { region: REGION, credentials, endpoint: stage.api.url },
    });
    await shared.promise;
    await worker.start();
    await worker.stop();
    await close();
  });
});
