/** Shared newest-wins marks, on a real Redis server. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { staleFields } from '../../../src/message/newest.ts';
import type { Claim } from '../../../src/ota/newest/newest.ts';
import { RedisNewest } from '../../../src/ota/newest/newest-redis.ts';
import { startRedisDoor } from '../../../testing/redis/door.ts';
import { freePort } from '../../../testing/redis/ports.ts';
import { type RedisServer, redisInstalled, startRedis } from '../../../testing/redis/server.ts';

const none = Number.NEGATIVE_INFINITY;

/** A worker's marks, and the changes between shared and alone that it has reported. */
function marksOn(url: string, claimMs = 60_000, unansweredMs = 60_000) {
  const changed: boolean[] = [];
  const foreign: string[] = [];
  const watchers = new Set<() => void>();
  const newest = new RedisNewest({
    url,
    workerId: `w${Math.random()}`,
    claimMs,
    unansweredMs,
    longestClaimMs: 120_000,
    now: Date.now,
    onForeign: (what, identifier) => foreign.push(`${what} of ${identifier}`),
    onShared: (shared) => {
      changed.push(shared);
      for (const watcher of watchers) watcher();
    },
  });
  onTestFinished(() => newest.close());
  /** Resolves after this many changes. */
  const changes = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const watcher = (): void => {
        if (changed.length >= count) resolve();
      };
      watchers.add(watcher);
      watcher();
    });
  return { newest, changed, changes, foreign };
}

async function claimOf(newest: RedisNewest, identifier: string): Promise<Claim> {
  const claim = await newest.claim(identifier);
  if (claim === undefined || claim === 'held') throw new Error(`no claim: ${claim}`);
  return claim;
}

/** Resolves when the claim is free, now or after it has expired. */
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
    const [a, b] = [marksOn(redis.url).newest, marksOn(redis.url).newest];
    const claim = await claimOf(a, 'task');
    expect(await b.claim('task')).toBe('held');
    await claimOf(b, 'other');
    a.release(claim, false);
    await claimed(b, 'task');
    expect(await a.claim('task')).toBe('held');
  });

  test('a worker with the claim knows the marks of all workers, which only rise', async () => {
    const [a, b] = [marksOn(redis.url).newest, marksOn(redis.url).newest];
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

  test('an expired claim goes to another worker, and is not released by the former one', async () => {
    const [a, b, c] = [marksOn(redis.url, 100).newest, marksOn(redis.url).newest, marksOn(redis.url).newest];
    const lapsed = await claimOf(a, 'task');
    await claimed(b, 'task');
    // The mark counts although the claim has expired.
    await a.applied('task', { Description: 'x' }, 5, lapsed, false);
    expect(await c.claim('task')).toBe('held');
    expect(await client().hget('ota-updater:newest:{task}', 'd')).toBe('5');
  });

  test('the claim of a call without an answer keeps other updates waiting for a while, but not its own', async () => {
    const [a, b] = [marksOn(redis.url, 60_000, 5_000).newest, marksOn(redis.url).newest];
    const claim = await claimOf(a, 'task');
    a.release(claim, true);
    expect(await a.claim('task', claim)).toEqual(claim);
    // Renewed for a call.
    expect(await client().pttl('ota-updater:claim:{task}')).toBeGreaterThan(5_000);
    // Applied now, but the first call may still take effect.
    await a.applied('task', { Description: 'x' }, 5, claim, true);
    expect([await a.claim('task'), await b.claim('task')]).toEqual(['held', 'held']);
    expect(await client().pttl('ota-updater:claim:{task}')).toBeLessThanOrEqual(5_000);
    await client().del('ota-updater:claim:{task}');
    await claimOf(b, 'task');
    expect(b.known('task')?.Description).toBe(5);
    // An expired claim that another worker has taken is not renewed.
    expect(await a.claim('task', claim)).toBe('held');
  });

  test('the claim of a call without an answer expires', async () => {
    const [a, b] = [marksOn(redis.url, 60_000, 50).newest, marksOn(redis.url).newest];
    a.release(await claimOf(a, 'task'), true);
    await claimed(b, 'task');
  });

  test('marks outlast the longest retention of both queues, and claims end', async () => {
    const { newest } = marksOn(redis.url);
    await newest.applied('task', { Description: 'x' }, 5, await claimOf(newest, 'task'), false);
    const keys = await client().keys('ota-updater:*{task}');
    expect(keys).toEqual(['ota-updater:newest:{task}']);
    expect(await client().pttl('ota-updater:newest:{task}')).toBeGreaterThan(27.9 * 86_400_000);
  });

  test('a value that is not a number counts as no mark', async () => {
    await client().hset('ota-updater:newest:{task}', { d: 'soon', t: '7' });
    const { newest } = marksOn(redis.url);
    await claimOf(newest, 'task');
    expect(newest.known('task')).toEqual({ Description: none, TaskConfigurationId: 7 });
  });

  test('a mark more than 10 minutes ahead counts for nothing, is said, and is not written back after FLUSHALL', async () => {
    const { newest, foreign } = marksOn(redis.url);
    const at = Date.now();
    await client().hset('ota-updater:newest:{task}', { d: 9e15, t: at + 9 * 60_000 });
    const claim = await claimOf(newest, 'task');
    expect(newest.known('task')).toEqual({ Description: none, TaskConfigurationId: at + 9 * 60_000 });
    await newest.applied('task', { Description: 'x' }, at, claim, false);
    expect(await client().hgetall('ota-updater:newest:{task}')).toEqual({
      d: String(at),
      t: String(at + 9 * 60_000),
    });
    await client().hset('ota-updater:newest:{task}', { d: 9e15 });
    await claimed(newest, 'task');
    await redis.flush();
    await newest.applied('task', { Description: 'x' }, at + 1, undefined, false);
    expect(await client().hget('ota-updater:newest:{task}', 'd')).toBe(String(at + 1));
    // Of the first one only.
    expect(foreign).toEqual(['marks of task']);
  });

  test('a claim without an end, or with one too far off, is given the end of ours', async () => {
    const { newest, foreign } = marksOn(redis.url, 200);
    await client().set('ota-updater:claim:{endless}', 'somebody');
    await client().set('ota-updater:claim:{long}', 'somebody', 'PX', 3_600_000);
    expect([await newest.claim('endless'), await newest.claim('long')]).toEqual(['held', 'held']);
    await Promise.all([claimed(newest, 'endless'), claimed(newest, 'long')]);
    expect(foreign).toEqual(['claim of endless']);
  });

  test('whatever the keys hold: sharing stays on, the claim comes, and no update is taken for an old one', async () => {
    const { newest, changed, changes } = marksOn(redis.url, 20);
    const other = marksOn(redis.url, 20).newest;
    await changes(1);
    const raw = client();
    const now = Date.now();
    const values = fc.oneof(
      fc.string(),
      fc.integer({ max: now }).map(String),
      fc.double({ min: now + 700_000 }).map(String),
      fc.constantFrom('nan', 'inf', '-inf', '0x7fffffffffffffff', '1e300', '9'.repeat(400), ' 5', '', '-'),
    );
    const contents = fc.oneof(
      fc.record({ type: fc.constant('hash'), d: values, t: values }),
      fc.record({ type: fc.constant('string'), d: values, ttl: fc.constantFrom(0, 10, 3_600_000) }),
      fc.record({ type: fc.constantFrom('list', 'set', 'zset', 'stream', 'none'), d: values }),
    );
    type Content = typeof contents extends fc.Arbitrary<infer T> ? T : never;
    const write = async (key: string, content: Content): Promise<void> => {
      if ('t' in content) await raw.hset(key, { d: content.d, t: content.t });
      else if ('ttl' in content)
        await (content.ttl === 0 ? raw.set(key, content.d) : raw.set(key, content.d, 'PX', content.ttl));
      else if (content.type === 'list') await raw.rpush(key, content.d);
      else if (content.type === 'set') await raw.sadd(key, content.d);
      else if (content.type === 'zset') await raw.zadd(key, 1, content.d);
      else if (content.type === 'stream') await raw.xadd(key, '*', 'd', content.d);
    };
    let count = 0;
    await fc.assert(
      fc.asyncProperty(contents, contents, async (marks, claim) => {
        const task = `task${count++}`;
        await write(`ota-updater:newest:{${task}}`, marks);
        await write(`ota-updater:claim:{${task}}`, claim);
        const had = await claimed(newest, task);
        const update = { Identifier: task, Description: 'x', TaskConfigurationId: 'y' };
        expect(staleFields(update, now, newest.known(task))).toEqual([]);
        await newest.applied(task, update, now, had, false);
        await claimed(other, task);
        expect(other.known(task)).toEqual({ Description: now, TaskConfigurationId: now });
      }),
      { numRuns: 100 },
    );
    expect(changed).toEqual([true]);
  });

  test('marking works after FLUSHALL and SCRIPT FLUSH', async () => {
    const { newest, changed } = marksOn(redis.url);
    await newest.applied('task', { Description: 'x' }, 5, await claimOf(newest, 'task'), false);
    await redis.flush();
    await client().script('FLUSH');
    // The first call after SCRIPT FLUSH fails: the script is sent again, or the connection is made anew.
    await newest.applied('task', { Description: 'x' }, 6, undefined, false);
    await claimed(newest, 'task');
    expect(await client().hget('ota-updater:newest:{task}', 'd')).toBe('6');
    expect(changed.filter((shared) => !shared).length).toBeLessThanOrEqual(1);
  });

  test('a full Redis is not used; the worker reports it once and retries', async () => {
    await client().config('SET', 'maxmemory', '1');
    const { newest, changed, changes } = marksOn(redis.url);
    expect(await newest.claim('task')).toBeUndefined();
    await client().config('SET', 'maxmemory', '0');
    await changes(2);
    expect(changed).toEqual([false, true]);
    await claimOf(newest, 'task');
  });

  test('a lost connection is reported once; marks from before and meanwhile are shared after reconnecting', async () => {
    const own = await startRedis();
    onTestFinished(() => own.kill());
    const { newest, changed, changes } = marksOn(own.url);
    await newest.applied('before', { Description: 'x' }, 1, await claimOf(newest, 'before'), false);
    const held = await claimOf(newest, 'meanwhile');
    await own.kill();
    await newest.applied('meanwhile', { TaskConfigurationId: 'x' }, 2, held, false);
    await changes(2);
    expect(await newest.claim('meanwhile')).toBeUndefined();
    expect(newest.known('meanwhile')?.TaskConfigurationId).toBe(2);
    await own.restart();
    await changes(3);
    expect(changed).toEqual([true, false, true]);
    const other = marksOn(own.url).newest;
    await claimOf(other, 'before');
    await claimOf(other, 'meanwhile');
    expect(other.known('before')).toEqual({ Description: 1, TaskConfigurationId: none });
    expect(other.known('meanwhile')).toEqual({ Description: none, TaskConfigurationId: 2 });
  });

  test('a Redis that hangs is given up after a time-out', async () => {
    const door = await startRedisDoor({ target: redis.port });
    onTestFinished(() => door.close());
    const { newest, changes } = marksOn(door.url);
    const claim = await claimOf(newest, 'task');
    door.hang();
    expect(await newest.claim('other')).toBeUndefined();
    await newest.applied('task', { Description: 'x' }, 3, claim, false);
    door.open();
    await changes(3);
    expect(await client().hget('ota-updater:newest:{task}', 'd')).toBe('3');
  });
});

test('without a reachable Redis a worker starts alone', async () => {
  const { newest, changed } = marksOn(`redis://127.0.0.1:${await freePort()}`);
  expect(await newest.claim('task')).toBeUndefined();
  expect(changed).toEqual([false]);
  await newest.applied('task', { Description: 'x' }, 1, undefined, false);
  expect(newest.known('task')?.Description).toBe(1);
});
