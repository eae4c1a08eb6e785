import { describe, expect, test } from 'vitest';
import { configureLimits } from '../../../src/limits/commands/command.ts';
import { redisInstalled, startRedis } from '../../../testing/redis/server.ts';
import { fakeContext, runConfigured } from '../../../testing/stages/context.ts';

const run = (url: string | undefined, ...args: readonly string[]) =>
  runConfigured(
    configureLimits,
    'limits',
    args,
    fakeContext({
      env: url === undefined ? {} : { REDIS_URL: url },
      clock: { wall: () => Date.UTC(2026, 10, 29, 7), monotonic: () => 0 },
    }),
  );

test('needs REDIS_URL, a limit and a reason', async () => {
  expect(await run(undefined, 'show')).toMatchObject({
    exitCode: 2,
    error: expect.stringContaining('REDIS_URL'),
  });
  expect(await run('redis://127.0.0.1:1', 'set', '--reason', 'x')).toMatchObject({
    exitCode: 2,
    error: 'Give --rate, --concurrency or both.',
  });
  await expect(run('redis://127.0.0.1:1', 'set', '--rate', '20')).rejects.toThrow('--reason');
  await expect(run('redis://127.0.0.1:1', 'clear', '--reason', ' ')).rejects.toThrow(
    'a visible text of 1 to 500',
  );
  await expect(run('redis://127.0.0.1:1', 'set', '--rate', 'unlimited', '--reason', 'x')).rejects.toThrow(
    'from 0.01 to 100000',
  );
});

test('a Redis that cannot be reached is one sentence', async () => {
  const { exitCode, error } = await run('redis://127.0.0.1:1', 'show');
  expect(exitCode).toBe(1);
  expect(error).toContain('REDIS_URL: the limits cannot be read or written');
});

describe.skipIf(!redisInstalled())('on Redis', () => {
  test('sets, shows and clears one limit or both, with who and why', async ({ onTestFinished }) => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    expect((await run(redis.url, 'show')).stdout).toContain('RATE_LIMIT       not set');
    const set = await run(redis.url, 'set', '--rate', '20', '--reason', 'the API is slow');
    expect(set.stdout.replace(/\s+/g, ' ')).toContain(
      'RATE_LIMIT 20 calls per second, for all workers together; by tester@bench, 2026-11-29 07:00:00 UTC: the API is slow',
    );
    await run(redis.url, 'set', '--concurrency', '3', '--reason', 'also');
    await run(redis.url, 'clear', '--rate', '--reason', 'over');
    const { stdout } = await run(redis.url, 'show', '--json');
    const at = '2026-11-29T07:00:00.000Z';
    expect(JSON.parse(stdout)).toEqual({
      rate: { value: null, by: 'tester@bench', reason: 'over', at },
      concurrency: { value: 3, by: 'tester@bench', reason: 'also', at },
    });
    const cleared = await run(redis.url, 'clear', '--reason', 'all', '--json');
    expect(JSON.parse(cleared.stdout)).toMatchObject({ rate: { value: null }, concurrency: { value: null } });
  });
});
