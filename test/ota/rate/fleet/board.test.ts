import { beforeEach, describe, expect, test } from 'vitest';
import { BUDGET_KEY, FLEET_RATE_KEY } from '../../../../src/ota/rate/budget.ts';
import { Board, FLEET_CALLS_KEY, LEASE_MS, readAnswer } from '../../../../src/ota/rate/fleet/board.ts';
import { emptyRedis } from '../../../../testing/redis/empty.ts';
import { redisInstalled } from '../../../../testing/redis/server.ts';

const HOUR = 3_600_000;
const quiet = { calls: '' };
const found = { rate: 123.456, foundMs: 5_000, provedMs: 20 };

describe.skipIf(!redisInstalled())('the board', () => {
  const redis = emptyRedis();
  let a: Board;
  let b: Board;
  beforeEach(async () => {
    a = new Board(redis.client, 'a');
    b = new Board(redis.client, 'b');
  });

  const now = async (): Promise<number> => {
    const [seconds, micros] = await redis.client.time();
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  };

  test('whoever comes first leads, and goes on leading', async () => {
    expect(await a.exchange(quiet)).toEqual({ leads: true, before: 'none', found: undefined, reports: [] });
    expect(await b.exchange(quiet)).toEqual({ leads: false, before: 'other', found: undefined, reports: [] });
    expect(await a.exchange(quiet)).toMatchObject({ leads: true, before: 'self' });
  });

  test('the one that leads gets what the others report, once', async () => {
    await a.exchange({ calls: '[1,1,1,1]' });
    await b.exchange({ calls: '[2,2,2,2]' });
    await b.exchange(quiet);
    await b.exchange({ calls: '[3,3,3,3]' });
    const { reports } = await a.exchange({ calls: '[4,4,4,4]' });
    expect(reports.map(({ calls }) => calls)).toEqual(['[2,2,2,2]', '[3,3,3,3]']);
    for (const { agoMs } of reports) expect(agoMs).toBeLessThan(HOUR);
    expect(await a.exchange(quiet)).toMatchObject({ reports: [] });
  });

  test('what it has found is known to all, with its age', async () => {
    await a.exchange(quiet);
    await a.exchange({ ...quiet, leads: { found } });
    const heard = (await b.exchange(quiet)).found;
    expect(heard?.rate).toBe(123.456);
    expect(heard?.foundMs).toBeGreaterThanOrEqual(4_999);
    expect(heard?.provedMs).toBeGreaterThanOrEqual(19);
    // Of the same moment.
    expect((heard?.foundMs ?? 0) - (heard?.provedMs ?? 0)).toBeCloseTo(found.foundMs - found.provedMs, -1);
    expect(heard).not.toHaveProperty('limit');
    await a.exchange({ ...quiet, leads: { found: { ...found, limit: '{}' } } });
    expect((await b.exchange(quiet)).found?.limit).toBe('{}');
    await a.exchange({ ...quiet, leads: { found: undefined } });
    expect(await b.exchange(quiet)).toMatchObject({ found: undefined });
    expect(await redis.client.hexists(FLEET_RATE_KEY, 'limit')).toBe(0);
  });

  test('where the rate rises, what was booked ahead is due sooner; where it falls, when it was', async () => {
    await a.exchange(quiet);
    const ahead = async (): Promise<number> =>
      Number(await redis.client.hget(BUDGET_KEY, 'due')) / 1_000 - (await now());
    const find = (rate: number) => a.exchange({ ...quiet, leads: { found: { ...found, rate } } });
    await find(10);
    await redis.client.hset(BUDGET_KEY, 'due', String(((await now()) + HOUR) * 1_000));
    await find(5);
    expect(await ahead()).toBeGreaterThan(0.9 * HOUR);
    await find(50);
    expect(await ahead()).toBeGreaterThan(0.09 * HOUR);
    expect(await ahead()).toBeLessThanOrEqual(0.1 * HOUR);
    // What is due already stays so.
    await redis.client.hset(BUDGET_KEY, 'due', '5000');
    await find(500);
    expect(await redis.client.hget(BUDGET_KEY, 'due')).toBe('5000');
  });

  test('of one that leads no more, nothing is taken', async () => {
    await a.exchange(quiet);
    await b.exchange({ ...quiet, leads: { found } });
    expect(await a.exchange(quiet)).toMatchObject({ leads: true, found: undefined });
  });

  test.each([
    ['over', -1],
    ['farther ahead than any', HOUR],
  ])('another one leads where the lease is %s, and goes on from what was found', async (_, aheadMs) => {
    await a.exchange(quiet);
    await a.exchange({ ...quiet, leads: { found } });
    await redis.client.hset(FLEET_RATE_KEY, 'until', String((await now()) + aheadMs));
    // What it says itself is not what was found before it.
    const taken = await b.exchange({ ...quiet, leads: { found: { ...found, rate: 1 } } });
    expect(taken).toMatchObject({ leads: true, before: 'other', found: { rate: 123.456 } });
    expect(await a.exchange(quiet)).toMatchObject({ leads: false });
    expect(LEASE_MS).toBeLessThan(HOUR);
  });

  test('one that led goes on where Redis has forgotten everything', async () => {
    await a.exchange(quiet);
    await redis.client.flushall();
    expect(await a.exchange({ ...quiet, leads: { found } })).toMatchObject({
      leads: true,
      before: 'none',
      found: { rate: 123.456 },
    });
  });

  test('one that comes anew leaves what was found', async () => {
    await a.exchange(quiet);
    await a.exchange({ ...quiet, leads: { found } });
    await redis.client.hdel(FLEET_RATE_KEY, 'leader');
    expect(await b.exchange(quiet)).toMatchObject({ leads: true, before: 'none', found: { rate: 123.456 } });
  });

  test('what was found lasts for a day, and reports for seconds', async () => {
    await a.exchange(quiet);
    await b.exchange({ calls: '[1,1,1,1]' });
    expect(await redis.client.pttl(FLEET_RATE_KEY)).toBeGreaterThan(23 * HOUR);
    expect(await redis.client.pttl(FLEET_RATE_KEY)).toBeLessThanOrEqual(24 * HOUR);
    expect(await redis.client.pttl(FLEET_CALLS_KEY)).toBeLessThanOrEqual(10_000);
  });

  test('no more reports are kept than can be read', async () => {
    await a.exchange(quiet);
    await redis.client.rpush(FLEET_CALLS_KEY, ...Array.from({ length: 3_000 }, () => 'x'));
    await b.exchange({ calls: '[1,1,1,1]' });
    expect(await redis.client.llen(FLEET_CALLS_KEY)).toBe(1_000);
    expect((await a.exchange(quiet)).reports.map(({ calls }) => calls)).toEqual(['[1,1,1,1]']);
  });

  describe('where something stands that is none of ours', () => {
    test('keys of another type are made anew', async () => {
      await redis.client.set(FLEET_RATE_KEY, 'x');
      await redis.client.set(FLEET_CALLS_KEY, 'x');
      expect(await a.exchange(quiet)).toMatchObject({ leads: true, before: 'none', reports: [] });
      await redis.client.set(FLEET_CALLS_KEY, 'x');
      await b.exchange({ calls: '[1,1,1,1]' });
      expect((await a.exchange(quiet)).reports).toHaveLength(1);
      await redis.client.set(BUDGET_KEY, 'x');
      for (const rate of [1, 2])
        expect(await a.exchange({ ...quiet, leads: { found: { ...found, rate } } })).toMatchObject({
          leads: true,
        });
    });

    test.each(['x', '', 'nan', 'inf', '-1'])('a lease until %j is none', async (until) => {
      await redis.client.hset(FLEET_RATE_KEY, 'leader', 'b', 'until', until);
      expect(await a.exchange(quiet)).toMatchObject({ leads: true, before: 'other' });
    });

    test.each(['x', '', 'nan', 'inf', '-inf', '0', '-5', '1e-9', '1e999'])(
      'a rate of %j is none',
      async (rate) => {
        await redis.client.hset(FLEET_RATE_KEY, 'rate', rate, 'found', '1', 'proved', '1');
        expect(await a.exchange(quiet)).toMatchObject({ found: undefined });
      },
    );

    test.each(['x', '', 'nan', '1e300'])('a rate found at %j was found long ago', async (at) => {
      await redis.client.hset(FLEET_RATE_KEY, 'rate', '50', 'found', at, 'proved', at);
      const answer = await a.exchange(quiet);
      expect(answer.found).toEqual({ rate: 50, foundMs: 24 * HOUR, provedMs: 24 * HOUR });
    });

    test.each([
      'x',
      '[1,1,1,1]',
      '1 ',
      '99999999999999 [1,1,1,1]',
      `${'9'.repeat(99)} x`,
      `5 ${'1'.repeat(99_999)}`,
    ])('a report as %.30s is left out', async (report) => {
      await a.exchange(quiet);
      await redis.client.rpush(FLEET_CALLS_KEY, report);
      expect(await a.exchange(quiet)).toMatchObject({ reports: [] });
    });
  });
});

describe('an answer', () => {
  const right: readonly unknown[] = [1, 'self', '50', '1000', '4000', ['4500 [1,1,1,1]'], '5000'];

  test('is read as what it says', () => {
    expect(readAnswer(right)).toEqual({
      leads: true,
      before: 'self',
      found: { rate: 50, foundMs: 4_000, provedMs: 1_000 },
      reports: [{ agoMs: 500, calls: '[1,1,1,1]' }],
    });
    expect(readAnswer([...right, '{}']).found?.limit).toBe('{}');
  });

  test.each([
    ['nothing', null],
    ['a text', 'OK'],
    ['too little', [1, 'self']],
    ['who leads as text', right.with(0, '1')],
    ['one before that nobody is', right.with(1, 'x')],
    ['no reports', right.with(5, null)],
    [
      'too many reports',
      right.with(
        5,
        Array.from({ length: 2_000 }, () => ''),
      ),
    ],
    ['no time', right.with(6, 'x')],
    ['an endless time', right.with(6, 'inf')],
  ])('of %s is refused', (_, answer) => {
    expect(() => readAnswer(answer)).toThrow('is not that of a fleet');
  });
});
