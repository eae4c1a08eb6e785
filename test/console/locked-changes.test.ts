/** While another process has the ledger locked, each change is refused, and what is refused has not been done. */
import { readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { Desk, type DeskOptions } from '../../src/console/jobs/desk.ts';
import { LedgerDoor } from '../../src/console/jobs/ledger-door.ts';
import { OutcomeUnknown } from '../../src/console/pages/page-error.ts';
import { CommandError } from '../../src/errors.ts';
import type { Ledger } from '../../src/jobs/ledger/ledger.ts';
import { LedgerBusyError } from '../../src/jobs/ledger/shared/error.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { makeApiClient } from '../../testing/console/api-client.ts';
import { setConsoleJobs, shows } from '../../testing/console/jobs.ts';
import { ask, tokens } from '../../testing/console/serve.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';

const FASTER = 20;
/** Nobody waits for as long as people would. */
const context = {
  sleep: (ms: number, signal: AbortSignal) => sleep(ms / FASTER, signal),
  clock: { ...systemClock, monotonic: () => systemClock.monotonic() * FASTER },
};

/** Jobs and plans to which every change can be made: `j` has ended with failed rows, `w` waits to be sent, `r` for its outcomes, `p` is a plan. */
async function setAll() {
  const set = await setConsoleJobs({
    send: false,
    context,
    api: { tasks: { kind: 'all', exceptPrefix: 'gone' } },
  });
  const { ann, run, plan, ids, stage, url, folder } = set;
  await stage.worker.start();
  await plan(ids(3), 'r', '--refresh');
  await run(['apply', 'r.jsonl', '--yes', '--detach']);
  await sendAll(`${folder.path}/state`, 'r');
  await plan([...ids(3), 'gone1'], 'j');
  expect((await run(['apply', 'j.jsonl', '--yes'])).exitCode).toBe(3);
  await plan(ids(3), 'w');
  await run(['apply', 'w.jsonl', '--yes', '--detach']);
  await ann.upload('p.csv', 'Identifier,TaskConfigurationId\ntask1,other\n', { jobId: 'p' });
  await shows(ann.get, '/jobs/plans/p', 'To send');
  const other = new DatabaseSync(`${folder.path}/state/ledger.sqlite`);
  onTestFinished(() => other.close());
  const state = async () => ({
    ledger: ['jobs', 'rows', 'audit', 'notices'].map((table) =>
      other.prepare(`SELECT * FROM ${table}`).all(),
    ),
    plans: (await planning()).map(({ job, state: name }) => [job, name]),
    folders: readdirSync(`${folder.path}/state/console/plans`).sort(),
    files: readdirSync(`${folder.path}/state/console/plans/p-p`).sort(),
  });
  const bearer = { authorization: `Bearer ${tokens.ann}` };
  const planning = async (): Promise<readonly { readonly job: string; readonly state: string }[]> =>
    JSON.parse((await ask(`${url}/api/v1/plans`, { headers: bearer })).body).plans;
  /** Each one finds the lock itself: what was found before is forgotten. */
  const underLock = async <T>(work: () => Promise<T>): Promise<T> => {
    await expect
      .poll(async () => (await ann.get('/jobs')).body, { timeout: 30_000 })
      .not.toContain('takes no changes');
    other.exec('BEGIN IMMEDIATE');
    try {
      return await work();
    } finally {
      other.exec('ROLLBACK');
    }
  };
  return { ...set, state, underLock, bearer, other };
}

/** Its outcomes never come. */
async function sendAll(folder: string, jobId: string): Promise<void> {
  const ledger = await openFileLedger(folder, Date.now);
  const lease = await ledger.lease((await ledger.job(jobId))?.key ?? 0);
  const rows = (await lease?.claim(10)) ?? [];
  const sent = rows.map(({ Row: row }) => ({ row, messageId: `m${row}` }));
  await lease?.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
  await lease?.release();
  await ledger.close();
}

const csv = 'Identifier,TaskConfigurationId\ntask1,new\n';
const changes: Readonly<Record<string, object | string>> = {
  '/jobs/w/pause': {},
  '/jobs/w/resume': {},
  '/jobs/w/stop': {},
  '/jobs/w/cancel': {},
  '/jobs/w/set': { settings: { rate: 7 } },
  '/jobs/j/retry': {},
  '/jobs/j/verify': {},
  '/jobs/r/reconcile': {},
  '/jobs/r/undo': { name: 'u' },
  '/plans?job=n&reason=because&refresh=false': csv,
  '/plans/live': { job: 'l', set: { Description: 'x' } },
  '/plans/p/apply': {},
  '/plans/p/discard': {},
};

const forms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/jobs/of/w/pause': {},
  '/jobs/of/w/resume': {},
  '/jobs/of/w/stop': {},
  '/jobs/of/w/cancel': { name: 'w' },
  '/jobs/of/w/set': { rate: '7' },
  '/jobs/of/j/retry': {},
  '/jobs/of/j/verify': {},
  '/jobs/of/r/reconcile': {},
  '/jobs/of/r/undo': {},
  '/jobs/new/live': { jobId: 'l', setDescription: 'x' },
  '/jobs/plans/p/apply': { name: 'p' },
  '/jobs/plans/p/discard': {},
};

test('each change by the API is refused while the ledger is locked, and nothing of it is done', async () => {
  const { url, state, underLock, bearer } = await setAll();
  const document = JSON.parse((await ask(`${url}/api/v1/openapi.json`, { headers: bearer })).body);
  const posts = Object.entries<object>(document.paths).filter(([, methods]) => 'post' in methods);
  const named = (path: string): string =>
    path
      .replace(/^\/api\/v1|\?.*/g, '')
      .replace(/\{job\}|\/[jwrp](?=\/)/, '/X')
      .replace('//', '/');
  expect(Object.keys(changes).map(named).sort()).toEqual(posts.map(([path]) => named(path)).sort());
  const before = await state();
  for (const [path, body] of Object.entries(changes)) {
    const isFile = typeof body === 'string';
    const answer = await underLock(() =>
      ask(`${url}/api/v1${path}`, {
        method: 'POST',
        headers: { ...bearer, 'content-type': isFile ? 'text/csv' : 'application/json' },
        body: isFile ? body : JSON.stringify({ reason: 'because', ...body }),
      }),
    );
    expect([path, answer.status, answer.body]).toEqual([path, 503, expect.stringContaining('has it locked')]);
    expect([path, await state()]).toEqual([path, before]);
  }
});

test('each form of the pages is refused while the ledger is locked, and nothing of it is done', async () => {
  const { ann, state, underLock } = await setAll();
  const before = await state();
  for (const [path, fields] of Object.entries(forms)) {
    const answer = await underLock(() => ann.post(path, fields));
    expect([path, answer.status, answer.body]).toEqual([
      path,
      503,
      expect.stringContaining('Nothing was changed'),
    ]);
    expect([path, await state()]).toEqual([path, before]);
  }
  const upload = await underLock(() => ann.upload('a.csv', csv, { jobId: 'n' }));
  expect([upload.status, await state()]).toEqual([503, before]);
});

test('a job whose rows cannot be entered is said to be begun, and the same request enters them later', async () => {
  const { url, ann, folder, ids } = await setConsoleJobs({ send: false, context });
  const rows = ids(3_000).map((id) => `${id},new\n`);
  await ann.upload('p.csv', `Identifier,TaskConfigurationId\n${rows.join('')}`, { jobId: 'p' });
  await shows(ann.get, '/jobs/plans/p', 'To send');
  const { call } = await makeApiClient(url, tokens.ann);
  const apply = async () =>
    (await call('applyPlan', { job: 'p', 'Idempotency-Key': 'k' }, { reason: 'because' })) as object;
  const other = new DatabaseSync(`${folder.path}/state/ledger.sqlite`);
  onTestFinished(() => other.close());
  const begun = other.prepare("SELECT count(*) AS jobs FROM jobs WHERE job_id = 'p'");
  const first = apply();
  while (begun.get()?.jobs === 0) await new Promise((done) => setImmediate(done));
  other.exec('BEGIN IMMEDIATE');
  expect(await first).toMatchObject({ status: 200, data: { job: 'p', entered: false } });
  const planned = async () => (await call('showPlan', { job: 'p' })).data;
  await expect
    .poll(planned, { timeout: 30_000 })
    .toMatchObject({ state: 'made', note: expect.stringContaining('has it locked') });
  expect(await apply()).toMatchObject({ status: 503 });
  other.exec('ROLLBACK');
  await expect.poll(apply, { timeout: 30_000 }).toMatchObject({ data: { job: 'p', entered: true } });
  expect(await apply()).toMatchObject({ status: 200, data: { entered: true } });
  expect((await call('showPlan', { job: 'p' })).status).toBe(404);
  expect((await call('showJob', { job: 'p' })).data).toMatchObject({ rows: 3_000, complete: true });
});

/** Whoever the test is who locks the ledger of a stage with two jobs, `j` and `k`, that have ended. */
async function setEnded(options: Parameters<typeof setConsoleJobs>[0]) {
  const set = await setConsoleJobs({ send: false, ...options });
  const { run, plan, ids, stage, folder, url } = set;
  await stage.worker.start();
  for (const job of ['j', 'k']) {
    await plan(ids(2, job), job);
    expect((await run(['apply', `${job}.jsonl`, '--yes'])).exitCode).toBe(0);
  }
  const other = new DatabaseSync(`${folder.path}/state/ledger.sqlite`);
  onTestFinished(() => other.close());
  const lines = other.prepare("SELECT subject || ' ' || what AS line FROM audit WHERE what LIKE 'verif%'");
  const looks = () => lines.all().map(({ line }) => line);
  const { call } = await makeApiClient(url, tokens.ann);
  return { ...set, other, looks, call };
}

test('of two looks at once the second is refused before it is in the log', async () => {
  const { other, looks, call } = await setEnded({});
  other.exec('BEGIN IMMEDIATE');
  const both = ['j', 'k'].map(async (job) => ({
    job,
    ...(await call('verifyJob', { job }, { reason: 'r' })),
  }));
  const refused = await Promise.race(both);
  other.exec('ROLLBACK');
  expect(refused.status).toBe(429);
  expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 429]);
  const job = refused.job === 'j' ? 'k' : 'j';
  await expect.poll(looks, { timeout: 30_000 }).toEqual([`${job} verify`, `${job} verified`]);
});

test('what a look has found while the ledger was locked is in the log when it is free, and it is said meanwhile', async () => {
  const { other, looks, call, said } = await setEnded({ context });
  const begun = call('verifyJob', { job: 'j' }, { reason: 'r' });
  while (looks().length === 0) await new Promise((done) => setImmediate(done));
  other.exec('BEGIN IMMEDIATE');
  expect((await begun).status).toBe(200);
  await expect
    .poll(() => said, { timeout: 30_000 })
    .toContainEqual(expect.stringMatching(/`verified` of job j is not in the log of changes yet: .*locked/));
  expect((await call('showDevices', { job: 'j' })).data).toMatchObject({ state: 'seen' });
  expect(looks()).toEqual(['j verify']);
  other.exec('ROLLBACK');
  await expect.poll(looks, { timeout: 30_000 }).toEqual(['j verify', 'j verified']);
});

test.each([
  ['the ledger is locked afterwards', new LedgerBusyError('Another process has it locked.')],
  ['notices cannot be sent by the configuration', new CommandError('NOTIFY_WEBHOOK_URL is no URL.')],
])('a job that is cancelled when %s is not said to be as it was', async (_, fault) => {
  const job = { jobId: 'j', key: 1, plan: { state: { name: 'running' } } };
  const ledger = { job: async () => job, change: async () => true, close: async () => {} };
  const door = new LedgerDoor({ open: async () => ledger as unknown as Ledger, ...context });
  onTestFinished(() => door.close());
  const conclude = async () => {
    throw fault;
  };
  const desk = new Desk({ door, conclude } as unknown as DeskOptions);
  await expect(desk.step('j', 'cancel', { who: 'ann@console', why: 'r' })).rejects.toThrow(OutcomeUnknown);
});
