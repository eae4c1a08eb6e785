/** A ledger that another process has locked, or that hangs in the middle of a change: the console says so, and everything else goes on. */
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { route } from '../../src/console/api/route.ts';
import { apiSection } from '../../src/console/api/serve.ts';
import { OutcomeUnknown } from '../../src/console/pages/page-error.ts';
import { openLedgerAt } from '../../src/jobs/ledger/open.ts';
import { explainSqlite } from '../../src/jobs/ledger/sqlite/errors.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { setDoor } from '../../testing/console/door.ts';
import { ask, formTokenOf, serveConsole, signIn, tokens } from '../../testing/console/serve.ts';
import { wholeConsole } from '../../testing/console/whole.ts';
import { NEVER_CAME_MS } from '../../testing/hangs.ts';
import { ledgerDatabases, postgresForTests } from '../../testing/postgres/databases.ts';
import { postgresInstalled } from '../../testing/postgres/server.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { newJob } from '../jobs/ledger/contract.ts';

const at = Date.UTC(2026, 10, 29, 3);
/** As the console's door to the ledger has them. */
const [SILENT_MS, SOON_MS, MOST_MS] = [3_000, 2_000, 20_000];
const job = newJob.jobId;

/** Whoever is signed in as an operator. */
async function operator(url: string) {
  const cookie = await signIn(url, tokens.ann);
  const get = async (path: string) => await ask(`${url}${path}`, { headers: { cookie } });
  const token = await formTokenOf(`${url}/jobs/of/${job}`, cookie);
  const post = (path: string, form: Record<string, string> = {}) =>
    ask(`${url}${path}`, { headers: { cookie }, form: { formToken: token, reason: 'because', ...form } });
  const upload = async (jobId: string) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ formToken: token, reason: 'because', jobId }))
      form.append(name, value);
    form.append('file', new Blob(['Identifier,Description\nt1,x\n']), 'a.csv');
    const headers = { cookie, origin: url };
    const answer = await fetch(`${url}/jobs/new`, {
      method: 'POST',
      body: form,
      redirect: 'manual',
      headers,
    });
    return { status: answer.status, body: await answer.text() };
  };
  return { get, post, upload };
}

test('a ledger that another process has locked is read on; changes are refused, and since when, until it is free', async () => {
  let now = at;
  const { url, folder } = await wholeConsole(
    {},
    { clock: { wall: () => now, monotonic: () => performance.now() * 10 } },
  );
  const ledger = await openFileLedger(folder, () => at);
  const { key } = await ledger.begin(newJob);
  await ledger.complete(key);
  await ledger.change(key, { event: 'release', who: 'ann@ops1' });
  await ledger.close();
  const { get, post } = await operator(url);
  const other = new DatabaseSync(`${folder}/ledger.sqlite`);
  onTestFinished(() => {
    if (other.isOpen) other.close();
  });
  other.exec('BEGIN EXCLUSIVE');

  const since = 'The ledger takes no changes since 2026-11-29 03:00:00 UTC: another process has it locked.';
  const [refused, ...meanwhile] = await Promise.all([
    post(`/jobs/of/${job}/pause`),
    get('/jobs'),
    get(`/jobs/of/${job}`),
    get('/task?identifier=t1'),
  ]);
  expect(meanwhile.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect([refused.status, refused.body]).toEqual([503, expect.stringContaining(since)]);
  expect(refused.body).toContain('Nothing was changed.');
  now += 90_000;
  expect((await post(`/jobs/of/${job}/pause`)).body).toContain(since);
  for (const path of ['/jobs', `/jobs/of/${job}`]) {
    const { status, body } = await get(path);
    expect([path, status]).toEqual([path, 200]);
    expect(body).toContain(since);
  }
  await expect
    .poll(async () => (await get('/')).body)
    .toContain('The ledger takes no changes since 2026-11-29 03:00:00 UTC (1m 30s).');
  const { body } = await ask(`${url}/api/v1/status`, { headers: { authorization: `Bearer ${tokens.ann}` } });
  expect(JSON.parse(body).away).toContainEqual({ what: 'ledger', since: '2026-11-29T03:00:00.000Z' });
  expect((await get('/changes')).body).toContain('release');

  other.close();
  await expect.poll(async () => (await get('/jobs')).body).not.toContain('takes no changes');
  expect((await post(`/jobs/of/${job}/pause`)).headers.location).toBe(`/jobs/of/${job}?done=pause`);
});

test('a ledger whose disk is full takes no changes, and is read on', async () => {
  const { door } = setDoor(at);
  const full = explainSqlite(
    Object.assign(new Error('full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 }),
    'The ledger x',
  );
  await expect(door.use(() => Promise.reject(full))).rejects.toThrow(
    expect.objectContaining({
      status: 503,
      message: expect.stringMatching(
        /^The ledger takes no changes since 2026-11-29 03:00:00 UTC: The ledger x has no space left: /,
      ),
    }),
  );
  expect(await door.read((ledger) => ledger.jobs())).toEqual([]);
});

test('a change on a ledger that hangs is not waited for; nobody says that nothing was changed', async () => {
  const { door, state, pass, free } = setDoor(at);
  state.hangs = true;
  const waiting = door.awaited(door.use((ledger) => ledger.jobs()));
  const told = expect(waiting).rejects.toThrow(
    'The ledger does not answer: it is not known whether this was done, and it may still be done. Look at the log of changes',
  );
  await pass(3_000);
  await pass(2_000);
  await told;
  await expect(door.use(async () => {})).rejects.toThrow(
    'since 2026-11-29 03:00:00 UTC: no answer within 2 s',
  );
  free();
});

test('a change that takes long on a ledger that answers others is waited for, and not for ever', async () => {
  const { door, pass } = setDoor(at);
  const soon = Promise.withResolvers<string>();
  const done = door.awaited(soon.promise);
  await pass(3_000);
  soon.resolve('done');
  expect(await done).toBe('done');
  const stuck = expect(door.awaited(new Promise(() => {}))).rejects.toThrow(OutcomeUnknown);
  await pass(3_000);
  await pass(15_000);
  await stuck;
  const unread = expect(door.read(() => new Promise(() => {}))).rejects.toThrow('though it answers others');
  await pass(3_000);
  await pass(15_000);
  await unread;
  expect(await door.away()).toBeUndefined();
});

test('who asks again with the same key waits for the same change: it is done once', async () => {
  const { door, state, pass, free } = setDoor(at);
  let done = 0;
  const change = route({
    method: 'post',
    path: '/jobs/{job}/pause',
    id: 'pauseJob',
    summary: 'Changes something',
    answer: z.object({ done: z.number() }),
    wait: (served) => door.awaited(served),
    serve: () =>
      door.use(async (ledger) => {
        await ledger.jobs();
        return { done: ++done };
      }),
  });
  const url = await serveConsole({ sections: [apiSection([change], '0', () => at)] });
  const post = () =>
    ask(`${url}/api/v1/jobs/j/pause`, {
      method: 'POST',
      body: '{}',
      headers: {
        authorization: `Bearer ${tokens.ann}`,
        'content-type': 'application/json',
        'idempotency-key': 'k',
      },
    });
  state.hangs = true;
  for (const _ of [1, 2]) {
    const waiting = post();
    await pass(3_000);
    await pass(2_000);
    const { status, body } = await waiting;
    expect([status, JSON.parse(body).detail]).toEqual([504, expect.stringContaining('it may still be done')]);
  }
  free();
  expect(JSON.parse((await post()).body)).toEqual({ done: 1 });
  expect(done).toBe(1);
});

describe.skipIf(!postgresInstalled())('a PostgreSQL', () => {
  const server = postgresForTests();
  const database = ledgerDatabases(server);

  /** A console with a job, and somebody else in its database. */
  async function beside() {
    const ledgerUrl = await database();
    const context = { clock: systemClock, sleep, random: Math.random, holder: 'ann@ops1' };
    const ledger = await openLedgerAt({ stateDir: '/nowhere', ledgerUrl }, 'create', context);
    const { key } = await ledger.begin(newJob);
    await ledger.complete(key);
    await ledger.change(key, { event: 'release', who: 'ann@ops1' });
    await ledger.close();
    const other = new pg.Client({ connectionString: ledgerUrl });
    await other.connect();
    onTestFinished(() => other.end());
    /** Whether a request waits for a table that it has locked. */
    const isWaitedFor = async (): Promise<boolean> => {
      const { rows } = await other.query(
        "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'",
      );
      return rows.length > 0;
    };
    const { url } = await wholeConsole(
      { LEDGER_URL: ledgerUrl },
      {
        // The limits for an answer pass as soon as a request waits for a lock; the limit for the question whether the ledger
        // is there does not, for it is: by a clock, a busy machine would decide which of them passes.
        sleep: async (ms, signal) => {
          const isLimit = ms === SILENT_MS || ms === MOST_MS - SILENT_MS - SOON_MS;
          do await sleep(ms === SOON_MS ? NEVER_CAME_MS : ms / 20, signal);
          while (isLimit && !signal.aborted && !(await isWaitedFor()));
        },
      },
    );
    const { get, post, upload } = await operator(url);
    return { get, post, upload, url, other };
  }

  test('of which somebody has locked a table answers within seconds that it does not answer', async () => {
    const { get, post, upload, url, other } = await beside();
    await other.query('BEGIN; LOCK TABLE ota_updater.audit IN EXCLUSIVE MODE');
    const csv = { 'idempotency-key': 'k', 'content-type': 'text/csv' };
    const uploads = [
      () =>
        ask(`${url}/api/v1/plans?job=a&reason=r&refresh=false`, {
          method: 'POST',
          headers: { authorization: `Bearer ${tokens.ann}`, ...csv },
          body: 'Identifier,Description\nt1,x\n',
        }),
      () => upload('b'),
    ];
    // The second one of each finds the first.
    for (const send of [...uploads, ...uploads.slice(0, 1)]) {
      const { status, body } = await send();
      expect([status, body]).toEqual([504, expect.stringContaining('it may still be done')]);
    }
    await other.query('ROLLBACK');
    const names = async () => (await get('/jobs')).body.match(/\/jobs\/plans\/[ab](?=")/g)?.sort();
    await expect.poll(names).toEqual(['/jobs/plans/a', '/jobs/plans/b']);
    await other.query('BEGIN; LOCK TABLE ota_updater.jobs IN SHARE MODE');
    const stuck = await post(`/jobs/of/${job}/pause`);
    expect([stuck.status, stuck.body]).toEqual([504, expect.stringContaining('it may still be done')]);
    expect(stuck.body).not.toContain('Nothing was changed');
    expect((await get(`/jobs/of/${job}`)).body).toContain('running');
    await other.query('ROLLBACK');
    await expect.poll(async () => (await get(`/jobs/of/${job}`)).body).toContain('paused');
    await other.query('BEGIN; LOCK TABLE ota_updater.jobs IN ACCESS EXCLUSIVE MODE');
    const unread = await get('/jobs');
    expect([unread.status, unread.body]).toEqual([503, expect.stringContaining('though it answers others')]);
    expect((await get('/changes')).body).toContain('pause');
    await other.query('ROLLBACK');
    expect((await get('/jobs')).status).toBe(200);
  });

  test('of which somebody has locked the log answers so to who plans live tasks, too', async () => {
    const { post, url, other } = await beside();
    await other.query('BEGIN; LOCK TABLE ota_updater.audit IN EXCLUSIVE MODE');
    const live = { method: 'POST', body: '{"reason":"r","job":"l","set":{"Description":"x"}}' };
    const authorization = `Bearer ${tokens.ann}`;
    const headers = { authorization, 'content-type': 'application/json' };
    for (const send of [
      () => ask(`${url}/api/v1/plans/live`, { ...live, headers }),
      () => post('/jobs/new/live', { setDescription: 'x' }),
    ]) {
      const { status, body } = await send();
      expect([status, body]).toEqual([504, expect.stringContaining('it may still be done')]);
    }
    await other.query('ROLLBACK');
  });
});
