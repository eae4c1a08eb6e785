import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LeaseLost } from '../../../src/jobs/ledger/lease-lost.ts';
import type { Ledger, LedgerUse } from '../../../src/jobs/ledger/ledger.ts';
import { openLedgerAt } from '../../../src/jobs/ledger/open.ts';
import { schemaSteps } from '../../../src/jobs/ledger/postgres/schema.ts';
import { requestIdOf } from '../../../src/jobs/ledger/row.ts';
import { type Clock, sleep, systemClock } from '../../../src/time/clock.ts';
import { ledgerDatabases, postgresForTests } from '../../../testing/postgres/databases.ts';
import { postgresInstalled } from '../../../testing/postgres/server.ts';
import {
  abandoned,
  anotherTry,
  describeLedger,
  type LedgerStore,
  leaseOf,
  newJob,
  now,
  outcome,
  send,
  taskRow,
} from './contract.ts';

describe.skipIf(!postgresInstalled())('on PostgreSQL', () => {
  const server = postgresForTests();
  const database = ledgerDatabases(server);

  async function openOne(ledgerUrl: string, use: LedgerUse = 'create', clock: Partial<Clock> = {}) {
    const context = {
      clock: { ...systemClock, wall: () => now, ...clock },
      sleep,
      random: Math.random,
      holder: 'ann@ops1',
    };
    const ledger = await openLedgerAt({ stateDir: '/nowhere', ledgerUrl }, use, context);
    onTestFinished(() => ledger.close());
    return ledger;
  }

  function store(): LedgerStore {
    const made = database();
    return {
      open: async (wall = () => now) => await openOne(await made, 'create', { wall }),
    };
  }

  async function query(url: string, text: string): Promise<readonly unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  describeLedger('the ledger in PostgreSQL', store);

  test('says where it is without its password, and is made by `create` alone', async () => {
    const url = await server().createDatabase();
    const place = `postgres://127.0.0.1:${server().port}/${url.split('/').at(-1)}`;
    for (const use of ['read', 'write'] as const) {
      const ledger = await openOne(url, use);
      expect(ledger).toMatchObject({ place, setting: 'LEDGER_URL', access: 'none' });
      expect(await ledger.jobs()).toEqual([]);
      expect(await ledger.job('j')).toBeUndefined();
      expect(await ledger.isLeased(1)).toBe(false);
      expect(await ledger.audit(5)).toEqual([]);
    }
    expect(await query(url, "SELECT FROM pg_namespace WHERE nspname = 'ota_updater'")).toEqual([]);
    expect((await openOne(url)).access).toBe('write');
    expect((await openOne(url, 'read')).access).toBe('write');
  });

  test('is made once when several processes begin together', async () => {
    const url = await server().createDatabase();
    const ledgers = await Promise.all(Array.from({ length: 5 }, () => openOne(url)));
    await Promise.all(ledgers.map((ledger) => ledger.begin(newJob)));
    expect(await ledgers[0]?.jobs()).toHaveLength(1);
  });

  test.each<[string, string, RegExp]>([
    [
      'of a later version',
      `CREATE SCHEMA ota_updater; CREATE TABLE ota_updater.ledger AS SELECT ${schemaSteps.length + 1} AS version`,
      /is from a later version of this program: its schema is \d+, and this version knows only \d+\. Use the later version\.$/,
    ],
    [
      'of another program',
      'CREATE SCHEMA ota_updater; CREATE TABLE ota_updater.theirs (a integer)',
      /has a schema ota_updater that is not a ledger but belongs to another program\. It was not changed\./,
    ],
  ])('refuses a schema %s, and leaves it as it is', async (_, made, sentence) => {
    const url = await server().createDatabase();
    await query(url, made);
    const tables = () => query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'ota_updater'");
    const before = await tables();
    for (const use of ['read', 'write', 'create'] as const) {
      await expect(openOne(url, use)).rejects.toThrow(
        expect.objectContaining({
          name: 'LedgerError',
          exitCode: 2,
          message: expect.stringMatching(sentence),
        }),
      );
    }
    expect(await tables()).toEqual(before);
  });

  test.each<[string, (url: string) => string, RegExp]>([
    ['a database', (url) => `${url}x`, /has no such database \(database "\w+" does not exist\)/],
    [
      'a user',
      (url) => url.replace('tester', 'stranger'),
      /refuses this user \(role "stranger" does not exist\)/,
    ],
    ['TLS', (url) => `${url}?sslmode=verify-full`, /The server does not support SSL connections/],
    ['a file', (url) => `${url}?sslrootcert=/not/there`, /LEDGER_URL cannot be read/],
  ])('says what is wrong with a URL that names %s that is not there', async (_, wrong, sentence) => {
    const url = wrong(await server().createDatabase());
    await expect(openOne(url)).rejects.toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(sentence) }),
    );
    await expect(openOne(url)).rejects.not.toThrow(/secret/);
  });

  test('may be read by a user who may not write it', async () => {
    const url = await server().createDatabase();
    await (await openOne(url)).begin(newJob);
    const reader = `reader_${url.split('/').at(-1)}`;
    await query(
      url,
      `CREATE ROLE ${reader} LOGIN; GRANT USAGE ON SCHEMA ota_updater TO ${reader};
       GRANT SELECT ON ALL TABLES IN SCHEMA ota_updater TO ${reader}`,
    );
    const readOnly = url.replace('tester', reader);
    const ledger = await openOne(readOnly, 'read');
    expect(ledger.access).toBe('read');
    expect(await ledger.jobs()).toMatchObject([{ jobId: 'j' }]);
    await expect(openOne(readOnly, 'write')).rejects.toThrow(/is read-only for this user/);
  });

  test('stores what hostile outcomes hold: ids of any length and with any character', async () => {
    const ledger = await openOne(await server().createDatabase());
    const ids = ['a\0b', 'a\ufffdb', 'a\ud800b', 'x'.repeat(100_000), `${'x'.repeat(100_000)}y`];
    const odd = ids.map((MessageId) => abandoned({ JobId: undefined, RequestId: undefined, MessageId }));
    const error = { name: 'a\0b', message: 'c\0d' };
    const foreign = abandoned({ JobId: 'k', Outcome: 'dead-lettered', Reason: 'Rejected', Error: error });
    expect(await ledger.end([...odd, foreign])).toMatchObject({ unmatched: 6 });
    const [job] = await ledger.jobs();
    expect(await Array.fromAsync(ledger.unmatched(0))).toMatchObject([{ length: 3 }]);
    expect((await ledger.standing(job ?? expect.fail())).counts).toMatchObject({ failed: 1 });
  });

  describe('a lease', () => {
    const expire = "UPDATE ota_updater.leases SET expires_at = now() - interval '1 second'";

    test('is taken over when it has expired; its former holder then changes nothing, and is told so', async () => {
      const url = await server().createDatabase();
      const [dead, heir] = [await openOne(url), await openOne(url)];
      const { key } = await dead.begin(newJob);
      await dead.enter(key, [{ Row: 1, Identifier: 't1', Description: 'new' }]);
      const former = await leaseOf(dead, key);
      expect(await former.claim(1)).toHaveLength(1);
      expect(await heir.lease(key)).toBeUndefined();
      await query(url, expire);
      expect(await dead.isLeased(key)).toBe(false);
      const lease = await leaseOf(heir, key);
      const sendings = { sent: [{ row: 1, messageId: 'm' }], refused: [], untouched: [], maybeTwice: 0 };
      await expect(former.settle(sendings)).rejects.toThrow(LeaseLost);
      await expect(former.claim(1)).rejects.toThrow(LeaseLost);
      expect(former.lost.reason).toBeInstanceOf(LeaseLost);
      await former.release();
      expect(await dead.isLeased(key)).toBe(true);
      expect(await lease.recover()).toBe(1);
      expect(lease.lost.aborted).toBe(false);
    });

    test('that has expired and was not taken is held on by what its holder does', async () => {
      const url = await server().createDatabase();
      let ms = 0;
      const ledger = await openOne(url, 'create', { monotonic: () => ms });
      const { key } = await ledger.begin(newJob);
      await ledger.enter(key, [{ Row: 1, Identifier: 't1', Description: 'new' }]);
      const lease = await leaseOf(ledger, key);
      const before = lease.lost;
      ms = 9_000;
      expect(lease.lost.aborted).toBe(false);
      // As a process that was frozen: it knows before it has asked anybody.
      ms = 60_000;
      expect(lease.lost).toBe(before);
      expect(before.aborted).toBe(true);
      await query(url, expire);
      await send(lease, 1);
      expect(lease.lost.aborted).toBe(false);
      expect(await ledger.isLeased(key)).toBe(true);
    });
  });

  test('reads the rows that it changes, and not all of a job that has just been entered', async () => {
    const url = await server().createDatabase();
    const ledger = await openOne(url);
    const { key } = await ledger.begin(newJob);
    const names = Array.from({ length: 5_000 }, (_, i) => i + 1);
    await ledger.enter(
      key,
      names.map((Row) => ({ Row, Identifier: `t${Row}`, Description: 'new' })),
    );
    const lease = await leaseOf(ledger, key);
    for (let i = 0; i < 50; i++) await send(lease, 20);
    for (let i = 0; i < 50; i++) {
      const some = names.slice(i * 20, i * 20 + 20);
      const facts = (Row: number) => ({ Identifier: `t${Row}`, RequestId: requestIdOf({ Row, try: 1 }) });
      await ledger.end(some.map((Row) => outcome(facts(Row))));
    }
    expect(await ledger.count(key)).toMatchObject({ applied: 1_000, planned: 4_000 });
    let pages = 0;
    for await (const page of ledger.pages(key)) pages += page.length;
    expect(pages).toBe(5_000);
    await lease.release();
    // Its sessions say what they have read when they end.
    await ledger.close();
    const reads = `SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_user_tables
      WHERE schemaname = 'ota_updater' AND relname = 'rows'`;
    await expect
      .poll(async () => (await query(url, reads))[0])
      .toEqual({ read: expect.toSatisfy((read: number) => read >= 10_000 && read < 20_000) });
  });

  describe('where PostgreSQL knows of an earlier job, and nothing of the one of 5,000 rows,', () => {
    const names = Array.from({ length: 5_000 }, (_, i) => i + 1);

    /** A ledger that was analyzed before the job's rows were entered: it is taken for one row. */
    async function unknown() {
      const url = await server().createDatabase();
      const ledger = await openOne(url);
      for (const table of ['rows', 'parked', 'audit', 'left_out'])
        await query(url, `ALTER TABLE ota_updater.${table} SET (autovacuum_enabled = off)`);
      const earlier = 'generate_series(1, 5000) AS row';
      await query(
        url,
        `SET search_path = ota_updater;
         INSERT INTO rows (job, row, identifier, state) SELECT 99, row, 't', 'applied' FROM ${earlier};
         INSERT INTO parked (seq, job, message_id, name, row, state, cause)
           SELECT 1000000 + row, 99, row, 'n', row, 'applied', '' FROM ${earlier};
         ANALYZE`,
      );
      const { key } = await ledger.begin(newJob);
      await ledger.enter(key, names.map(taskRow));
      await ledger.close();
      return { url, key };
    }

    /** How many records `work` reads of a table. Sessions say what they have read when they end. */
    async function readsOf(url: string, table: string, work: (ledger: Ledger) => Promise<void>) {
      const reads = async (): Promise<number> => {
        const sessions = "SELECT FROM pg_stat_activity WHERE application_name = 'ota-updater'";
        await expect.poll(() => query(url, sessions)).toEqual([]);
        const counter = `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read FROM pg_stat_user_tables
          WHERE schemaname = 'ota_updater' AND relname = '${table}'`;
        return ((await query(url, counter)) as readonly { read: number }[])[0]?.read ?? 0;
      };
      const before = await reads();
      const ledger = await openOne(url);
      await work(ledger);
      await ledger.close();
      return (await reads()) - before;
    }

    test('a cancelled job is ended some rows at a time', async () => {
      const { url, key } = await unknown();
      const read = await readsOf(url, 'rows', async (ledger) => {
        let left = names.length;
        await ledger.change(key, { event: 'cancel', who: 'a@b' });
        for (; left > 0; left -= 500) expect(await ledger.cancelRows(key, 500)).toBe(500);
        expect(await ledger.cancelRows(key, 500)).toBe(0);
      });
      expect(read).toBeLessThan(3 * names.length);
    });

    test('rows are claimed, settled, reconciled, recovered and sent again by their numbers', async () => {
      const { url, key } = await unknown();
      const read = await readsOf(url, 'rows', async (ledger) => {
        const lease = await leaseOf(ledger, key);
        for (let i = 0; i < 10; i++) {
          const claimed = await lease.claim(100, () => 0.5);
          const sent = claimed.slice(0, 50).map(({ Row: row }) => ({ row, messageId: `m${row}` }));
          const refused = claimed.slice(50, 60).map(({ Row: row }) => ({ row, reason: 'too long' }));
          const untouched = claimed.slice(60, 90).map(({ Row }) => Row);
          await lease.settle({ sent, refused, untouched, maybeTwice: 0 });
          const [applied, again] = [sent.slice(0, 20), sent.slice(20, 40)].map((some) =>
            some.map(({ row }) => row),
          );
          await lease.reconcile({ applied: applied ?? [], again: again ?? [], gone: [] });
          expect(await lease.recover()).toBe(10);
          expect(await lease.retryFailed(anotherTry)).toBe(10);
        }
        await lease.release();
      });
      expect(read).toBeLessThan(2 * names.length);
    });

    test('the last row and the first page are found without the others', async () => {
      const { url, key } = await unknown();
      const read = await readsOf(url, 'rows', async (ledger) => {
        expect(await ledger.lastRow(key)).toBe(names.length);
        for (const filter of [{}, { state: 'planned' }, { state: 'failed' }] as const)
          await ledger.rowPage(key, filter, 0, 50);
        await ledger.standing((await ledger.job('j')) ?? expect.fail());
      });
      expect(read).toBeLessThan(200);
    });

    test('when the last of them was sent is found without the others, by a sender, too', async () => {
      const { url, key } = await unknown();
      await query(url, `UPDATE ota_updater.rows SET sent_at = 7 + row WHERE job = ${key}`);
      const read = await readsOf(url, 'rows', async (ledger) => {
        expect(await ledger.lastSent(key)).toBe(7 + names.length);
        const lease = await leaseOf(ledger, key);
        await lease.claim(1);
        await lease.release();
      });
      expect(read).toBeLessThan(20);
    });

    test('what is parked is found by the messages that were sent, and pruned some at a time', async () => {
      const { url, key } = await unknown();
      await query(
        url,
        `SET search_path = ota_updater; INSERT INTO parked (job, message_id, name, row, identifier, state, cause, at)
          SELECT ${key}, 'other' || row, 'n', row, identifier, 'applied', '', '2026-11-25T07:00:00.000Z' FROM rows
          WHERE job = ${key}`,
      );
      const adopting = await readsOf(url, 'parked', async (ledger) => {
        const lease = await leaseOf(ledger, key);
        for (let i = 0; i < 10; i++) await send(lease, 100);
        await lease.release();
      });
      expect(adopting).toBeLessThan(3_000);
      await query(url, `UPDATE ota_updater.parked SET job = 0, row = NULL WHERE job = ${key}`);
      const pruning = await readsOf(url, 'parked', async (ledger) => {
        for (let left = names.length; left > 0; left -= 500)
          expect(await ledger.pruneOutcomes(now + 1, 500)).toBe(500);
      });
      expect(pruning).toBeLessThan(3 * names.length);
    });

    test('lines of the audit are pruned some at a time', async () => {
      const { url } = await unknown();
      await query(
        url,
        `INSERT INTO ota_updater.audit (at, who, what, subject, detail)
          SELECT row, 'ann', 'purge', 'q', '{}' FROM generate_series(1, 5000) AS row`,
      );
      const read = await readsOf(url, 'audit', async (ledger) => {
        for (let left = 4_500; left > 0; left -= 500)
          expect(await ledger.pruneAudit(now, 500, 500)).toBe(500);
      });
      expect(read).toBeLessThan(3 * names.length);
    });
  });

  test('counts stay those of the rows when several processes change them at once', async () => {
    const url = await server().createDatabase();
    const [ledger, other] = [await openOne(url), await openOne(url)];
    const { key } = await ledger.begin(newJob);
    const names = Array.from({ length: 300 }, (_, i) => i + 1);
    await ledger.enter(
      key,
      names.map((Row) => ({ Row, Identifier: `t${Row}`, Description: 'new' })),
    );
    const lease = await leaseOf(ledger, key);
    const sending = (async () => {
      for (let i = 0; i < 30; i++) await send(lease, 10);
    })();
    const ends = names.map((Row) =>
      outcome({ Identifier: `t${Row}`, RequestId: `r${String(Row).padStart(6, '0')}.1` }),
    );
    const collecting = [ledger, other].flatMap((one) =>
      Array.from({ length: 10 }, (_, i) => one.end(ends.slice(i * 30, i * 30 + 30))),
    );
    await Promise.all([sending, ...collecting]);
    await ledger.end(ends);
    expect(await ledger.count(key)).toMatchObject({ total: 300, applied: 300, inFlight: 0, calls: 300 });
    const tallies =
      'SELECT state, sum(rows)::int AS rows FROM ota_updater.tallies WHERE rows <> 0 GROUP BY state';
    expect(await query(url, tallies)).toEqual([{ state: 'applied', rows: 300 }]);
  });
});
