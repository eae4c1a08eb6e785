/** Workers of a fleet on a real Redis, before an API with a limit: who finds the rate, through whatever happens to Redis. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, type TestContext, test } from 'vitest';
import { AdaptiveRate } from '../../../../src/ota/rate/adaptive-rate.ts';
import { FLEET_RATE_KEY } from '../../../../src/ota/rate/budget.ts';
import { BudgetLink } from '../../../../src/ota/rate/budget-link.ts';
import { FLEET_CALLS_KEY } from '../../../../src/ota/rate/fleet/board.ts';
import { FleetRate, fleetControl } from '../../../../src/ota/rate/fleet/fleet-rate.ts';
import { RedisRateLimiter } from '../../../../src/ota/rate/limiter-redis.ts';
import { createLimit } from '../../../../src/sandbox/simulated-api/limits/index.ts';
import { startRedisDoor } from '../../../../testing/redis/door.ts';
import { type RedisServer, redisInstalled, startRedis } from '../../../../testing/redis/server.ts';

type Scene = Pick<TestContext, 'onTestFinished' | 'expect'>;

const now = (): number => performance.now();
/** Calls per second: fewer than a slow machine makes, too, which would otherwise find no limit. */
const LIMIT = 20;
const CEILING = 200;
/** Of calls at the ceiling nine of ten are throttled once the bucket is empty: a full one accepts half of the 40 that are counted. */
const AT_CEILING = 0.7;

async function redisFor({ onTestFinished }: Scene): Promise<RedisServer> {
  const redis = await startRedis();
  onTestFinished(() => redis.kill());
  return redis;
}

function clientOf({ onTestFinished }: Scene, { url }: RedisServer): Redis {
  const client = new Redis(url);
  onTestFinished(() => client.disconnect());
  return client;
}

/** An API, and what it answered. */
class Api {
  readonly #limit = createLimit(
    { kind: 'bucket', ratePerSecond: LIMIT, burst: 20, tickMs: 0 },
    now(),
    Math.random,
  );
  readonly #watchers = new Set<() => void>();
  accepted = 0;
  throttled = 0;

  call(): boolean {
    const accepted = this.#limit.admit({ at: now(), connection: 0 });
    if (accepted) this.accepted++;
    else this.throttled++;
    for (const watcher of this.#watchers) watcher();
    return accepted;
  }

  /** Resolves after so many more calls; says which part of them was throttled. */
  async next(calls: number): Promise<number> {
    const before = { accepted: this.accepted, throttled: this.throttled };
    const made = (): number => this.accepted + this.throttled - before.accepted - before.throttled;
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (made() < calls) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
    return (this.throttled - before.throttled) / made();
  }
}

/** A worker of which only the calls are there; closed at the end of the test. */
class Caller {
  readonly #api: Api;
  readonly limiter: RedisRateLimiter;
  readonly rate: FleetRate;
  calls = 0;

  constructor({ onTestFinished }: Scene, api: Api, url: string, ceiling = CEILING) {
    this.#api = api;
    const link = new BudgetLink({ url, workerId: randomUUID(), byFleet: true, now, onShared: () => {} });
    const limiter = new RedisRateLimiter({ link, ceiling, now });
    this.limiter = limiter;
    this.rate = new FleetRate({
      begin: { ceiling },
      link,
      now,
      control: (start, onChange) => new AdaptiveRate({ ...start, onChange, ...fleetControl }),
      onChange: (rate, role) => limiter.setRate(role === 'alone' ? rate : Number.POSITIVE_INFINITY),
    });
    onTestFinished(() => limiter.close());
  }

  get role(): string {
    return this.rate.fleet;
  }

  setCeiling(perSecond: number): void {
    this.limiter.setCeiling(perSecond);
    this.rate.setCeiling(perSecond);
  }

  /** Makes every call that it may, until it is closed. */
  async work(): Promise<void> {
    for (;;) {
      const permits = await this.limiter.grant(Number.POSITIVE_INFINITY);
      if (permits === 0) return;
      for (let i = 0; i < permits; i++) this.#call(now());
    }
  }

  /** Takes no time: a fleet before an API that does is simulated elsewhere, in virtual time. */
  #call(startedAt: number): void {
    this.calls++;
    const accepted = this.#api.call();
    this.rate.observe({ startedAt, endedAt: now(), ...(!accepted && { failure: { kind: 'throttled' } }) });
  }
}

const rolesOf = (callers: readonly Caller[]): string[] => callers.map(({ role }) => role).toSorted();

/** Resolves when one of them leads and the others follow. */
async function together(scene: Scene, callers: readonly Caller[]): Promise<void> {
  const roles = callers.map((_, i) => (i < callers.length - 1 ? 'following' : 'leading'));
  await scene.expect.poll(() => rolesOf(callers)).toEqual(roles);
}

const leaderOf = (callers: readonly Caller[]): Caller | undefined =>
  callers.find(({ role }) => role === 'leading');

const NEAR = 1.6 * LIMIT;

/**
 * Far below the ceiling, at any moment: while the machine stands still, the API's bucket fills, and the limit looks lower before it
 * looks higher for a moment.
 */
function expectNearLimit(rate: number): void {
  expect(rate).toBeLessThan(CEILING / 2);
  expect(rate).toBeGreaterThan(LIMIT / 8);
}

/** Resolves when they have found the limit. */
async function settled(scene: Scene, callers: readonly Caller[]): Promise<void> {
  const fastest = (): number => Math.max(...callers.map(({ rate }) => rate.rate));
  await scene.expect.poll(fastest).toBeLessThan(NEAR);
}

/** Workers that have found the limit. */
async function fleet(scene: Scene, count: number, url?: string) {
  const redis = await redisFor(scene);
  const api = new Api();
  const callers = Array.from({ length: count }, () => new Caller(scene, api, url ?? redis.url));
  await together(scene, callers);
  for (const caller of callers) void caller.work();
  await settled(scene, callers);
  for (const { rate } of callers) expectNearLimit(rate.rate);
  return { redis, api, callers };
}

describe.skipIf(!redisInstalled()).concurrent('a fleet on Redis', () => {
  test('goes by one rate, which one of them finds for all, and says since when', async (scene) => {
    const { callers } = await fleet(scene, 4);
    expect(rolesOf(callers)).toEqual(['following', 'following', 'following', 'leading']);
    // Each goes on to be served.
    const before = callers.map(({ calls }) => calls);
    const fewest = (): number => Math.min(...callers.map(({ calls }, i) => calls - (before[i] ?? 0)));
    await scene.expect.poll(fewest).toBeGreaterThan(LIMIT / 4);
    for (const { rate } of callers) expect(rate.foundAt).toBeLessThan(now());
  });

  test('lets a new worker begin at its rate', async (scene) => {
    const { callers, api, redis } = await fleet(scene, 2);
    const late = [1, 2, 3].map(() => new Caller(scene, api, redis.url));
    await together(scene, [...callers, ...late]);
    for (const caller of late) {
      expectNearLimit(caller.rate.rate);
      void caller.work();
    }
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
  });

  test('gives the part of an idle worker to the others', async (scene) => {
    const redis = await redisFor(scene);
    const api = new Api();
    const [busy, idle] = [new Caller(scene, api, redis.url), new Caller(scene, api, redis.url)];
    await together(scene, [busy, idle]);
    void busy.work();
    await settled(scene, [busy]);
    expectNearLimit(busy.rate.rate);
    expect(idle.calls).toBe(0);
  });

  test('goes on under another one when the one that leads is gone without a word', async (scene) => {
    const redis = await redisFor(scene);
    const door = await startRedisDoor({ target: redis.port });
    scene.onTestFinished(() => door.close());
    const api = new Api();
    const first = new Caller(scene, api, door.url);
    await together(scene, [first]);
    void first.work();
    await settled(scene, [first]);
    const others = [new Caller(scene, api, redis.url), new Caller(scene, api, redis.url)];
    await together(scene, [first, ...others]);
    for (const caller of others) void caller.work();
    door.hang();
    await together(scene, others);
    await scene.expect.poll(() => first.role).toBe('alone');
    await first.limiter.close();
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
    for (const { rate } of others) expectNearLimit(rate.rate);
  });

  test('has another one lead at once when the one that leads stops', async (scene) => {
    const { callers, api } = await fleet(scene, 3);
    await leaderOf(callers)?.limiter.close();
    const left = callers.filter(({ role }) => role !== 'alone');
    expect(left).toHaveLength(2);
    await together(scene, left);
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
  });

  test('keeps its rate through a FLUSHALL', async (scene) => {
    const { callers, api, redis } = await fleet(scene, 3);
    for (let i = 0; i < 3; i++) {
      await redis.flush();
      await together(scene, callers);
      expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
      for (const { rate } of callers) expectNearLimit(rate.rate);
      await settled(scene, callers);
    }
  });

  test('keeps its rate while nonsense is written over its keys', async (scene) => {
    const { callers, api, redis } = await fleet(scene, 3);
    const client = clientOf(scene, redis);
    const nonsense: (() => Promise<unknown>)[] = [
      () => client.set(FLEET_RATE_KEY, 'x'),
      () => client.set(FLEET_CALLS_KEY, 'x'),
      () =>
        client.hset(
          FLEET_RATE_KEY,
          'leader',
          'x',
          'until',
          '9e15',
          'rate',
          '-5',
          'found',
          'x',
          'proved',
          '9e99',
        ),
      () => client.hset(FLEET_RATE_KEY, 'rate', 'inf'),
      () => client.rpush(FLEET_CALLS_KEY, ...Array.from({ length: 2_000 }, () => '1 [1,1,10000,10000]')),
      async () => {
        const [seconds] = await client.time();
        await client.rpush(FLEET_CALLS_KEY, `${seconds}000 [1,1,9000,0]`, `${seconds}000 [x`);
      },
    ];
    for (const write of nonsense) {
      await write();
      await together(scene, callers);
      await api.next(LIMIT / 2);
    }
    await settled(scene, callers);
    for (const { rate } of callers) expectNearLimit(rate.rate);
  });

  test('falls apart when Redis is gone, each with its part, and is one again when it is back, and empty', async (scene) => {
    const { callers, api, redis } = await fleet(scene, 4);
    await redis.kill();
    await scene.expect.poll(() => rolesOf(callers)).toEqual(['alone', 'alone', 'alone', 'alone']);
    const parts = callers.map(({ rate }) => rate.rate).reduce((sum, rate) => sum + rate, 0);
    expect(parts).toBeLessThan(NEAR);
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
    await redis.restart();
    await together(scene, callers);
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
    await settled(scene, callers);
    for (const { rate } of callers) expectNearLimit(rate.rate);
  });

  test('is alone beside a Redis that takes no writes', async (scene) => {
    const { callers, api, redis } = await fleet(scene, 2);
    const client = clientOf(scene, redis);
    await client.config('SET', 'maxmemory', '1');
    await scene.expect.poll(() => rolesOf(callers)).toEqual(['alone', 'alone']);
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
    await client.config('SET', 'maxmemory', '0');
    await together(scene, callers);
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
  });

  test('of workers with different ceilings goes by the lowest, and by the next once that is raised', async (scene) => {
    const redis = await redisFor(scene);
    const api = new Api();
    const high = new Caller(scene, api, redis.url, CEILING);
    await together(scene, [high]);
    const low = new Caller(scene, api, redis.url, LIMIT / 2);
    await together(scene, [high, low]);
    for (const caller of [high, low]) void caller.work();
    await scene.expect.poll(() => high.rate.rate).toBe(LIMIT / 2);
    expect(await api.next(2 * LIMIT)).toBe(0);
    expect([low.rate.rate, low.rate.foundAt]).toEqual([LIMIT / 2, undefined]);
    low.setCeiling(CEILING);
    await scene.expect.poll(() => high.rate.rate).toBeGreaterThan(LIMIT / 2);
    await settled(scene, [high, low]);
    for (const { rate } of [high, low]) expectNearLimit(rate.rate);
  });

  test('that begins again begins near the rate it had', async (scene) => {
    const { callers, api, redis } = await fleet(scene, 2);
    await Promise.all(callers.map(({ limiter }) => limiter.close()));
    const next = [1, 2].map(() => new Caller(scene, api, redis.url));
    await together(scene, next);
    for (const caller of next) void caller.work();
    expect(await api.next(2 * LIMIT)).toBeLessThan(AT_CEILING);
    for (const { rate } of next) expectNearLimit(rate.rate);
  });
});
