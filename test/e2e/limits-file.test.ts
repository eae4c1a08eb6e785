/** LIMITS_FILE changed while a worker process runs. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseLine, startOta } from '../../testing/processes/ota.ts';
import { setStage } from '../../testing/stages/stage.ts';

test('a lower MAX_CONCURRENCY and RATE_LIMIT hold while the worker runs, and are lifted with the file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'limits-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'limits');
  const stage = await setStage({ api: { latency: { minMs: 40, maxMs: 60 } } });
  onTestFinished(() => stage.strike());
  const write = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  await write('MAX_CONCURRENCY=8\n');
  await stage.sendUpdates(4_000);
  const env = stage.environment({
    RATE_LIMIT: '1000',
    MAX_CONCURRENCY: '20',
    LIMITS_FILE: path,
    CALL_TIMEOUT_MS: '20000',
  });
  const worker = startOta(['worker'], { env });
  onTestFinished(() => worker.end());
  const event = (name: string, of?: string) =>
    worker.find((line) => {
      const parsed = parseLine(line);
      return parsed?.event === name && (of === undefined || parsed.of === of) ? parsed : undefined;
    });
  const [{ address }] = await Promise.all([event('http.listening'), event('worker.running')]);
  await stage.api.waitFor(() => stage.api.stats().applied >= 100);
  // What the file said before the start was never exceeded.
  expect(stage.api.stats().maxInFlight).toBe(8);

  const lowered = Promise.all([
    event('limit.changed', 'MAX_CONCURRENCY'),
    event('limit.changed', 'RATE_LIMIT'),
  ]);
  await write('MAX_CONCURRENCY=3\nRATE_LIMIT=200\nCHANGED_BY=ann\nREASON=slow\n');
  const [concurrency, rate] = await lowered;
  expect(concurrency).toMatchObject({
    from: 8,
    to: 3,
    source: 'file',
    holds: 'file',
    by: 'ann',
    reason: 'slow',
  });
  expect(rate).toMatchObject({ from: 1_000, to: 200, by: 'ann', reason: 'slow' });
  const get = async (route: string): Promise<string> => (await fetch(`${String(address)}${route}`)).text();
  // Those in flight end; from then on there are never more than three. Some may still be on their way to the API.
  const inFlight = async (): Promise<number> => {
    const { calls } = JSON.parse(await get('/status')) as { readonly calls: { readonly inFlight: number } };
    return calls.inFlight;
  };
  await expect.poll(inFlight).toBeLessThanOrEqual(3);
  const { applied } = stage.api.stats();
  let most = 0;
  await stage.api.waitFor(() => {
    most = Math.max(most, stage.api.stats().inFlight);
    return stage.api.stats().applied >= applied + 100;
  });
  expect(most).toBe(3);
  expect(JSON.parse(await get('/readyz'))).toMatchObject({
    limits: {
      rate: { value: 200, source: 'file', by: 'ann', reason: 'slow' },
      concurrency: { value: 3, source: 'file' },
    },
  });
  const metrics = await get('/metrics');
  expect(metrics).toMatch(/^ota_updater_concurrency_configured 3$/m);
  expect(metrics).toMatch(/^ota_updater_limit_source\{limit="rate",source="file"\} 1$/m);

  const unread = event('limits.unread');
  await write('MAX_CONCURRENCY=many\n');
  expect(await unread).toMatchObject({ of: 'file' });
  expect(await get('/metrics')).toMatch(/^ota_updater_concurrency_configured 3$/m);

  const lifted = event('limit.changed', 'MAX_CONCURRENCY');
  await rm(path);
  expect(await lifted).toMatchObject({ from: 3, to: 20, set: 'none', holds: 'environment' });
});
