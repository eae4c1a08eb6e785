/** While another process has the ledger locked, each change is refused, and what is refused has not been done. */
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { Desk, type DeskOptions } from '../../src/console/jobs/desk.ts';
import { LedgerDoor } from '../../src/console/jobs/ledger-door.ts';
import { OutcomeUnknown } from '../../src/console/pages/page-error.ts';
import { CommandError } from '../../src/errors.ts';
import type { Ledger } from '../../src/jobs/ledger/ledger.ts';
import { LedgerBusyError } from '../../src/jobs/ledger/shared/error.ts';
import { makeApiClient } from '../../testing/console/api-client.ts';
import { changeBy, changes, context, csv, forms, setAll } from '../../testing/console/every-change.ts';
import { setConsoleJobs, shows } from '../../testing/console/jobs.ts';
import { ask, tokens } from '../../testing/console/serve.ts';

test('each change by the API is refused while the ledger is locked, and nothing of it is done', async () => {
  const { url, state, underLock, bearer } = await setAll();
  const document = JSON.parse((await ask(`${url}/api/v1/openapi.json`, { headers: bearer })).body);
  const posts = Object.entries<object>(document.paths).filter(([, methods]) => 'post' in methods);
  const named = (path: string): string =>
    path
      .replace(/^\/api\/v1|\?.*/g, '')
      .replace(/\{job\}|\/[ajwrp](?=\/)/, '/X')
      .replace('//', '/');
  expect(Object.keys(changes).map(named).sort()).toEqual(posts.map(([path]) => named(path)).sort());
  const before = await state();
  for (const path of Object.keys(changes)) {
    const answer = await underLock(() => changeBy(url, path));
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
  await expect.poll(planned).toMatchObject({
    state: 'made',
    note: expect.stringContaining('has it locked'),
    noteSince: expect.any(String),
  });
  expect(await apply()).toMatchObject({ status: 503 });
  other.exec('ROLLBACK');
  await expect.poll(apply).toMatchObject({ data: { job: 'p', entered: true } });
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
  await expect.poll(looks).toEqual([`${job} verify`, `${job} verified`]);
});

test('what a look has found while the ledger was locked is in the log when it is free, and it is said meanwhile', async () => {
  const { other, looks, call, said } = await setEnded({ context });
  const begun = call('verifyJob', { job: 'j' }, { reason: 'r' });
  while (looks().length === 0) await new Promise((done) => setImmediate(done));
  other.exec('BEGIN IMMEDIATE');
  expect((await begun).status).toBe(200);
  await expect
    .poll(() => said)
    .toContainEqual(expect.stringMatching(/`verified` of job j is not in the log of changes yet: .*locked/));
  expect((await call('showDevices', { job: 'j' })).data).toMatchObject({ state: 'seen' });
  expect(looks()).toEqual(['j verify']);
  other.exec('ROLLBACK');
  await expect.poll(looks).toEqual(['j verify', 'j verified']);
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
