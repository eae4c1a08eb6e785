/** The shared memory of what is newest, on a real Redis server. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Claim } from '../../../src/ota/newest/newest.ts';
import { RedisNewest } from '../../../src/ota/newest/newest-redis.ts';
import {
  freePort,
  type RedisServer,
  redisInstalled,
  startRedis,
  startRedisDoor,
} from '../../../testing/redis/redis.ts';

const none = Number.NEGATIVE_INFINITY;

/** A worker's memory, and what it told of sharing, in order. */
function memoryOn(url: string, claimMs = 60_000, unansweredMs = 60_000) {
  const told: boolean[] = [];
  const watchers = new Set<() => void>();
  const newest = new RedisNewest({
    url,
    workerId: `w${Math.random()}`,
    claimMs,
    unansweredMs,
    onShared: (shared) => {
      told.push(shared);
      for (const watcher of watchers) watcher();
    },
  });
  onTestFinished(() => newest.close());
  /** Resolves when so many changes were told. */
  const changes = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const watcher = (): void => {
        if (told.length >= count) resolve();
      };
      watchers.add(watcher);
      watcher();
    });
  return { newest, told, changes };
}

async function claimOf(newest: RedisNewest, identifier: string): Promise<Claim> {
  const claim = await newest.claim(identifier);
  if (claim === undefined || claim === 'held') throw new Error(`no claim: ${claim}`);
  return claim;
}

/** Resolves when the claim is to be had, which it is now or when it has run out. */
async function claimed(newest: RedisNewest, identifier: string): Promise<Claim> {
  for (;;) {
    const claim = await newest.claim(identifier);
    if (claim !== 'held' && claim !== undefined) return claim;
  }
}

describe.skipIf(!redisInstalled())('with Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.kill());
  beforeEach(() => redis.flush());

  const client = (): Redis => {
    const redisClient = new Redis(redis.url);
    onTestFinished(() => redisClient.disconnect());
    return redisClient;
  };

  test('one worker at a time has the claim of an Identifier', async () => {
    const [a, b] = [memoryOn(redis.url).newest, memoryOn(redis.url).newest];
    const claim = await claimOf(a, 'task');
    expect(await b.claim('task')).toBe('held');
    await claimOf(b, 'other');
    a.release(claim, false);
    await claimed(b, 'task');
    expect(await a.claim('task')).toBe('held');
  });

  test('who has the claim knows what all workers have applied, and later and earlier times do not undo it', async () => {
    const [a, b] = [memoryOn(redis.url).newest, memoryOn(redis.url).newest];
    await a.applied('task', { Description: 'x' }, 200, await claimOf(a, 'task'), false);
    await b.applied(
      'task',
      { Description: 'x', TaskConfigurationId: 'y' },
      100,
      await claimOf(b, 'task'),
      false,
    );
    expect(b.known('task')).toEqual({ Description: 200, TaskConfigurationId: 100 });
    await claimOf(a, 'task');
    expect(a.known('task')).toEqual({ Description: 200, TaskConfigurationId: 100 });
  });

  test('a claim that has run out is given to another, and is not given back twice', async () => {
    const [a, b, c] = [
      memoryOn(redis.url, 100).newest,
      memoryOn(redis.url).newest,
      memoryOn(redis.url).newest,
    ];
    const lapsed = await claimOf(a, 'task');
    await claimed(b, 'task');
    // Marks of the late one count all the same.
    await a.applied('task', { Description: 'x' }, 5, lapsed, false);
    expect(await c.claim('task')).toBe('held');
    expect(await client().hget('ota-updater:newest:{task}', 'd')).toBe('5');
  });

  test('a claim of a call without an answer keeps others waiting for a while, and its own update not', async () => {
    const [a, b] = [memoryOn(redis.url, 60_000, 5_000).newest, memoryOn(redis.url).newest];
    const claim = await claimOf(a, 'task');
    a.release(claim, true);
    expect(await a.claim('task', claim)).toEqual(claim);
    // Held for a call again.
    expect(await client().pttl('ota-updater:claim:{task}')).toBeGreaterThan(5_000);
    // Applied at last: the first call may take effect all the same.
    await a.applied('task', { Description: 'x' }, 5, claim, true);
    expect([await a.claim('task'), await b.claim('task')]).toEqual(['held', 'held']);
    expect(await client().pttl('ota-updater:claim:{task}')).toBeLessThanOrEqual(5_000);
    await client().del('ota-updater:claim:{task}');
    await claimOf(b, 'task');
    expect(b.known('task')?.Description).toBe(5);
    // What has run out and is another's by now is not gone on with.
    expect(await a.claim('task', claim)).toBe('held');
  });

  test('a claim of a call without an answer runs out by itself', async () => {
    const [a, b] = [memoryOn(redis.url, 60_000, 50).newest, memoryOn(redis.url).newest];
    a.release(await claimOf(a, 'task'), true);
    await claimed(b, 'task');
  });

  test('marks outlive the longest stay on both queues, and claims do not stay', async () => {
    const { newest } = memoryOn(redis.url);
    await newest.applied('task', { Description: 'x' }, 5, await claimOf(newest, 'task'), false);
    const keys = await client().keys('ota-updater:*{task}');
    expect(keys).toEqual(['ota-updater:newest:{task}']);
    expect(await client().pttl('ota-updater:newest:{task}')).toBeGreaterThan(27.9 * 86_400_000);
  });

  test('what others wrote there and is no number is no mark', async () => {
    await client().hset('ota-updater:newest:{task}', { d: 'soon', t: '7' });
    const { newest } = memoryOn(redis.url);
    await claimOf(newest, 'task');
    expect(newest.known('task')).toEqual({ Description: none, TaskConfigurationId: 7 });
  });

  test('FLUSHALL is survived: the scripts and what is marked from then on are there', async () => {
    const { newest, told } = memoryOn(redis.url);
    await newest.applied('task', { Description: 'x' }, 5, await claimOf(newest, 'task'), false);
    await redis.flush();
    await client().script('FLUSH');
    // The one whose script is gone at the first try: by then it has been sent again, or sharing begins anew.
    await newest.applied('task', { Description: 'x' }, 6, undefined, false);
    await claimed(newest, 'task');
    expect(await client().hget('ota-updater:newest:{task}', 'd')).toBe('6');
    expect(told.filter((shared) => !shared).length).toBeLessThanOrEqual(1);
  });

  test('a Redis that is full is no memory to share: told once, and tried again', async () => {
    await client().config('SET', 'maxmemory', '1');
    const { newest, told, changes } = memoryOn(redis.url);
    expect(await newest.claim('task')).toBeUndefined();
    await client().config('SET', 'maxmemory', '0');
    await changes(2);
    expect(told).toEqual([false, true]);
    await claimOf(newest, 'task');
  });

  test('a loss is told once; what was applied before and meanwhile is there for all when it is back', async () => {
    const own = await startRedis();
    onTestFinished(() => own.kill());
    const { newest, told, changes } = memoryOn(own.url);
    await newest.applied('before', { Description: 'x' }, 1, await claimOf(newest, 'before'), false);
    const held = await claimOf(newest, 'meanwhile');
    await own.kill();
    await newest.applied('meanwhile', { TaskConfigurationId: 'x' }, 2, held, false);
    await changes(2);
    expect(await newest.claim('meanwhile')).toBeUndefined();
    expect(newest.known('meanwhile')?.TaskConfigurationId).toBe(2);
    await own.restart();
    await changes(3);
    expect(told).toEqual([true, false, true]);
    const other = memoryOn(own.url).newest;
    await claimOf(other, 'before');
    await claimOf(other, 'meanwhile');
    expect(other.known('before')).toEqual({ Description: 1, TaskConfigurationId: none });
    expect(other.known('meanwhile')).toEqual({ Description: none, TaskConfigurationId: 2 });
  });

  test('a Redis that hangs is not waited for long', async () => {
    const door = await startRedisDoor({ target: redis.port });
    onTestFinished(() => door.close());
    const { newest, changes } = memoryOn(door.url);
    const claim = await claimOf(newest, 'task');
    door.hang();
    expect(await newest.claim('other')).toBeUndefined();
    await newest.applied('task', { Description: 'x' }, 3, claim, false);
    door.open();
    await changes(3);
    expect(await client().hget('ota-updater:newest:{task}', 'd')).toBe('3');
  });
});

test('without a Redis to be found, work begins alone once that is known', async () => {
  const { newest, told } = memoryOn(`redis://127.0.0.1:${await freePort()}`);
  expect(await newest.claim('task')).toBeUndefined();
  expect(told).toEqual([false]);
  await newest.applied('task', { Description: 'x' }, 1, undefined, false);
  expect(newest.known('task')?.Description).toBe(1);
});
