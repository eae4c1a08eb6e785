/** A worker process that is ended, or killed, and started again: it begins near the rate that the first one found. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { spawnWorker, type WorkerProcess } from '../../testing/processes/process.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

const LIMIT = 50;
/** Twenty times the limit: what a start without a memory begins with. */
const RATE_LIMIT = '1000';

let folder: string;
let stage: Stage;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rate-'));
  stage = await setStage({
    api: { limit: { ratePerSecond: LIMIT, burst: 5 }, latency: { minMs: 5, maxMs: 20 } },
  });
  return async () => {
    await stage.strike();
    await rm(folder, { recursive: true });
  };
});

const startWorker = (): WorkerProcess => spawnWorker(stage.environment({ STATE_DIR: folder, RATE_LIMIT }));

/** The rate that is kept now, in calls per second; undefined: none. */
async function kept(): Promise<number | undefined> {
  const [name] = (await readdir(folder)).filter((each) => each.endsWith('.json'));
  if (name === undefined) return undefined;
  return (JSON.parse(await readFile(join(folder, name), 'utf8')) as { perSecond: number }).perSecond;
}

/** Lets a worker find the limit. */
async function findRate(): Promise<WorkerProcess> {
  await stage.sendUpdates(1_500);
  const worker = startWorker();
  await stage.api.waitFor(() => stage.api.stats().applied >= 4 * LIMIT);
  return worker;
}

/** Of the first calls of a worker, so many were throttled. */
async function throttledOfFirst(calls: number): Promise<number> {
  const before = stage.api.stats();
  const throttledBefore = before.throttled;
  await stage.api.waitFor(() => stage.api.stats().calls >= before.calls + calls);
  return stage.api.stats().throttled - throttledBefore;
}

describe('started again, the first calls are hardly throttled', () => {
  test('after SIGTERM', { timeout: 60_000 }, async () => {
    const first = await findRate();
    first.kill('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const found = await kept();
    expect(found).toBeLessThan(2 * LIMIT);
    const second = startWorker();
    const throttled = throttledOfFirst(LIMIT);
    expect(await second.waitForEvent('rate.remembered')).toMatchObject({
      level: 'info',
      remembered: found,
      age: expect.stringMatching(/^\d+s$/),
    });
    expect(await throttled).toBeLessThanOrEqual(LIMIT / 10);
  });

  test('after SIGKILL', { timeout: 60_000 }, async () => {
    const first = await findRate();
    await expect.poll(kept, { timeout: 30_000 }).toBeLessThan(2 * LIMIT);
    first.kill('SIGKILL');
    await first.exited;
    startWorker();
    expect(await throttledOfFirst(LIMIT)).toBeLessThanOrEqual(LIMIT / 10);
  });
});

test('a worker whose STATE_DIR is no folder says so, works, and ends as ever', {
  timeout: 60_000,
}, async () => {
  await writeFile(join(folder, 'file'), '');
  await stage.sendUpdates(1_500);
  const worker = spawnWorker(stage.environment({ STATE_DIR: join(folder, 'file'), RATE_LIMIT }));
  await stage.api.waitFor(() => stage.api.stats().applied >= 4 * LIMIT);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const lines = worker.lines().filter(({ event }) => String(event).startsWith('rate.not'));
  expect(lines).toMatchObject([
    { event: 'rate.not_remembered', level: 'warn', error: { message: expect.stringContaining('ENOTDIR') } },
    { event: 'rate.not_kept', level: 'info', error: { code: 'ENOTDIR' } },
  ]);
});
