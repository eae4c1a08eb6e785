/** A PostgreSQL whose connections break: before a statement has arrived, and after it has taken effect, at every place. */
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { openLedgerAt } from '../../../src/jobs/ledger/open.ts';
import { commandPatience, type Patience, SHORT_PATIENCE } from '../../../src/jobs/ledger/shared/context.ts';
import { sleep, systemClock } from '../../../src/time/clock.ts';
import { FaultSource } from '../../../testing/faults/faults.ts';
import { TcpProxy } from '../../../testing/faults/tcp-proxy.ts';
import { openCommitProxy } from '../../../testing/postgres/commit-proxy.ts';
import { emptied, ledgerDatabases, postgresForTests } from '../../../testing/postgres/databases.ts';
import { postgresInstalled } from '../../../testing/postgres/server.ts';
import { newJob, taskRow } from './contract.ts';
import { contentOf, steps, type Use } from './steps.ts';

/** The n-th request from now on meets the fault, and no other one. */
class OneFault extends FaultSource {
  #left = Number.POSITIVE_INFINITY;
  readonly #kind: 'reset' | 'drop' | 'hang';

  constructor(kind: 'reset' | 'drop' | 'hang') {
    super({}, () => 0);
    this.#kind = kind;
  }

  arm(n: number): void {
    this.#left = n;
  }

  /** Whether it is still to come. */
  get armed(): boolean {
    return this.#left > 0;
  }

  override drawRequest() {
    return --this.#left === 0 ? this.#kind : undefined;
  }
}

describe.skipIf(!postgresInstalled())('a PostgreSQL', () => {
  const server = postgresForTests();
  const database = ledgerDatabases(server);
  const clock = { ...systemClock, wall: () => Date.parse('2026-11-25T07:00:00Z') };

  async function open(port: number, patience: Patience = SHORT_PATIENCE, path?: string): Promise<Ledger> {
    const url = new URL(path ?? (await database()));
    url.port = String(port);
    const context = { clock, sleep, random: () => 0, holder: 'ann@ops1', patience };
    const ledger = await openLedgerAt({ stateDir: '/nowhere', ledgerUrl: url.href }, 'create', context);
    onTestFinished(() => ledger.close());
    return ledger;
  }

  async function use(port: number, path?: string): Promise<Use> {
    const ledger = await open(port, SHORT_PATIENCE, path);
    const { key } = await ledger.begin(newJob);
    const lease = (await ledger.lease(key)) ?? expect.fail();
    onTestFinished(() => lease.release());
    return { ledger, lease, key };
  }

  test.each(['reset', 'drop'] as const)(
    'whose connection is cut once, at any request of any step (%s), does everything exactly once',
    async (kind) => {
      const fault = new OneFault(kind);
      const proxy = await TcpProxy.start({ target: server().port, faultSource: fault });
      onTestFinished(() => proxy.close());
      const sound = await use(server().port);
      const results: unknown[] = [];
      for (const [, step] of steps) results.push(await step(sound));
      const content = await contentOf(sound);
      let cuts = 0;
      const path = await database();
      for (let n = 1, some = true; some; n++) {
        const cut = await use(proxy.port, await emptied(path));
        some = false;
        for (const [i, [name, step]] of steps.entries()) {
          fault.arm(n);
          expect(await step(cut), `${name}, cut at its request ${n}`).toEqual(results[i]);
          if (!fault.armed) cuts++;
          some ||= !fault.armed;
          fault.arm(Number.POSITIVE_INFINITY);
        }
        expect(await contentOf(cut), `cut at requests ${n}`).toEqual(content);
        await cut.lease.release();
        await cut.ledger.close();
      }
      expect(cuts).toBeGreaterThan(steps.length * 4);
    },
  );

  test('that is away is waited for, which is said once, and once when it is back', async () => {
    const said: string[] = [];
    const away = Promise.withResolvers<void>();
    const say = (sentence: string): void => {
      said.push(sentence);
      away.resolve();
    };
    const ledger = await open(server().port, { ms: Number.POSITIVE_INFINITY, say });
    await server().stop();
    const waiting = [ledger.begin(newJob), ledger.jobs(), ledger.count(1)];
    await away.promise;
    await server().start();
    await Promise.all(waiting);
    expect(await ledger.jobs()).toHaveLength(1);
    expect(said).toEqual([
      expect.stringMatching(
        /^The ledger postgres:\/\/127\.0\.0\.1:\d+\/db\d+ cannot be reached \(.+\): nothing is sent until it is back\. Nothing is lost$/,
      ),
      expect.stringMatching(/^The ledger postgres:\/\/127\.0\.0\.1:\d+\/db\d+ is back after \d+ s$/),
    ]);
  });

  test('that stays away ends a command with a sentence, and soon one that is leaving', async () => {
    const leaving = new AbortController();
    const path = await server().createDatabase();
    const short = await open(server().port, { ms: 300 }, path);
    const endless = await open(server().port, { ms: Number.POSITIVE_INFINITY, signal: leaving.signal }, path);
    await server().kill();
    const expected = expect.objectContaining({
      name: 'LedgerError',
      exitCode: 2,
      message: expect.stringMatching(
        /^The ledger postgres:\/\/127\.0\.0\.1:\d+\/db\d+ cannot be reached: .+\. It was tried for \d+ s\. Start that PostgreSQL, or set LEDGER_URL/,
      ),
    });
    await expect(short.jobs()).rejects.toThrow(expected);
    const waiting = endless.jobs();
    leaving.abort();
    await expect(waiting).rejects.toThrow(expected);
    await server().start();
    expect(await short.jobs()).toEqual([]);
  });

  test('that is lost at a COMMIT is not said to have done nothing: it is not known', async () => {
    const path = await database();
    const proxy = await openCommitProxy(server().port);
    const ledger = await open(proxy.port, { ms: 300 }, path);
    const sound = await open(server().port, SHORT_PATIENCE, path);
    proxy.arm(1);
    await expect(ledger.begin(newJob)).rejects.toThrow(
      expect.objectContaining({
        name: 'LedgerOutcomeUnknown',
        message: expect.stringMatching(
          / it is not known whether the last request was carried out\. Check before/,
        ),
      }),
    );
    expect(await sound.jobs()).toHaveLength(1);
    await expect(ledger.begin(newJob)).rejects.toThrow(expect.objectContaining({ name: 'LedgerError' }));
  });

  test('that is lost at the COMMIT of a lease has done nothing, and the lease is nobody’s once it is back', async () => {
    const path = await database();
    const proxy = await openCommitProxy(server().port);
    const ledger = await open(proxy.port, { ms: 300 }, path);
    const { key } = await ledger.begin(newJob);
    proxy.arm(1);
    await expect(ledger.lease(key)).rejects.toThrow(
      expect.objectContaining({
        name: 'LedgerError',
        message: expect.stringMatching(/^The ledger postgres:\S+ has not answered \(.+\)\.$/),
      }),
    );
    await proxy.back();
    const lease = (await ledger.lease(key)) ?? expect.fail();
    await lease.release();
    expect(await ledger.isLeased(key)).toBe(false);
  });

  test('that is closed says so to whoever still asks: it is no fault of the program', async () => {
    const ledger = await open(server().port);
    const { key } = await ledger.begin(newJob);
    await ledger.close();
    for (const ask of [() => ledger.isLeased(key), () => ledger.begin(newJob), () => ledger.lease(key)])
      await expect(ask()).rejects.toThrow(
        expect.objectContaining({ name: 'LedgerError', message: expect.stringMatching(/ is closed\.$/) }),
      );
  });

  /** @returns a session that has the table locked. */
  async function locked(path: string, table = 'jobs'): Promise<pg.Client> {
    const other = new pg.Client(path);
    await other.connect();
    onTestFinished(() => other.end());
    await other.query(`BEGIN; LOCK TABLE ota_updater.${table}`);
    return other;
  }

  test('of which a table is locked: a command says so, and an interruption ends its waiting, with nothing done', async () => {
    const path = await database();
    const command = new AbortController();
    const told = Promise.withResolvers<string>();
    const patience = commandPatience(command.signal, told.resolve);
    const ledger = await open(server().port, patience, path);
    const sound = await open(server().port, SHORT_PATIENCE, path);
    const other = await locked(path);
    const beginning = ledger.begin(newJob);
    expect(await told.promise).toMatch(/ is locked by another process: waiting for it, 20 s at most$/);
    command.abort();
    await expect(beginning).rejects.toThrow(
      expect.objectContaining({
        exitCode: 130,
        message: expect.stringContaining('the waiting request was not carried out'),
      }),
    );
    await ledger.close();
    await other.query('ROLLBACK');
    expect(await sound.jobs()).toEqual([]);
  });

  test('of which a table is locked: an export waits for it as every command does, and says so', async () => {
    const path = await database();
    const told = Promise.withResolvers<string>();
    const patience = commandPatience(new AbortController().signal, told.resolve);
    const ledger = await open(server().port, patience, path);
    const { key } = await ledger.begin(newJob);
    await ledger.enter(key, [taskRow(1)]);
    // The rows, which are read after the job.
    const other = await locked(path, 'rows');
    const exported = Array.fromAsync(ledger.exportJob(key));
    exported.catch(told.reject);
    expect(await told.promise).toMatch(/ is locked by another process: waiting for it, 20 s at most$/);
    // It is as of a moment after its wait.
    await other.query(`INSERT INTO ota_updater.rows (job, row, identifier) VALUES (${key}, 2, 't2')`);
    await other.query('COMMIT');
    const rows = (await exported).flatMap(({ table, records }) => (table === 'rows' ? records : []));
    expect(rows).toHaveLength(2);
  });

  test('of which a table stays locked: a command ends with a sentence', async () => {
    const path = await database();
    const patience = { ...commandPatience(new AbortController().signal, () => {}), lockedMs: 500 };
    const ledger = await open(server().port, patience, path);
    await locked(path);
    await expect(ledger.begin(newJob)).rejects.toThrow(/ is locked by another process \(.*lock timeout\)/);
  });

  test('that is silent: an interruption ends the waiting, and the command', async () => {
    const path = await database();
    const command = new AbortController();
    const told = Promise.withResolvers<string>();
    const fault = new OneFault('hang');
    const proxy = await TcpProxy.start({ target: server().port, faultSource: fault });
    onTestFinished(() => proxy.close());
    const ledger = await open(proxy.port, commandPatience(command.signal, told.resolve), path);
    fault.arm(1);
    const asking = ledger.jobs();
    expect(await told.promise).toMatch(/ does not answer: waiting for it$/);
    command.abort();
    await expect(asking).rejects.toThrow(expect.objectContaining({ exitCode: 130 }));
    await ledger.close();
  });
});
