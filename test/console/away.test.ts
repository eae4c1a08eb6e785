/** What the pages say while a source of theirs is away, and since when; the rest goes on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeJobs } from '../../src/console/commands/jobs.ts';
import { LedgerDoor } from '../../src/console/jobs/ledger-door.ts';
import { nowSection } from '../../src/console/now/section.ts';
import { Watch } from '../../src/console/now/watch.ts';
import type { Ledger } from '../../src/jobs/ledger/ledger.ts';
import { LedgerError } from '../../src/jobs/ledger/shared/error.ts';
import type { StatusFacts } from '../../src/status/status.ts';
import { workerStatusOf } from '../../src/status/worker-status.ts';
import { sleep } from '../../src/time/clock.ts';
import { setDoor } from '../../testing/console/door.ts';
import { observeSection } from '../../testing/console/observe.ts';
import { withOtherPages } from '../../testing/console/other-pages.ts';
import { ask, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';
import { fakeContext } from '../../testing/stages/context.ts';
import { well } from '../../testing/stages/snapshot.ts';

const at = Date.UTC(2026, 10, 29, 3);

test('Now says since when no worker answers and a queue cannot be read, and nothing of it once they are back', async () => {
  let now = at;
  let facts: Pick<StatusFacts, 'workers' | 'queues'> = {
    workers: [{ where: 'w1', ok: false, why: 'no answer within 3 s' }],
    queues: { source: { ok: false, why: 'access is denied' } },
  };
  const steps: (() => void)[] = [];
  const watch = new Watch({
    askWorkers: async () => facts.workers,
    readQueues: async () => facts.queues,
    clock: { wall: () => now, monotonic: () => now },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (ms === 5_000) steps.push(resolve);
        signal.addEventListener('abort', () => resolve());
      }),
  });
  onTestFinished(() => watch.stop());
  void watch.run();
  const sections = withOtherPages([nowSection(watch), observeSection(watch)]);
  const url = await serveConsole({ sections });
  const cookie = await signIn(url, tokens.vic);
  const page = async (): Promise<string> => (await ask(url, { headers: { cookie } })).body;
  /** Lets the next look happen, a minute later. */
  const look = async (): Promise<void> => {
    now += 60_000;
    const next = watch.next();
    steps.shift()?.();
    await next;
  };
  await watch.seen();
  await look();
  const away = await page();
  expect(away).toContain('No worker answers since 2026-11-29 03:00:00 UTC (1m)');
  expect(away).toContain('The update queue cannot be read since 2026-11-29 03:00:00 UTC (1m)');
  expect(away).toContain('not known');
  expect((await ask(`${url}/task`, { headers: { cookie } })).status).toBe(200);
  const depth = { visible: 3, inFlight: 0, delayed: 0, readAt: new Date(now).toISOString() };
  facts = {
    workers: [{ where: 'w1', ok: true, status: workerStatusOf({ ...well, at: now }, 'w1') }],
    queues: { source: { ok: true, depth } },
  };
  await look();
  const back = await page();
  expect(back).not.toContain('class="away"');
  expect(back).toContain('<dt>backlog</dt><dd>3</dd>');
});

test('workers are seen while queues and ledger take their time, whose answers are seen when they are there', async () => {
  const queues = Promise.withResolvers<StatusFacts['queues']>();
  const away = Promise.withResolvers<{ readonly since: number; readonly why: string }>();
  const sleeping: { readonly ms: number; readonly end: () => void }[] = [];
  const watch = new Watch({
    askWorkers: async () => [{ where: 'w1', ok: true, status: workerStatusOf({ ...well, at }, 'w1') }],
    readQueues: () => queues.promise,
    askLedger: () => away.promise,
    clock: { wall: () => at, monotonic: () => 0 },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        sleeping.push({ ms, end: resolve });
        signal.addEventListener('abort', () => resolve());
      }),
  });
  onTestFinished(() => watch.stop());
  void watch.run();
  const pass = async (ms: number): Promise<void> => {
    await expect.poll(() => sleeping.at(-1)?.ms).toBe(ms);
    sleeping.at(-1)?.end();
  };
  await pass(2_000);
  const first = await watch.seen();
  expect(first?.status.workers).toHaveLength(1);
  expect(first?.ledger).toBeUndefined();
  const next = watch.next();
  queues.resolve({ source: { ok: false, why: 'no answer' } });
  away.resolve({ since: at, why: 'no connection' });
  await pass(5_000);
  const second = await next;
  expect(second?.ledger).toMatchObject({ why: 'no connection' });
  expect(second?.queuesAwaySince).toEqual({ source: at });
});

test('the pages of jobs say that the ledger is away, and the other pages go on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ota-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ledger.sqlite'), 'no ledger, for it is a text'.repeat(100));
  const { section, close } = makeJobs({
    context: fakeContext({ env: { STATE_DIR: folder }, cwd: folder, sleep }),
    stateDir: folder,
    send: false,
    say: () => {},
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(close);
  const url = await serveConsole({ sections: withOtherPages([section]) });
  const cookie = await signIn(url, tokens.ann);
  const get = (path: string) => ask(`${url}${path}`, { headers: { cookie } });
  for (const path of ['/jobs', '/jobs/of/j', '/jobs/of/j/rows']) {
    const { status, body } = await get(path);
    expect([path, status]).toEqual([path, 503]);
    expect(body).toMatch(/The ledger cannot be read since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC: /);
  }
  expect((await get('/jobs/new')).status).toBe(200);
  expect((await get('/task')).status).toBe(200);
});

test('since when the ledger is away is told of the first time, and forgotten when it answers', async () => {
  let now = at;
  let away = true;
  const ledger = { close: async () => {}, audit: async () => [] } as unknown as Ledger;
  const steps: (() => void)[] = [];
  const door = new LedgerDoor({
    open: async () => {
      if (away) throw new LedgerError('no connection');
      return ledger;
    },
    clock: { wall: () => now, monotonic: () => 0 },
    sleep: async () => await new Promise((resolve) => steps.push(resolve)),
  });
  const used = () => door.use(async () => 'used');
  await expect(used()).rejects.toThrow('since 2026-11-29 03:00:00 UTC: no connection');
  now += 90_000;
  await expect(used()).rejects.toThrow('since 2026-11-29 03:00:00 UTC');
  away = false;
  for (const step of steps) step();
  await expect.poll(used).toBe('used');
  away = true;
  await door.close();
  const gone = () => door.use(() => Promise.reject(new LedgerError('no connection')));
  await expect(gone()).rejects.toThrow('since 2026-11-29 03:01:30 UTC');
});

test('who reads from a ledger that hangs is told so after a while, and so is everybody else', async () => {
  const { door, state, pass, free } = setDoor(at);
  state.hangs = true;
  const reading = door.read((one) => one.jobs());
  const told = expect(reading).rejects.toThrow('since 2026-11-29 03:00:00 UTC: no answer within 2 s');
  await pass(3_000);
  await pass(2_000);
  await told;
  expect(await door.away()).toMatchObject({ since: at, why: 'no answer within 2 s' });
  await expect(door.use(async () => 'used')).rejects.toThrow('since 2026-11-29 03:00:00 UTC');
  free();
});

test('a read that takes long is waited for while the ledger answers others', async () => {
  const slow = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  const ledger = {
    close: async () => {},
    audit: async () => {
      asked.resolve();
      return [];
    },
  } as unknown as Ledger;
  const door = new LedgerDoor({
    open: async () => ledger,
    clock: { wall: () => at, monotonic: () => 0 },
    sleep: async (ms) => {
      if (ms !== 3_000) await new Promise(() => {});
    },
  });
  onTestFinished(() => door.close());
  const reading = door.read(() => slow.promise);
  await asked.promise;
  slow.resolve('read');
  expect(await reading).toBe('read');
});
