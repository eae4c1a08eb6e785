/** The ledger is lost in the middle of a change, at each of its steps: what is said to be refused was not done, and what was done in part is not said to be refused. */
import type { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openLedgerAt } from '../../src/jobs/ledger/open.ts';
import { LedgerBusyError, LedgerError, LedgerOutcomeUnknown } from '../../src/jobs/ledger/shared/error.ts';
import { changeBy, changes, context, planP, setAll } from '../../testing/console/every-change.ts';
import { setConsoleJobs } from '../../testing/console/jobs.ts';
import { ask, tokens } from '../../testing/console/serve.ts';
import { wholeConsole } from '../../testing/console/whole.ts';
import { openCommitProxy } from '../../testing/postgres/commit-proxy.ts';
import { ledgerDatabases, postgresForTests } from '../../testing/postgres/databases.ts';
import { postgresInstalled } from '../../testing/postgres/server.ts';
import { newJob } from '../jobs/ledger/contract.ts';

const kinds = ['locked', 'away', 'unanswered'] as const;
type Kind = (typeof kinds)[number];

/** What a console's ledger meets: the fault at its n-th step from now on, and what follows from it. */
interface Fault {
  kind: Kind;
  left: number;
  /** How often a ledger was opened. */
  opened: number;
}

const noFault = (): Fault => ({ kind: 'away', left: Number.POSITIVE_INFINITY, opened: 0 });

/** Opens ledgers that meet it. */
function openWith(fault: Fault): typeof openLedgerAt {
  return async (...given) => {
    fault.opened++;
    return faulty(await openLedgerAt(...given), fault);
  };
}

/** They may be answered while another process has it locked. */
const reading =
  /^(job|jobs|activeJobs|lastRow|audit|lastAudit|isLeased|count|standing|listed|lastSent|hasFormer|measuredRate|rowPage|ofTask|lease)$/;
/** Only begun once their line is in the log. */
const logsFirst = /^\/(plans(\?|\/live|\/p\/discard)|jobs\/\w\/(verify|reconcile|undo))/;
/** A lease in a file ends without the file. */
const untouched = /^(pages|unmatched|unended|exportJob|close|release)$/;

function faulty<T extends object>(ledger: T, fault: Fault): T {
  return new Proxy(ledger, {
    get: (target, name: string) => {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function') return method;
      if (untouched.test(name)) return method.bind(target);
      return async (...given: unknown[]): Promise<unknown> => {
        const work = () => Reflect.apply(method, target, given) as Promise<unknown>;
        const isRead = reading.test(name);
        const isFirst = isRead && fault.kind !== 'away' ? false : --fault.left === 0;
        const isHit = fault.left <= 0 && !(isRead && fault.kind === 'locked');
        if (!isHit)
          return name === 'lease' ? leaseOf((await work()) as object | undefined, fault) : await work();
        if (fault.kind === 'locked') throw new LedgerBusyError('Another process has it locked.');
        if (fault.kind === 'away' || !isFirst || name === 'takesChanges')
          throw new LedgerError('It is away.');
        await work();
        throw new LedgerOutcomeUnknown('The ledger', 'has not answered (cut)');
      };
    },
  });
}

const leaseOf = (lease: object | undefined, fault: Fault) => lease && faulty(lease, fault);

/** The ledger's file as it is now, to which it can be brought back. */
function keep(other: DatabaseSync, path: string): () => void {
  other.exec(`VACUUM INTO '${path}'`);
  const tables = other
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all()
    .map(({ name }) => String(name));
  // Those that triggers write come last.
  const last = (name: string): number => (/tall|count/.test(name) ? 1 : 0);
  tables.sort((a, b) => last(a) - last(b));
  other.exec(`ATTACH '${path}' AS kept`);
  return () => {
    const copies = tables.map(
      (name) => `DELETE FROM main.${name}; INSERT INTO main.${name} SELECT * FROM kept.${name};`,
    );
    other.exec(`BEGIN IMMEDIATE; ${copies.join('\n')} COMMIT`);
  };
}

test.each(kinds)(
  'what any change answers is true where the ledger is %s at any of its steps',
  async (kind: Kind) => {
    const fault = noFault();
    const all = await setAll({ openLedger: openWith(fault) });
    const { state, planning, other, folder, ann, url } = all;
    const restore = keep(other, `${folder.path}/kept.sqlite`);
    const poll = { interval: 5 };
    const isBack = async () => !/takes no changes|cannot be read/.test((await ann.get('/jobs')).body);
    const lastLine = () => other.prepare('SELECT what FROM audit ORDER BY seq DESC LIMIT 1').get()?.what;
    let cut = 0;
    for (const path of Object.keys(changes)) {
      for (let n = 1, isHit = true; isHit; n++) {
        await expect.poll(isBack, poll).toBe(true);
        const before = await state();
        Object.assign(fault, { kind, left: n });
        const { status, body } = await changeBy(url, path);
        isHit = fault.left <= 0;
        fault.left = Number.POSITIVE_INFINITY;
        const what = `${path}, ${kind} at step ${n}: ${status} ${body}`;
        if (status === 504) expect(body, what).toContain('ook at the log of changes');
        if (status === 504 && logsFirst.test(path)) expect(body, what).toContain('this was not done');
        if (status !== 504 && status !== 200) {
          expect(status, what).not.toBe(500);
          expect(body, what).not.toContain('not known');
          expect(await state(), what).toEqual(before);
        }
        if (!isHit) expect(status, what).toBe(200);
        if (kind === 'away' && body.includes('a part of this was done') && /(stop|cancel)$/.test(path)) {
          await expect.poll(isBack, poll).toBe(true);
          expect(await changeBy(url, path), what).toMatchObject({ status: 200 });
          cut++;
        }
        // What goes on behind an answer comes to its end before the next.
        await expect.poll(isBack, poll).toBe(true);
        await expect.poll(planning, poll).not.toContainEqual(expect.objectContaining({ state: 'entering' }));
        const look = /(verify|reconcile)$/.exec(path)?.[1];
        if (look !== undefined && status === 200)
          await expect.poll(lastLine, poll).toBe(look === 'verify' ? 'verified' : 'reconciled');
        for (const { job } of await planning()) if (job !== 'p') await ann.post(`/jobs/plans/${job}/discard`);
        restore();
        if (!(await planning()).some(({ job }) => job === 'p')) {
          await planP(all);
          restore();
        }
      }
    }
    if (kind === 'away') expect(cut).toBeGreaterThan(2);
  },
);

test('a plan whose job could not be undone is refused with that wish before its job is in the ledger', async () => {
  const { state, url, ann } = await setAll();
  const before = await state();
  const refused = await changeBy(url, '/plans/p/apply', { settings: { undoOnAbort: true, canary: '1' } });
  expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('could not be undone')]);
  expect(await state()).toEqual(before);
  expect((await ann.get('/jobs/plans/p')).body).toContain('could not be undone');
  expect((await changeBy(url, '/plans/p/discard')).status).toBe(200);
});

test('a plan is made with the ledger that the console has open: it waits for no other', async () => {
  const fault = noFault();
  const set = await setConsoleJobs({ send: false, openLedger: openWith(fault) });
  await set.ann.get('/jobs');
  const before = fault.opened;
  expect(before).toBe(1);
  await planP(set);
  expect(fault.opened).toBe(before);
});

describe.skipIf(!postgresInstalled())('a PostgreSQL', () => {
  const server = postgresForTests();
  const database = ledgerDatabases(server);

  test('that is lost at the COMMIT of a change is not said to have done nothing', async () => {
    const ledgerUrl = new URL(await database());
    const sound = await openLedgerAt({ stateDir: '/nowhere', ledgerUrl: ledgerUrl.href }, 'create', {
      ...context,
      random: Math.random,
      holder: 'ann@ops1',
    });
    onTestFinished(() => sound.close());
    const { key } = await sound.begin(newJob);
    await sound.complete(key);
    await sound.change(key, { event: 'release', who: 'ann@ops1' });
    const proxy = await openCommitProxy(server().port);
    ledgerUrl.port = String(proxy.port);
    const { url } = await wholeConsole({ LEDGER_URL: ledgerUrl.href }, context);
    const get = (path: string) =>
      ask(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${tokens.ann}` } });
    await expect.poll(async () => (await get('/jobs')).status).toBe(200);
    const paused = `/jobs/${newJob.jobId}/pause`;
    const planned = '/plans?job=n&reason=because&refresh=false';
    for (const [path, lines] of [
      [paused, ['pause']],
      [planned, ['plan', 'pause']],
    ] as const) {
      await expect.poll(async () => (await get('/jobs')).status).toBe(200);
      proxy.arm(1);
      const change = () => changeBy(url, path, undefined, { 'idempotency-key': path });
      const { status, body } = await change();
      expect([path, status, body]).toEqual([path, 504, expect.stringContaining('ook at the log of changes')]);
      await proxy.back();
      expect((await sound.audit(lines.length)).map(({ what }) => what)).toEqual(lines);
      await expect.poll(async () => (await get('/jobs')).status).toBe(200);
      // What may be done is not refused by the same key: the answer is the same.
      if (path === paused) expect(await change()).toMatchObject({ status, body });
    }
    expect((await sound.job(newJob.jobId))?.plan?.state.name).toBe('paused');
    await expect.poll(async () => (await get('/plans')).body).toContain('"plans":[]');
  });
});
