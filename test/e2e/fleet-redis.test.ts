/** One rate for all worker processes on a Redis, found by one of them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Child } from '../../testing/processes/child.ts';
import { type LogLine, parseLine, startOta } from '../../testing/processes/ota.ts';
import { redisInstalled, startRedis } from '../../testing/redis/server.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

/** Calls per second that the API takes: fewer than any machine makes. */
const LIMIT = 20;

/** Resolves with the first line of one of these events, of those printed already and of those to come. */
const line = (worker: Child, ...events: readonly string[]): Promise<LogLine> =>
  worker.find((text) => {
    const parsed = parseLine(text);
    return events.includes(String(parsed?.event)) ? parsed : undefined;
  });

interface ShownRate {
  readonly perSecond: number;
  readonly fleet?: string;
}

/** The rate of a worker, as `/readyz` shows it. */
async function shown(worker: Child): Promise<ShownRate> {
  const { address } = await line(worker, 'http.listening');
  const answer = await (await fetch(`${String(address)}/readyz`)).json();
  return (answer as { readonly rate: ShownRate }).rate;
}

/** Waits for so many calls; says which part of them was throttled. */
async function throttledOfNext({ api }: Stage, calls: number): Promise<number> {
  const before = api.stats();
  await api.waitFor(() => api.stats().calls >= before.calls + calls);
  const after = api.stats();
  return (after.throttled - before.throttled) / (after.calls - before.calls);
}

describe.skipIf(!redisInstalled())('workers on one Redis', () => {
  test('go by one rate; when the one that finds it is killed, another one goes on, and a new one begins at it', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    const stage = await setStage({
      api: { limit: { ratePerSecond: LIMIT, burst: 20 }, latency: { minMs: 20, maxMs: 40 } },
    });
    onTestFinished(() => stage.strike());
    await stage.sendUpdates(1_500);
    const env = stage.environment({ RATE_LIMIT: '200', REDIS_URL: redis.url });
    const start = (): Child => {
      const worker = startOta(['worker'], { env, keepOutput: true });
      onTestFinished(() => worker.end());
      return worker;
    };
    const first = start();
    expect(await line(first, 'rate_fleet.leading', 'rate_fleet.following')).toMatchObject({
      event: 'rate_fleet.leading',
    });
    const second = start();
    await line(second, 'rate_fleet.following');
    expect([(await shown(first)).fleet, (await shown(second)).fleet]).toEqual(['leading', 'following']);
    const rateOfSecond = async (): Promise<number> => (await shown(second)).perSecond;
    await expect.poll(rateOfSecond).toBeLessThan(2 * LIMIT);

    await first.end();
    await line(second, 'rate_fleet.leading');
    expect((await shown(second)).fleet).toBe('leading');
    const third = start();
    const { rate } = await line(third, 'rate_fleet.following');
    expect(rate).toBeLessThan(2 * LIMIT);
    await line(third, 'worker.running');
    // At RATE_LIMIT nine of ten would be.
    expect(await throttledOfNext(stage, 2 * LIMIT)).toBeLessThan(0.6);
    expect((await shown(third)).fleet).toBe('following');
  });
});
