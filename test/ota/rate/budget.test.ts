/** The script of the shared budget against a model, on a real Redis: its clock cannot be set, so what it answers is bounded. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  BUDGET_KEY,
  Budget,
  FLEET_RATE_KEY,
  NOTHING_FOUND,
  readBooking,
} from '../../../src/ota/rate/budget.ts';
import { emptyRedis } from '../../../testing/redis/empty.ts';
import { redisInstalled } from '../../../testing/redis/server.ts';

const HOUR_US = 3_600_000_000;

describe.skipIf(!redisInstalled())('a budget', () => {
  const redis = emptyRedis();

  async function connect(worker: string, ceiling: number, byFleet = true): Promise<Budget> {
    const budget = await Budget.connect({ url: redis.server.url, worker, ceiling, byFleet });
    onTestFinished(() => budget.disconnect());
    return budget;
  }

  async function nowUs(): Promise<number> {
    const [seconds, microseconds] = await redis.client.time();
    return Number(seconds) * 1_000_000 + Number(microseconds);
  }

  const dueUs = async (): Promise<number> => Number((await redis.client.hget(BUDGET_KEY, 'due')) ?? 0);

  test('spaces the permits of all workers by the lowest rate of any, by a clock of its own', async () => {
    const rates = [50, 100, 400];
    const budgets = await Promise.all(rates.map((rate) => connect(`w${rate}`, rate)));
    const bookings = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 20 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(bookings, async (steps) => {
        await redis.client.flushall();
        const seen = new Set<number>();
        let due = 0;
        for (const [worker, wanted] of steps) {
          const before = await nowUs();
          const booking = await budgets[worker]?.book(wanted);
          const after = await nowUs();
          seen.add(worker);
          const rate = Math.min(...[...seen].map((each) => rates[each] ?? 0));
          expect(booking).toMatchObject({ permits: wanted, workers: seen.size, rate });
          if (wanted === 0) continue;
          const at = (now: number): number => Math.max(due, now - 20_000);
          const wait = (booking?.waitMs ?? 0) * 1_000;
          expect(wait).toBeGreaterThanOrEqual(Math.max(0, due - after) - 2);
          expect(wait).toBeLessThanOrEqual(Math.max(0, due - before) + 2);
          const next = await dueUs();
          expect(next).toBeGreaterThanOrEqual(at(before) + (wanted * 1_000_000) / rate - 2);
          expect(next).toBeLessThanOrEqual(at(after) + (wanted * 1_000_000) / rate + 2);
          due = next;
        }
      }),
      { numRuns: 30 },
    );
  });

  test('a ceiling that is lowered or raised holds for all from the next booking on', async () => {
    const [a, b] = [await connect('a', 100), await connect('b', 100)];
    await Promise.all([a.book(0), b.book(0)]);
    a.ceiling = 20;
    expect(await a.book(0)).toMatchObject({ rate: 20 });
    expect(await b.book(1)).toMatchObject({ rate: 20 });
    a.ceiling = 200;
    expect(await a.book(1)).toMatchObject({ rate: 100 });
    expect(await b.book(0)).toMatchObject({ rate: 100 });
  });

  test('names the workers that were heard of, and those that want permits; forgets one that leaves', async () => {
    const [a, b] = [await connect('a', 10), await connect('b', 10)];
    expect(await a.book(0)).toMatchObject({ workers: 1, wanting: 1 });
    expect(await b.book(1)).toMatchObject({ workers: 2, wanting: 1 });
    expect(await a.book(1)).toMatchObject({ workers: 2, wanting: 2 });
    b.leave();
    await expect.poll(() => redis.client.hexists(BUDGET_KEY, 'b')).toBe(0);
    expect(await a.book(0)).toMatchObject({ workers: 1, wanting: 1 });
  });

  describe('with a rate that the fleet has found', () => {
    test('is spaced by it, where it is below the ceiling', async () => {
      const [a, b] = [await connect('a', 100), await connect('b', 100, false)];
      await redis.client.hset(FLEET_RATE_KEY, 'rate', '20');
      expect(await a.book(1)).toMatchObject({ ceiling: 100, rate: 20, waitMs: 0 });
      // After the permit of a, by 50 ms; before the next by 10.
      expect((await b.book(1)).waitMs).toBeLessThanOrEqual(50);
      expect((await b.book(1)).waitMs).toBeLessThanOrEqual(60);
      expect(await b.book(0)).toMatchObject({ ceiling: 100, rate: 100 });
      await redis.client.hset(FLEET_RATE_KEY, 'rate', '1000');
      expect(await a.book(1)).toMatchObject({ ceiling: 100, rate: 100 });
    });

    test.each(['', 'x', 'nan', 'inf', '-inf', '0', '-5', '1e-300'])(
      '%j is none: what was heard before holds',
      async (rate) => {
        const a = await connect('a', 100);
        await redis.client.hset(FLEET_RATE_KEY, 'rate', rate);
        expect(await a.book(1)).toMatchObject({ ceiling: 100, rate: 100 });
        a.known = 20;
        expect(await a.book(1)).toMatchObject({ ceiling: 100, rate: 20 });
      },
    );

    test('is the ceiling where there is no limit below it, whatever was heard before', async () => {
      const a = await connect('a', 100);
      a.known = 20;
      expect(await a.book(1)).toMatchObject({ rate: 20 });
      await redis.client.hset(FLEET_RATE_KEY, 'rate', NOTHING_FOUND);
      expect(await a.book(1)).toMatchObject({ rate: 100 });
    });

    test('is not looked for in a key of another type; leaving touches none', async () => {
      const a = await connect('a', 100);
      await redis.client.set(FLEET_RATE_KEY, 'x');
      expect(await a.book(1)).toMatchObject({ rate: 100 });
      a.leave();
      await expect.poll(() => redis.client.hexists(BUDGET_KEY, 'a')).toBe(0);
      expect(await redis.client.get(FLEET_RATE_KEY)).toBe('x');
    });

    test('whoever leaves leads no more, and keeps others leading', async () => {
      const [a, b] = [await connect('a', 100), await connect('b', 100)];
      await redis.client.hset(FLEET_RATE_KEY, 'leader', 'a', 'rate', '20');
      b.leave();
      a.leave();
      await expect.poll(() => redis.client.hget(FLEET_RATE_KEY, 'leader')).toBe(null);
      expect(await redis.client.hget(FLEET_RATE_KEY, 'rate')).toBe('20');
    });
  });

  test('a worker that waits for what it has booked takes part in sharing', async () => {
    const [a, b] = [await connect('a', 10), await connect('b', 10)];
    expect(await a.book(0)).toMatchObject({ wanting: 1 });
    expect(await b.book(0)).toMatchObject({ workers: 2, wanting: 1 });
    expect(await a.book(0, true)).toMatchObject({ waitMs: 0 });
    expect(await b.book(0)).toMatchObject({ wanting: 2 });
    expect(await redis.client.hget(BUDGET_KEY, 'due')).toBe(null);
  });

  test('is one key, which ends by itself', async () => {
    await (await connect('a', 10)).book(100);
    expect(await redis.client.keys('*')).toEqual([BUDGET_KEY]);
    // Half a minute after its last permit is due.
    expect(await redis.client.pttl(BUDGET_KEY)).toBeGreaterThan(30_000);
    expect(await redis.client.pttl(BUDGET_KEY)).toBeLessThanOrEqual(40_000);
  });

  describe('in which something stands that is none of ours', () => {
    test.each([
      ['no number', 'never'],
      ['not a number', 'nan'],
      ['infinite', 'inf'],
      ['negative', '-9e15'],
      ['an hour ahead', (now: number) => String(now + HOUR_US)],
      ['in milliseconds of a far future', '9e15'],
      ['beyond all numbers that Redis takes', '1e300'],
    ])('a due time that is %s is ignored', async (_, due) => {
      const a = await connect('a', 100);
      await redis.client.hset(BUDGET_KEY, 'due', typeof due === 'string' ? due : due(await nowUs()));
      // As a worker does first, and one that is idle.
      expect(await a.book(0)).toMatchObject({ workers: 1, waitMs: 0 });
      expect(await redis.client.pttl(BUDGET_KEY)).toBeLessThanOrEqual(40_000);
      expect(await a.book(1)).toMatchObject({ waitMs: 0 });
      const { waitMs } = await a.book(1);
      expect(waitMs).toBeLessThanOrEqual(10);
      expect(Math.abs((await dueUs()) - (await nowUs()))).toBeLessThan(HOUR_US / 10);
    });

    test.each([
      ['no record', 'x'],
      ['without a rate', '1764363600000000 0 0'],
      ['of long ago', '1764363600000000 1764363600000000 5'],
      ['of the future', '9000000000000000 9000000000000000 0.01'],
      ['slower than any can be set', (now: number) => `${now} ${now} 1e-300`],
      ['infinitely slow', (now: number) => `${now} ${now} 0`],
    ])('a worker that is %s is ignored, and removed', async (_, record) => {
      const a = await connect('a', 100);
      await redis.client.hset(BUDGET_KEY, 'b', typeof record === 'string' ? record : record(await nowUs()));
      expect(await a.book(1)).toMatchObject({ workers: 1, rate: 100, waitMs: 0 });
      expect(await redis.client.hexists(BUDGET_KEY, 'b')).toBe(0);
    });

    test('a key of another type, or with more fields than a fleet has, is made anew', async () => {
      const a = await connect('a', 100);
      await redis.client.set(BUDGET_KEY, 'x');
      expect(await a.book(1)).toMatchObject({ workers: 1, waitMs: 0 });
      const now = await nowUs();
      const many = Array.from({ length: 1_500 }, (_, i) => [`x${i}`, `${now} ${now} 1`]);
      await redis.client.hset(BUDGET_KEY, ...many.flat());
      expect(await a.book(1)).toMatchObject({ workers: 1, rate: 100 });
      expect(await redis.client.hlen(BUDGET_KEY)).toBe(2);
    });
  });
});

describe('an answer', () => {
  const right = [2, 10_000, 3, 2, '100', '50'];

  test('is read as what it says', () => {
    expect(readBooking(right, 2)).toEqual({
      permits: 2,
      waitMs: 10,
      workers: 3,
      wanting: 2,
      ceiling: 100,
      rate: 50,
    });
  });

  test.each([
    ['nothing', null],
    ['a text', 'OK'],
    ['too little', [2, 10_000]],
    ['other permits than were asked for', right.with(0, 3)],
    ['a wait of a day', right.with(1, 24 * HOUR_US)],
    ['a wait that is no number', right.with(1, Number.NaN)],
    ['a wait as text', right.with(1, '10')],
    ['no worker', right.with(2, 0)],
    ['more that want permits than there are', right.with(3, 4)],
    ['no ceiling', right.with(4, '0')],
    ['a ceiling that is no number', right.with(4, 'x')],
    ['an infinite ceiling', right.with(4, 'inf')],
    ['no rate', right.with(5, '0')],
    ['a rate below any that can be set', right.with(5, '1e-300')],
    ['a rate that is no number', right.with(5, 'x')],
    ['a rate above the ceiling', right.with(5, '101')],
  ])('of %s is refused', (_, answer) => {
    expect(() => readBooking(answer, 2)).toThrow('is not a booking');
  });
});
