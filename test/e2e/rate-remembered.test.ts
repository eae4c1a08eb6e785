/**
 * A worker that is ended, or killed, and started again: it begins near the rate that the first one found. How few of
 * its calls are throttled then is shown in virtual time (test/ota/rate/restarts.test.ts).
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { spawnWorker } from '../../testing/processes/process.ts';
import { type RunningWorker, runWorker } from '../../testing/processes/worker.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

/** Calls per second that the API takes: fewer than any machine makes. */
const LIMIT = 5;
/** What a start without a memory begins with. */
const RATE_LIMIT = '400';
/** Calls per second: a worker at less has found that there is a limit. */
const LOW = 80;

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

const environment = (): Record<string, string> => stage.environment({ STATE_DIR: folder, RATE_LIMIT });

/** The rate that is kept now, in calls per second; undefined: none. */
async function kept(): Promise<number | undefined> {
  const [name] = (await readdir(folder)).filter((each) => each.endsWith('.json'));
  if (name === undefined) return undefined;
  return (JSON.parse(await readFile(join(folder, name), 'utf8')) as { perSecond: number }).perSecond;
}

/** The rate at which a worker is now, in calls per second. */
async function rateOf(worker: RunningWorker): Promise<number> {
  await worker.waitForEvent('http.listening');
  const answer = await fetch(`${worker.url}/readyz`);
  return ((await answer.json()) as { readonly rate: { readonly perSecond: number } }).rate.perSecond;
}

/** Lets a worker find that there is a limit. */
async function findRate(worker: RunningWorker): Promise<void> {
  expect(await rateOf(worker)).toBe(Number(RATE_LIMIT));
  await stage.sendUpdates(1_000);
  await expect.poll(() => rateOf(worker)).toBeLessThan(LOW);
}

describe('started again, a worker begins near the rate that it found', () => {
  test('after SIGTERM', async () => {
    const first = runWorker(environment());
    await findRate(first);
    first.kill('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const found = await kept();
    const second = runWorker(environment());
    expect(await second.waitForEvent('rate.remembered')).toMatchObject({
      level: 'info',
      remembered: found,
      age: expect.stringMatching(/^\d+s$/),
    });
    expect(await rateOf(second)).toBeLessThan(LOW);
  });

  test('after SIGKILL', async () => {
    const first = spawnWorker(environment());
    await findRate(first);
    await expect.poll(kept).toBeLessThan(LOW);
    first.kill('SIGKILL');
    await first.exited;
    const second = runWorker(environment());
    await second.waitForEvent('rate.remembered');
    expect(await rateOf(second)).toBeLessThan(LOW);
  });
});

test('a worker whose STATE_DIR is no folder says so, works, and ends as ever', async () => {
  await writeFile(join(folder, 'file'), '');
  const worker = runWorker(stage.environment({ STATE_DIR: join(folder, 'file'), RATE_LIMIT }));
  await findRate(worker);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const lines = worker.lines().filter(({ event }) => String(event).startsWith('rate.not'));
  expect(lines).toMatchObject([
    { event: 'rate.not_remembered', level: 'warn', error: { message: expect.stringContaining('ENOTDIR') } },
    { event: 'rate.not_kept', level: 'info', error: { code: 'ENOTDIR' } },
  ]);
});
