/**
 * The shared budget on a real Redis server: never more is given out than it allows, and everybody is given some. That all of
 * it is given out, and in equal parts, `npm run bench -- shared` shows, and ask-ahead.test.ts in simulated time: a busy
 * machine makes less of it.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, type TestContext, test } from 'vitest';
import { BUDGET_KEY, Budget } from '../../../src/ota/rate/budget.ts';
import { BudgetLink } from '../../../src/ota/rate/budget-link.ts';
import { Board } from '../../../src/ota/rate/fleet/board.ts';
import { RedisRateLimiter } from '../../../src/ota/rate/limiter-redis.ts';
import { Allowance } from '../../../testing/redis/allowance.ts';
import { GrantTally, startBudgetProcess } from '../../../testing/redis/budget.ts';
import { startRedisDoor } from '../../../testing/redis/door.ts';
import { freePort, portOf } from '../../../testing/redis/ports.ts';
import { type RedisServer, redisInstalled, startRedis } from '../../../testing/redis/server.ts';

/** The changes that a limiter reports, in order, to be awaited. */
class Told {
  readonly changes: { readonly shared: boolean; readonly reason: unknown }[] = [];
  readonly #watchers = new Set<() => void>();

  add(shared: boolean, reason?: unknown): void {
    this.changes.push({ shared, reason });
    for (const watcher of this.#watchers) watcher();
  }

  get shared(): boolean[] {
    return this.changes.map(({ shared }) => shared);
  }

  /** Resolves after this many changes. */
  async times(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (this.changes.length < count) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }
}

/** Tests mostly wait for permits: they run side by side, each with a Redis of its own. */
type Scene = Pick<TestContext, 'onTestFinished'>;

async function redisFor({ onTestFinished }: Scene): Promise<RedisServer> {
  const redis = await startRedis();
  onTestFinished(() => redis.kill());
  return redis;
}

const now = (): number => performance.now();

/** A clock that goes a millisecond at a look, at most: by it nothing is ever late. */
function patientClock(): () => number {
  let at = now();
  return () => {
    at = Math.min(now(), at + 1);
    return at;
  };
}

/** A limiter, closed at the end of the test, and its changes. */
function limiterOn({ onTestFinished }: Scene, url: string, ceiling: number, clock = now) {
  const told = new Told();
  const limiter = new RedisRateLimiter({
    link: new BudgetLink({
      url,
      workerId: randomUUID(),
      byFleet: true,
      now: clock,
      onShared: (shared, reason) => told.add(shared, reason),
    }),
    ceiling,
    now: clock,
  });
  onTestFinished(() => limiter.close());
  return { limiter, told };
}

/** Budget of most tests, in calls per second: four permits per grant. */
const RATE = 400;

/** Permits of one booking at this rate. */
const grantOf = (rate: number): number => Math.max(1, Math.ceil(rate / 100));

/** Never more than the budget: what a busy machine held up comes later, or not at all. */
async function expectWithin(allowance: Allowance, permits: () => number, rate: number): Promise<void> {
  const counted = permits();
  expect(counted).toBeLessThanOrEqual(await allowance.most(grantOf(rate)));
}

/** Counts the permits from now on against a rate of which Redis does not keep the account, by the clock of this process. */
function localAllowance(permits: () => number, rate: number, limiters = 1) {
  const [before, since] = [permits(), now()];
  /** After a pause of the machine: the grants in progress and one more, as large as they were before the rate was this. */
  const atOnce = 3 * limiters * grantOf(Math.max(rate, RATE));
  return {
    expectWithin: (): void => {
      const counted = permits() - before;
      expect(counted).toBeLessThanOrEqual((rate * (now() - since)) / 1_000 + atOnce);
    },
  };
}

/** A connection to Redis, for a look at what is there. */
function clientOf({ onTestFinished }: Scene, { url }: RedisServer): Redis {
  const client = new Redis(url).on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** The pace of a budget: permits per second that all share now, and among how many. */
async function paceOf({ onTestFinished }: Scene, { url }: RedisServer) {
  const options = { url, worker: 'looker-on', ceiling: 1_000_000, byFleet: true };
  const budget = await Budget.connect(options);
  onTestFinished(() => budget.disconnect());
  return async (): Promise<number> => (await budget.book(0)).rate;
}

/** Two busy limiters, once both share. */
async function two(scene: Scene) {
  const redis = await redisFor(scene);
  const tally = new GrantTally();
  const both = ['a', 'b'].map((name) => ({ name, ...limiterOn(scene, redis.url, RATE) }));
  for (const { told } of both) await told.times(1);
  const allowance = await Allowance.of(clientOf(scene, redis), RATE);
  for (const { name, limiter } of both) void tally.takeAll(name, limiter);
  await tally.next(RATE / 4);
  const told = both.map(({ told }) => told);
  return { redis, tally, allowance, told, limiters: both.map(({ limiter }) => limiter) };
}

/** A busy limiter, once it shares. */
async function one(scene: Scene, url: string) {
  const tally = new GrantTally();
  const { limiter, told } = limiterOn(scene, url, RATE);
  await told.times(1);
  void tally.takeAll('a', limiter);
  return { tally, told, limiter };
}

describe.skipIf(!redisInstalled()).concurrent('with Redis', () => {
  describe('sharing', () => {
    test('two limiters share one budget, and both are served', async (scene) => {
      const { tally, allowance } = await two(scene);
      await tally.each(['a', 'b'], RATE / 4);
      await expectWithin(allowance, () => tally.total, RATE);
    });

    test.for([2, 20, 150, 1_000])('one limiter alone gets %i/s and no more', async (rate, scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, rate);
      await told.times(1);
      const allowance = await Allowance.of(clientOf(scene, redis), rate);
      const tally = new GrantTally();
      void tally.takeAll('a', limiter);
      await tally.next(Math.max(4, rate / 2));
      expect(limiter.rate).toBe(rate);
      await expectWithin(allowance, () => tally.total, rate);
    });

    test('four processes share one budget, whatever their clocks, and the others take over when one is killed', async (scene) => {
      const redis = await redisFor(scene);
      const allowance = await Allowance.of(clientOf(scene, redis), RATE);
      const tally = new GrantTally();
      const names = ['a', 'b', 'c', 'd'];
      const aheadMs: Readonly<Record<string, number>> = { b: 50, c: 2_000, d: -3_600_000 };
      const told = new Told();
      const [first, ...others] = names.map((name) =>
        startBudgetProcess(
          redis.url,
          RATE,
          (report) => {
            if ('permits' in report) tally.add(name, report.permits);
            else told.add(report.shared);
          },
          aheadMs[name],
        ),
      );
      scene.onTestFinished(() => {
        for (const worker of [first, ...others]) worker?.kill();
      });
      await told.times(4);
      await tally.each(names, RATE / 4);
      await expectWithin(allowance, () => tally.total, RATE);

      first?.kill();
      await first?.exited;
      await tally.each(names.slice(1), RATE / 4);
      await expectWithin(allowance, () => tally.total, RATE);

      for (const worker of others) worker.close();
      expect(await Promise.all(others.map(({ exited }) => exited))).toEqual([0, 0, 0]);
      expect(told.shared).toEqual([true, true, true, true]);
    });

    test('one command books a grant', async (scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, 1_000, patientClock());
      await told.times(1);
      const client = clientOf(scene, redis);
      await client.config('RESETSTAT');
      const since = now();
      for (let i = 0; i < 20; i++) expect(await limiter.grant(1)).toBe(1);
      const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1]);
      expect(calls).toBeGreaterThanOrEqual(20);
      // The next one may be booked already, and a sign of life falls between every 5 s.
      expect(calls).toBeLessThanOrEqual(21 + Math.ceil((now() - since) / 5_000));
    });

    test('no more is booked than is wanted', async (scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, 1_000);
      await told.times(1);
      const client = clientOf(scene, redis);
      const due = async (): Promise<number> => Number(await client.hget(BUDGET_KEY, 'due'));
      await limiter.grant(1);
      const first = await due();
      for (let i = 0; i < 20; i++) await limiter.grant(1);
      const [seconds = 0, microseconds = 0] = (await client.time()).map(Number);
      // Permits of a thousand microseconds each: those taken, or what has passed meanwhile, and at most one more.
      const passed = seconds * 1_000_000 + microseconds - first;
      expect((await due()) - first).toBeLessThanOrEqual(Math.max(passed, 20_000) + 2_000);
    });

    test('a ceiling that one worker is set to later holds for all, and is lifted for all', async (scene) => {
      const { redis, tally, allowance, limiters } = await two(scene);
      const pace = await paceOf(scene, redis);
      const [first, second] = limiters;
      first?.setCeiling(40);
      await scene.expect.poll(() => second?.ceiling).toBe(40);
      expect([first?.ceiling, first?.rate, second?.rate, await pace()]).toEqual([40, 40, 40, 40]);
      await allowance.change(40);
      await tally.next(120);
      await expectWithin(allowance, () => tally.total, RATE);
      first?.setCeiling(RATE);
      await scene.expect.poll(() => second?.ceiling).toBe(RATE);
      expect([first?.rate, second?.rate, await pace()]).toEqual([RATE, RATE, RATE]);
      await tally.each(['a', 'b'], RATE / 4);
    });

    test('permits booked at a low rate of the fleet are due sooner when it has risen', async (scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, RATE);
      await told.times(1);
      const client = new Redis(redis.url);
      scene.onTestFinished(() => client.disconnect());
      const board = new Board(client, 'another');
      const find = async (rate: number): Promise<void> => {
        await board.exchange({ calls: '', leads: { found: { rate, foundMs: 0, provedMs: 0 } } });
      };
      // A permit in a hundred seconds.
      await find(0.01);
      expect(await limiter.grant(1)).toBe(1);
      const waiting = limiter.grant(1);
      await scene.expect.poll(() => limiter.rate).toBe(0.01);
      await find(RATE);
      expect(await waiting).toBe(1);
      const tally = new GrantTally();
      void tally.takeAll('a', limiter);
      // At the rate before, they would never come.
      await tally.next(RATE / 4);
    });

    test('a lower rate of one worker is kept within the budget, and can be raised again', async (scene) => {
      const { redis, tally, allowance, limiters } = await two(scene);
      const [first, second] = limiters;
      const slow = localAllowance(() => tally.of('a'), RATE / 5);
      first?.setRate(RATE / 5);
      await tally.each(['a', 'b'], RATE / 4);
      slow.expectWithin();
      await expectWithin(allowance, () => tally.total, RATE);
      // The other may take the rest.
      const pace = await paceOf(scene, redis);
      expect([first?.rate, second?.rate, await pace()]).toEqual([RATE / 5, RATE, RATE]);

      first?.setRate(RATE);
      expect(first?.rate).toBe(RATE);
      await tally.each(['a', 'b'], RATE / 4);
      await expectWithin(allowance, () => tally.total, RATE);
    });

    test.for([
      { before: 1_000, after: 50 },
      { before: 20, after: 200 },
    ])('a restart with $after a second instead of $before takes effect', async ({ before, after }, scene) => {
      const redis = await redisFor(scene);
      const tally = new GrantTally();
      const old = limiterOn(scene, redis.url, before);
      await old.told.times(1);
      void tally.takeAll('old', old.limiter);
      await tally.next(before / 5);
      await old.limiter.close();

      const allowance = await Allowance.of(clientOf(scene, redis), after);
      const renewed = limiterOn(scene, redis.url, after);
      await renewed.told.times(1);
      void tally.takeAll('renewed', renewed.limiter);
      await tally.next(after);
      await expectWithin(allowance, () => tally.of('renewed'), after);
      const pace = await paceOf(scene, redis);
      expect([renewed.limiter.rate, await pace()]).toEqual([after, after]);
    });
  });

  describe('a loss', () => {
    test('by FLUSHALL costs no sharing, and no more than the budget and what was booked', async (scene) => {
      const { tally, allowance, told } = await two(scene);
      await tally.next(RATE / 2);
      await allowance.change(RATE, true);
      await tally.next(RATE / 2);
      await expectWithin(allowance, () => tally.total, RATE);

      await tally.each(['a', 'b'], RATE / 4);
      await expectWithin(allowance, () => tally.total, RATE);
      // A machine that stands still for longer than an answer may take costs it, whatever Redis has lost.
      const losses = told.flatMap(({ changes }) => changes.filter(({ shared }) => !shared));
      expect(losses.filter(({ reason }) => !/took longer than/.test(String(reason)))).toEqual([]);
    });

    test('by a crash is bridged at the part of each, until an empty Redis is reachable', async (scene) => {
      const { redis, tally, told, limiters } = await two(scene);
      await tally.next(RATE / 2);
      await redis.kill();
      for (const each of told) await each.times(2);
      // Not knowing of each other, each would take a tenth.
      expect(limiters.map(({ rate }) => rate)).toEqual([RATE / 2, RATE / 2]);
      const alone = localAllowance(() => tally.total, RATE, 2);
      await tally.each(['a', 'b'], RATE / 2);
      alone.expectWithin();

      // Until the other is back, one takes the whole budget and the other its part.
      const again = localAllowance(() => tally.total, 1.6 * RATE, 2);
      await redis.restart();
      for (const each of told) await each.times(3);
      expect(limiters.map(({ rate }) => rate)).toEqual([RATE, RATE]);
      await tally.each(['a', 'b'], RATE / 2);
      again.expectWithin();
      for (const each of told) {
        expect(each.shared).toEqual([true, false, true]);
        expect(each.changes[1]?.reason).toBeInstanceOf(Error);
      }
    });

    test('after an idle time is bridged at the whole part all the same', async (scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, RATE);
      await told.times(1);
      await redis.kill();
      await told.times(2);
      expect(limiter.budget).toBe('alone');
      expect(limiter.rate).toBe(RATE);
    });

    test('soon after one worker has found Redis empty is bridged at the part known before', async (scene) => {
      const { redis, tally, limiters, told } = await two(scene);
      await redis.kill();
      for (const each of told) await each.times(2);
      expect(limiters.map(({ rate }) => rate)).toEqual([RATE / 2, RATE / 2]);
      await redis.restart();
      for (const each of told) await each.times(3);
      await tally.next(2);
      await redis.kill();
      for (const each of told) await each.times(4);
      expect(limiters.map(({ rate }) => rate)).toEqual([RATE / 2, RATE / 2]);
    });

    test('of the connection, right before any booking, leaves no grant without an end', async (scene) => {
      const redis = await redisFor(scene);
      const door = await startRedisDoor({ target: redis.port, delayMs: 10 });
      scene.onTestFinished(() => door.close());
      const { tally, told } = await one(scene, door.url);
      for (let number = 1; number <= 3; number++) {
        await tally.next(10);
        door.beforeCommand(number, () => door.cut());
        await told.times(2 * number);
        await tally.next(2);
        await told.times(2 * number + 1);
      }
      expect(told.shared.filter((shared) => !shared)).toHaveLength(3);
    });

    test('is reported even when no grant is requested', async (scene) => {
      const redis = await redisFor(scene);
      const { told } = limiterOn(scene, redis.url, RATE);
      await told.times(1);
      await redis.kill();
      await told.times(2);
      await redis.restart();
      await told.times(3);
      expect(told.shared).toEqual([true, false, true]);
    });

    test('by a Redis that hangs does not stop grants, and ends when it answers', async (scene) => {
      const redis = await redisFor(scene);
      const door = await startRedisDoor({ target: redis.port });
      scene.onTestFinished(() => door.close());
      const { tally, told, limiter } = await one(scene, door.url);
      await tally.next(RATE / 2);

      door.hang();
      await told.times(2);
      // A worker without a share would have a tenth.
      expect(limiter.rate).toBe(RATE);
      await tally.next(RATE / 2);

      // A little faster, to make up for a stall.
      const again = localAllowance(() => tally.total, 1.1 * RATE);
      door.open();
      await told.times(3);
      await tally.next(RATE / 2);
      again.expectWithin();
      expect(told.shared).toEqual([true, false, true]);
    });
  });

  describe('close', () => {
    test('ends waiting grants with 0, even at a low rate', async (scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, 0.01);
      await told.times(1);
      expect(await limiter.grant(1)).toBe(1);
      const waiting = [limiter.grant(1), limiter.grant(1)];
      await limiter.close();
      expect(await Promise.all(waiting)).toEqual([0, 0]);
      expect(await limiter.grant(1)).toBe(0);
    });

    test('ends a grant that waits for other workers with 0', async (scene) => {
      const redis = await redisFor(scene);
      const [first, second] = [limiterOn(scene, redis.url, 0.01), limiterOn(scene, redis.url, 0.01)];
      await first.told.times(1);
      await second.told.times(1);
      expect(await first.limiter.grant(1)).toBe(1);
      const waiting = second.limiter.grant(1);
      // Registered on Redis for a hundred seconds from now, when one asked later has been told of the first.
      const third = limiterOn(scene, redis.url, 0.01);
      await third.told.times(1);
      await second.limiter.close();
      expect(await waiting).toBe(0);
    });

    test('can be called twice, and nothing is reported after it', async (scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, RATE);
      await told.times(1);
      await Promise.all([limiter.close(), limiter.close()]);
      await redis.kill();
      await redis.restart();
      // Whoever comes later has heard of the same Redis since.
      await limiterOn(scene, redis.url, RATE).told.times(1);
      expect(told.shared).toEqual([true]);
    });

    test('before Redis has answered prevents any report', async (scene) => {
      const redis = await redisFor(scene);
      const { limiter, told } = limiterOn(scene, redis.url, RATE);
      await limiter.close();
      for (let i = 0; i < 3; i++) await limiterOn(scene, redis.url, RATE).told.times(1);
      expect(told.changes).toEqual([]);
    });

    test.for([
      { state: 'sharing', ceiling: RATE, lost: false },
      { state: 'sharing at the lowest rate', ceiling: 0.01, lost: false },
      { state: 'alone', ceiling: RATE, lost: true },
    ])('leaves nothing that keeps a process alive: $state', async ({ ceiling, lost }, scene) => {
      const redis = await redisFor(scene);
      const told = new Told();
      const worker = startBudgetProcess(redis.url, ceiling, (report) => {
        if ('shared' in report) told.add(report.shared);
      });
      scene.onTestFinished(() => worker.kill());
      await told.times(1);
      if (lost) {
        await redis.kill();
        await told.times(2);
      }
      worker.close();
      expect(await worker.exited).toBe(0);
    });
  });

  test('grants never reject, whatever happens to Redis', async (scene) => {
    const redis = await redisFor(scene);
    const { tally, told, limiter } = await one(scene, redis.url);
    const rejections: unknown[] = [];
    const asking = new AbortController();
    const ask = async (): Promise<void> => {
      while (!asking.signal.aborted) await limiter.grant(1).catch((error) => rejections.push(error));
    };
    // Several at once, as no worker would.
    const asked = [ask(), ask(), ask()];
    for (let round = 1; round <= 3; round++) {
      await tally.next(20);
      await redis.flush();
      await redis.kill();
      await told.times(2 * round);
      await tally.next(5);
      await redis.restart();
      await told.times(2 * round + 1);
    }
    asking.abort();
    await limiter.close();
    await Promise.all(asked);
    expect(rejections).toEqual([]);
  });
});

describe.concurrent('without Redis', () => {
  test('runs at a tenth of the ceiling when Redis is unreachable at the start', async (scene) => {
    const { limiter, told } = limiterOn(scene, `redis://127.0.0.1:${await freePort()}`, 1_000);
    const tally = new GrantTally();
    const tenth = localAllowance(() => tally.total, 100);
    void tally.takeAll('a', limiter);
    await tally.next(100);
    tenth.expectWithin();
    expect(told.shared).toEqual([false]);
    expect(String(told.changes[0]?.reason)).toMatch(/ECONNREFUSED/);
  });

  test('keeps a lower rate of its own, too', async (scene) => {
    const { limiter } = limiterOn(scene, `redis://127.0.0.1:${await freePort()}`, 1_000);
    limiter.setRate(20);
    const tally = new GrantTally();
    const low = localAllowance(() => tally.total, 20);
    void tally.takeAll('a', limiter);
    await tally.next(20);
    low.expectWithin();
  });

  test('goes on alone beside a server that answers anything with OK', async (scene) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => socket.write('+OK\r\n'));
      scene.onTestFinished(() => void socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.onTestFinished(() => void server.close());
    const { limiter, told } = limiterOn(scene, `redis://127.0.0.1:${portOf(server)}`, 1_000);
    await told.times(1);
    expect(told.shared).toEqual([false]);
    expect(limiter.rate).toBe(100);
    expect(await limiter.grant(1)).toBeGreaterThan(0);
  });

  test('retries, and reports once that it is alone', async (scene) => {
    const door = await startRedisDoor({ refuse: true });
    scene.onTestFinished(() => door.close());
    const { told } = limiterOn(scene, door.url, RATE);
    await door.connected(4);
    expect(told.shared).toEqual([false]);
  });

  test('grants from the start while Redis hangs, and reports why it is alone', async (scene) => {
    const door = await startRedisDoor();
    scene.onTestFinished(() => door.close());
    const { limiter, told } = limiterOn(scene, door.url, 1_000);
    expect(await limiter.grant(1)).toBeGreaterThan(0);
    expect(told.changes).toEqual([]);
    await told.times(1);
    expect(told.changes[0]?.reason).toBeInstanceOf(Error);
    expect(await limiter.grant(1)).toBeGreaterThan(0);
    await door.connected(2);
    expect(told.shared).toEqual([false]);
  });

  test.for(['hangs', 'refuses'])(
    'close leaves nothing that keeps the process alive: Redis %s',
    async (how, scene) => {
      const door = await startRedisDoor({ refuse: how === 'refuses' });
      scene.onTestFinished(() => door.close());
      const granted = Promise.withResolvers<void>();
      const worker = startBudgetProcess(door.url, RATE, () => granted.resolve());
      scene.onTestFinished(() => worker.kill());
      await granted.promise;
      worker.close();
      expect(await worker.exited).toBe(0);
    },
  );
});
