/** Limits set through Redis while worker processes run. */
import { describe, expect, test } from 'vitest';
import { parseLine, startOta } from '../../testing/processes/ota.ts';
import { redisInstalled, startRedis } from '../../testing/redis/server.ts';
import { setStage } from '../../testing/stages/stage.ts';

describe.skipIf(!redisInstalled())('limits set', () => {
  test('hold for every worker while it runs, and are lifted', async ({ onTestFinished }) => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    const stage = await setStage({ api: { latency: { minMs: 40, maxMs: 60 } } });
    onTestFinished(() => stage.strike());
    await stage.sendUpdates(2_000);
    const env = stage.environment({
      RATE_LIMIT: '100',
      MAX_CONCURRENCY: '10',
      REDIS_URL: redis.url,
      CALL_TIMEOUT_MS: '20000',
    });
    const workers = [startOta(['worker'], { env }), startOta(['worker'], { env })];
    for (const worker of workers) onTestFinished(() => worker.end());
    const all = (name: string, of?: string) =>
      Promise.all(
        workers.map((worker) =>
          worker.find((line) => {
            const parsed = parseLine(line);
            return parsed?.event === name && (of === undefined || parsed.of === of) ? parsed : undefined;
          }),
        ),
      );
    const listening = all('http.listening');
    await all('worker.running');
    const limits = async (...args: readonly string[]): Promise<void> => {
      const command = startOta(['limits', ...args], { env, keepOutput: true });
      const { code } = await command.exited;
      expect(command.output.stderr).toBe('');
      expect(code).toBe(0);
    };
    const lowered = Promise.all([
      all('limit.changed', 'RATE_LIMIT'),
      all('limit.changed', 'MAX_CONCURRENCY'),
    ]);
    await limits('set', '--rate', '20', '--concurrency', '2', '--reason', 'the API is slow');
    const [rates, concurrencies] = await lowered;
    const why = {
      by: expect.stringMatching(/.@./),
      reason: 'the API is slow',
      source: 'redis',
      holds: 'redis',
    };
    for (const line of rates) expect(line).toMatchObject({ from: 100, to: 20, ...why });
    for (const line of concurrencies) expect(line).toMatchObject({ from: 10, to: 2, ...why });
    for (const { address } of await listening) {
      const answer = await fetch(`${String(address)}/readyz`);
      expect(await answer.json()).toMatchObject({
        rate: { ceiling: 20 },
        limits: { rate: { value: 20, source: 'redis' }, concurrency: { value: 2, source: 'redis' } },
      });
    }
    // Two workers with two calls each, once those before have ended.
    for (const { address } of await listening) {
      const inFlight = async (): Promise<number> => {
        const status = await (await fetch(`${String(address)}/status`)).json();
        return (status as { readonly calls: { readonly inFlight: number } }).calls.inFlight;
      };
      await expect.poll(inFlight).toBeLessThanOrEqual(2);
    }
    const { applied } = stage.api.stats();
    let most = 0;
    await stage.api.waitFor(() => {
      most = Math.max(most, stage.api.stats().inFlight);
      return stage.api.stats().applied >= applied + 30;
    });
    expect(most).toBeLessThanOrEqual(4);
    const lifted = all('limit.changed', 'RATE_LIMIT');
    await limits('clear', '--reason', 'over');
    for (const line of await lifted)
      expect(line).toMatchObject({ from: 20, to: 100, set: 'none', reason: 'over', holds: 'environment' });
  });
});
