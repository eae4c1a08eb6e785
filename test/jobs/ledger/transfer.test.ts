/** A job that moves between ledgers of every kind, and all that it takes along. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Lease, Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { openLedgerAt } from '../../../src/jobs/ledger/open.ts';
import { type LedgerRow, requestIdOf } from '../../../src/jobs/ledger/row.ts';
import { jobEvents } from '../../../src/jobs/ledger/state.ts';
import { columnsOfTable, type TransferBatch, transferTables } from '../../../src/jobs/ledger/transfer.ts';
import type { PlanRow } from '../../../src/jobs/plan/format.ts';
import { fromText, toText } from '../../../src/jobs/transfer/file.ts';
import { sleep, systemClock } from '../../../src/time/clock.ts';
import { allCases } from '../../../testing/cases.ts';
import { ledgerDatabases, postgresForTests } from '../../../testing/postgres/databases.ts';
import { postgresInstalled } from '../../../testing/postgres/server.ts';
import { abandoned, anotherTry, letter, newJob, now, outcome } from './contract.ts';

async function open(stateDir: string, ledgerUrl: string | undefined, at = now): Promise<Ledger> {
  const clock = { ...systemClock, wall: () => at };
  const context = { clock, sleep, random: Math.random, holder: 'ann@ops1' };
  const ledger = await openLedgerAt({ stateDir, ledgerUrl }, 'create', context);
  onTestFinished(() => ledger.close());
  return ledger;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const chunksOf = (text: string): AsyncIterable<Uint8Array> => Readable.from([Buffer.from(text)]);

async function exported(ledger: Ledger, copy = false): Promise<string> {
  const { key } = (await ledger.job('j')) ?? expect.fail();
  return (await Array.fromAsync(toText('j', ledger.exportJob(key, copy)))).join('');
}

const imported = (ledger: Ledger, text: string, takeOver = false) =>
  ledger.importJob(() => fromText('FILE', chunksOf(text)), { who: 'bob@ops2', from: 'FILE', takeOver });

/** As `jobs export` does it. */
async function moved(ledger: Ledger): Promise<string> {
  const { key } = (await ledger.job('j')) ?? expect.fail();
  expect(await ledger.change(key, { event: 'move', who: 'ann@ops1', why: 'Moved to FILE' })).toBe(true);
  return await exported(ledger);
}

async function stateOf(ledger: Ledger) {
  return (await ledger.job('j'))?.plan?.state ?? expect.fail();
}

const three: History = {
  rows: Array.from({ length: 3 }, () => ({ value: 'a', former: undefined, leftOut: undefined })),
  steps: ['send', 'end'],
};

/** Lives on, and stops. @returns how many rows it still had to send. */
async function goOn(ledger: Ledger): Promise<number> {
  const { key } = (await ledger.job('j')) ?? expect.fail();
  await ledger.change(key, { event: 'resume', who: 'ann@ops1' });
  const lease = (await ledger.lease(key)) ?? expect.fail();
  const rows = await lease.claim(20);
  await lease.settle({
    sent: rows.map(({ Row }) => ({ row: Row, messageId: `n${Row}` })),
    refused: [],
    untouched: [],
    maybeTwice: 0,
  });
  await lease.release();
  await ledger.change(key, { event: 'stop', who: 'ann@ops1' });
  await ledger.change(key, { event: 'settle', who: 'ann@ops1' });
  return rows.length;
}

/** The records of a file, without the line of the audit that an import adds. */
const recordsOf = (text: string): unknown[][] =>
  text
    .split('\n')
    .slice(1, -2)
    .map((line) => JSON.parse(line) as unknown[])
    .filter(([table, , , what]) => table !== 'audit' || what !== 'import');

/** What a ledger's methods do, so that each new one is put in its place. */
type Reading =
  | ('job' | 'jobs' | 'activeJobs' | 'lastRow' | 'audit' | 'isLeased' | 'exportJob' | 'count' | 'standing')
  | (
      | 'takesChanges'
      | 'lastAudit'
      | 'listed'
      | 'hasFormer'
      | 'lastSent'
      | 'measuredRate'
      | 'pages'
      | 'rowPage'
      | 'unmatched'
      | 'ofTask'
      | 'unended'
    );
/** Those that change nothing of a job's rows; or look at where it is and answer what they did, which has tests of its own. */
type Other =
  | ('close' | 'begin' | 'beginFile' | 'change' | 'addAudit' | 'takeNotices' | 'noticeTold' | 'noticeFailed')
  | ('addNotice' | 'pruneJob' | 'pruneAudit' | 'pruneOutcomes' | 'lease' | 'end' | 'importJob')
  | ('noteRun' | 'release');
/** All others change a job's rows, or what they are sent by. */
type Changing = Exclude<
  keyof Ledger | keyof Lease,
  Reading | Other | 'place' | 'setting' | 'access' | 'lost'
>;

type Step = 'send' | 'end' | 'fail' | 'retry' | 'foreign' | 'unmatched' | 'kill' | 'run' | 'change' | 'again';

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((one) => one.replaceAll('\0', ''));
const planRow = fc.record({
  value: fc.stringMatching(/^[0-9A-Za-z_\- ]{1,20}$/),
  former: fc.option(text, { nil: undefined }),
  leftOut: fc.option(text, { nil: undefined }),
});
const history = fc.record({
  rows: fc.array(planRow, { minLength: 1, maxLength: 12 }),
  steps: fc.array(
    fc.constantFrom<Step>(
      'send',
      'end',
      'fail',
      'retry',
      'foreign',
      'unmatched',
      'kill',
      'run',
      'change',
      'again',
    ),
    { maxLength: 12 },
  ),
});
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

async function live(ledger: Ledger, { rows, steps }: History): Promise<void> {
  const { key } = await ledger.begin({ ...newJob, source: 'a "b"\n', undoes: 'k' });
  const plan = rows.map(({ value, former, leftOut }, i): PlanRow => {
    const row = { Row: i + 1, Identifier: `t${i + 1}` };
    if (leftOut !== undefined) return { ...row, LeftOut: 'refused', Reason: leftOut };
    return { ...row, Description: value, ...(former !== undefined && { Former: { Description: former } }) };
  });
  await ledger.enter(key, plan);
  await ledger.complete(key);
  const lease = (await ledger.lease(key)) ?? expect.fail();
  let claimed: readonly LedgerRow[] = [];
  const facts = (row: LedgerRow) => ({
    Identifier: row.Identifier,
    RequestId: requestIdOf(row),
    MessageId: `m${row.Row}.${row.try}`,
    Attempts: row.Row,
  });
  for (const step of steps) {
    const [one] = claimed;
    if (step === 'send') {
      claimed = await lease.claim(3);
      const sent = claimed.slice(1).map((row) => ({ row: row.Row, messageId: facts(row).MessageId }));
      const refused = claimed.slice(0, 1).map(({ Row }) => ({ row: Row, reason: 'no "way"' }));
      await lease.settle({ sent, refused, untouched: [], maybeTwice: 1 });
    } else if (step === 'end') await ledger.end(claimed.map((row) => outcome(facts(row))));
    else if (step === 'fail') await ledger.end(claimed.map((row) => letter(facts(row))));
    else if (step === 'retry') await lease.retryFailed(anotherTry);
    else if (step === 'foreign') await ledger.end([outcome({ ...(one && facts(one)), MessageId: 'other' })]);
    else if (step === 'unmatched') await ledger.end([letter({ RequestId: 'row-9', MessageId: 'm9' })]);
    else if (step === 'kill') await lease.claim(1);
    else if (step === 'run') await lease.noteRun({ startedAt: now, ms: 20_000, rows: 200 });
    else if (step === 'change') await ledger.change(key, { event: 'release', who: 'ann@ops1', why: 'x' });
    else await lease.reconcile({ applied: claimed.slice(0, 1).map(({ Row }) => Row), again: [], gone: [] });
  }
  await lease.release();
}

async function standingOf(ledger: Ledger): Promise<unknown> {
  const job = (await ledger.job('j')) ?? expect.fail();
  const { job: found, ...standing } = await ledger.standing(job);
  return { ...standing, plan: found.plan, rate: await ledger.measuredRate() };
}

test('every column of a job is in the tables that it moves with', async () => {
  const path = folder();
  await open(path, undefined);
  const db = new DatabaseSync(join(path, 'ledger.sqlite'));
  for (const table of Object.keys(transferTables) as (keyof typeof transferTables)[]) {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    const own = columns
      .map(({ name }) => String(name))
      .filter((name) => !['key', 'seq', 'job', 'kept_state'].includes(name));
    expect(own.toSorted(), table).toEqual(columnsOfTable(table).toSorted());
  }
  db.close();
});

describe.skipIf(!postgresInstalled())('a job', () => {
  const server = postgresForTests();
  const database = ledgerDatabases(server);
  const kinds = {
    SQLite: async () => await open(folder(), undefined),
    PostgreSQL: async () => await open('/nowhere', await database()),
  };

  test('has the same columns in PostgreSQL', async () => {
    const url = await server().createDatabase();
    await open('/nowhere', url);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const table of Object.keys(transferTables) as (keyof typeof transferTables)[]) {
      const { rows } = await client.query<{ name: string }>(
        "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'ota_updater' AND table_name = $1",
        [table],
      );
      const made = table === 'parked' ? ['cause'] : [];
      const own = rows
        .map(({ name }) => name)
        .filter((name) => !['key', 'seq', 'job', 'kept_state', ...made].includes(name));
      expect(own.toSorted(), table).toEqual(columnsOfTable(table).toSorted());
    }
    await client.end();
  });

  test.each([
    ['SQLite', 'PostgreSQL'],
    ['PostgreSQL', 'SQLite'],
    ['SQLite', 'SQLite'],
  ] as const)('moves from %s to %s and back as it was, whatever has happened to it', async (from, to) => {
    await fc.assert(
      fc.asyncProperty(history, async (lived) => {
        const first = await kinds[from]();
        await live(first, lived);
        const file = await exported(first);
        const second = await kinds[to]();
        expect(await imported(second, file)).toBe('entered');
        expect(recordsOf(await exported(second))).toEqual(recordsOf(file));
        expect(await standingOf(second)).toEqual(await standingOf(first));
        expect(await second.audit(1, 'j')).toMatchObject([{ what: 'import', who: 'bob@ops2' }]);
        const third = await kinds[from]();
        expect(await imported(third, await exported(second))).toBe('entered');
        expect(await standingOf(third)).toEqual(await standingOf(first));
        // It lives on there.
        const { key } = (await third.job('j')) ?? expect.fail();
        const lease = (await third.lease(key)) ?? expect.fail();
        await lease.recover();
        await lease.claim(20);
        await lease.release();
        expect((await third.count(key)).planned).toBe(0);
      }),
      { numRuns: allCases() ? 12 : 4 },
    );
  });

  test.each(['SQLite', 'PostgreSQL'] as const)('is refused where it is already, in %s', async (kind) => {
    const ledger = await kinds[kind]();
    await live(ledger, { rows: [{ value: 'a', former: undefined, leftOut: undefined }], steps: [] });
    const file = await exported(ledger);
    expect(await imported(ledger, file)).toBe('here');
    expect(await imported(ledger, file, true)).toBe('here');
    expect(await exported(ledger)).toBe(file);
  });

  test.each(['SQLite', 'PostgreSQL'] as const)(
    'takes the place of what %s knew of it by outcomes alone',
    async (kind) => {
      const first = await kinds.SQLite();
      await live(first, { rows: [{ value: 'a', former: undefined, leftOut: undefined }], steps: ['send'] });
      const second = await kinds[kind]();
      await second.end([abandoned({ RequestId: 'row-7', MessageId: 'm7' })]);
      expect(await imported(second, await exported(first))).toBe('entered');
      const job = (await second.job('j')) ?? expect.fail();
      expect(await second.standing(job)).toMatchObject({ unmatched: 1, counts: { total: 1 } });
    },
  );

  describe.each(['SQLite', 'PostgreSQL'] as const)('that is moved from %s', (kind) => {
    async function made(): Promise<Ledger> {
      const ledger = await kinds[kind]();
      await live(ledger, three);
      const { key } = (await ledger.job('j')) ?? expect.fail();
      await ledger.change(key, { event: 'stop', who: 'ann@ops1', why: 'wrong file' });
      await ledger.change(key, { event: 'settle', who: 'ann@ops1' });
      return ledger;
    }

    test("is another ledger's from then on, and nothing but taking it over changes it here", async () => {
      const first = await made();
      const before = await stateOf(first);
      const file = await moved(first);
      const { key } = (await first.job('j')) ?? expect.fail();
      expect(await stateOf(first)).toMatchObject({ name: 'elsewhere', why: 'Moved to FILE', kept: before });
      for (const event of jobEvents.filter((one) => one !== 'take-over'))
        expect(await first.change(key, { event, who: 'ann@ops1' }), event).toBe(false);
      const faster = { change: () => ({ settings: { rate: 5 } }), who: 'ann@ops1' };
      await expect(first.setSettings(key, faster)).rejects.toMatchObject({ name: 'JobMoved' });
      expect((await first.job('j'))?.plan?.settings).toEqual({});
      expect(await first.activeJobs()).toEqual([]);
      const second = await kinds[kind]();
      expect(await imported(second, file)).toBe('entered');
      expect(await stateOf(second)).toEqual(before);
    });

    test('leaves outcomes on their queue for the ledger that has it', async () => {
      const first = await made();
      const second = await kinds[kind]();
      await moved(first);
      const late = letter({ Identifier: 't2', RequestId: 'r000002.1', MessageId: 'm2.1' });
      expect(await first.end([late])).toMatchObject({ rows: 0, left: [late] });
      await imported(second, await exported(first));
      expect(await second.end([late])).toMatchObject({ left: [] });
    });

    test('has its outcomes left on their queue however long they were there, as long as it is elsewhere', async () => {
      const first = await made();
      await moved(first);
      const before = await exported(first);
      const late = abandoned({ Identifier: 't2', RequestId: 'r000002.1', MessageId: 'm2.1' });
      const ended = await first.end([late]);
      expect(ended).toMatchObject({ rows: 0, unmatched: 0, foreign: 0, left: [late] });
      expect(ended.adopted.size).toBe(0);
      expect(await exported(first)).toBe(before);
      const copy = await kinds[kind]();
      await imported(copy, await exported(first, true));
      expect(await copy.end([late])).toMatchObject({ left: [late] });
      expect(await imported(first, before, true)).toBe('taken-over');
      expect(await first.end([late])).toMatchObject({ left: [] });
    });

    test('finds in the ledger that it enters the outcomes of its rows that this has kept before', async () => {
      const first = await kinds[kind]();
      await live(first, { rows: [...three.rows, ...three.rows], steps: ['send'] });
      const { key: from } = (await first.job('j')) ?? expect.fail();
      await first.change(from, { event: 'stop', who: 'ann@ops1' });
      await first.change(from, { event: 'settle', who: 'ann@ops1' });
      const file = await moved(first);
      const second = await kinds[kind]();
      const early = [
        abandoned({ Identifier: 't2', RequestId: 'r000002.1', MessageId: 'm2.1' }),
        { ...letter({ Identifier: 't3', RequestId: 'r000003.1', MessageId: 'redriven' }), abandoned: true },
        abandoned({ Identifier: 't5', RequestId: 'r000005.1', MessageId: 'other' }),
      ];
      early[1] = {
        ...early[1],
        outcome: { ...(early[1] ?? expect.fail()).outcome, OriginalMessageId: 'm3.1' },
      };
      expect(await second.end(early)).toMatchObject({ unmatched: 3 });
      // Of a copy nothing is taken: what is kept is for the ledger that has the job.
      expect(await imported(second, await exported(first, true))).toBe('copied');
      const third = await kinds[kind]();
      await third.end(early);
      expect(await imported(third, file)).toBe('entered');
      const ends = { counts: { applied: 1, failed: 2, inFlight: 0, planned: 3, calls: 2 }, unmatched: 1 };
      expect(await third.standing((await third.job('j')) ?? expect.fail())).toMatchObject(ends);
      expect(await third.end(early.slice(0, 2))).toMatchObject({ rows: 0, nothingNew: 2 });
      expect(await imported(second, file)).toBe('entered');
      expect(await second.standing((await second.job('j')) ?? expect.fail())).toMatchObject(ends);
    });

    test('ends rows that a file names by the outcomes of their last messages alone', async () => {
      const first = await kinds[kind]();
      const { job } = await first.beginFile({ ...newJob, rows: 3, last: 3 });
      const lease = (await first.lease(job.key)) ?? expect.fail();
      const named = (Row: number) => ({ Row, Identifier: `t${Row}`, Description: 'a', RequestId: 'x' });
      await lease.enterSending([1, 2, 3].map(named));
      const ids = (one: string) => [1, 2, 3].map((row) => ({ row, messageId: `${one}${row}` }));
      await lease.settle({ sent: ids('m'), refused: [], untouched: [], maybeTwice: 0 });
      const facts = (row: number, of: string) => ({
        Identifier: `t${row}`,
        RequestId: 'x',
        MessageId: `${of}${row}`,
      });
      await first.end([1, 2, 3].map((row) => letter(facts(row, 'm'))));
      await lease.retryFailed(anotherTry);
      const [one, two] = await lease.claim(2);
      const again = ids('n').filter(({ row }) => row === one?.Row || row === two?.Row);
      await lease.settle({ sent: again, refused: [], untouched: [], maybeTwice: 0 });
      await lease.release();
      await first.change(job.key, { event: 'stop', who: 'a@b' });
      await first.change(job.key, { event: 'settle', who: 'a@b' });
      const second = await kinds[kind]();
      const kept = [letter(facts(1, 'n')), letter(facts(2, 'm')), letter(facts(3, 'm'))];
      await second.end(kept.map((each) => ({ ...each, abandoned: true })));
      await imported(second, await moved(first));
      const rows = (await Array.fromAsync(second.pages((await second.job('j'))?.key ?? 0))).flat();
      expect(rows.map((row) => ('state' in row ? row.state : ''))).toEqual([
        'dead-lettered',
        'sent',
        'planned',
      ]);
    });

    test('has nothing of its rows changed here, whoever began that before', async () => {
      const first = await made();
      const { key } = (await first.job('j')) ?? expect.fail();
      const lease = (await first.lease(key)) ?? expect.fail();
      const file = await moved(first);
      const away = { name: 'JobMoved', message: expect.stringMatching(/^Job j was moved to another ledger/) };
      const changes: Readonly<Record<Changing, () => Promise<unknown>>> = {
        setSettings: () =>
          first.setSettings(key, { change: () => ({ settings: { rate: 5 } }), who: 'ann@ops1' }),
        enter: () => first.enter(key, [{ Row: 9, Identifier: 't9', Description: 'a' }]),
        complete: () => first.complete(key),
        completeFile: () => first.completeFile(key, newJob.digest),
        reissue: () => first.reissue(key, '2026-11-26T07:00:00Z'),
        setProgress: async () => {
          const { progress } = (await first.job('j'))?.plan ?? expect.fail();
          return await first.setProgress(key, progress, progress);
        },
        cancelRows: () => first.cancelRows(key, 9),
        recover: () => lease.recover(),
        claim: () => lease.claim(9),
        enterSending: () => lease.enterSending([{ Row: 9, Identifier: 't9', Description: 'a' }]),
        settle: () =>
          lease.settle({ sent: [], refused: [{ row: 1, reason: 'no' }], untouched: [], maybeTwice: 1 }),
        retryFailed: () => lease.retryFailed(anotherTry),
        reconcile: () => lease.reconcile({ applied: [2], again: [3], gone: [] }),
      };
      for (const [name, change] of Object.entries(changes))
        await expect(change(), name).rejects.toMatchObject(away);
      await lease.release();
      expect(await exported(first)).toBe(file);
    });

    test('takes no file while it is elsewhere', async () => {
      const first = await kinds[kind]();
      const newFile = { ...newJob, rows: 1, last: 1 };
      const { job } = await first.beginFile(newFile);
      await first.change(job.key, { event: 'stop', who: 'a@b' });
      await first.change(job.key, { event: 'settle', who: 'a@b' });
      const file = await moved(first);
      const other = await first.beginFile({ ...newFile, digest: 'sha256:2' });
      expect(other.job.plan.state.name).toBe('elsewhere');
      expect(await exported(first)).toBe(file);
    });

    test('is not entered while another process has its lease here, as one does that exports or prunes it', async () => {
      const first = await made();
      const file = await moved(first);
      const { key } = (await first.job('j')) ?? expect.fail();
      const lease = (await first.lease(key)) ?? expect.fail();
      expect(await imported(first, file, true)).toBe('busy');
      expect(await stateOf(first)).toMatchObject({ name: 'elsewhere' });
      await lease.release();
      expect(await imported(first, file, true)).toBe('taken-over');
      // And gives it up itself.
      await (await first.lease(key))?.release();
    });

    test('is had by nobody else until its import is over', async () => {
      const first = await made();
      const file = await moved(first);
      const { key } = (await first.job('j')) ?? expect.fail();
      const { promise: reading, resolve: isReading } = Promise.withResolvers<void>();
      const { promise: goOnReading, resolve: readOn } = Promise.withResolvers<void>();
      async function* slowly() {
        for await (const batch of fromText('FILE', chunksOf(file))) {
          yield batch;
          if (batch.table !== 'jobs') continue;
          isReading();
          await goOnReading;
        }
      }
      const importing = first.importJob(slowly, { who: 'bob@ops2', from: 'FILE', takeOver: true });
      await reading;
      let seen: string | undefined;
      const taking = first.lease(key).then(async (lease) => {
        seen = lease === undefined ? undefined : (await stateOf(first)).name;
        await lease?.release();
      });
      readOn();
      expect(await importing).toBe('taken-over');
      await taking;
      // Either it was refused, or it came after the import.
      expect([undefined, 'stopped']).toContain(seen);
    });

    test('is taken back whole by its file where a part of it was pruned', async () => {
      const first = await made();
      const standing = await standingOf(first);
      const file = await moved(first);
      const { key } = (await first.job('j')) ?? expect.fail();
      expect(await first.pruneJob(key, now + 86_400_000, 2)).toBe('more');
      expect(await imported(first, file, true)).toBe('entered');
      expect(await standingOf(first)).toMatchObject({ ...(standing as object), plan: expect.anything() });
      expect(recordsOf(await exported(first)).filter((one) => one[0] === 'rows')).toHaveLength(3);
    });

    test('is taken back whole by its file, too, where not all of it was entered, and a part was pruned', async () => {
      const first = await kinds[kind]();
      const { key } = await first.begin({ ...newJob, rows: 3 });
      await first.enter(
        key,
        [1, 2].map((Row) => ({ Row, Identifier: `t${Row}`, Description: 'a' })),
      );
      const file = await moved(first);
      expect(await first.pruneJob(key, now + 86_400_000, 1)).toBe('more');
      expect(await imported(first, file, true)).toBe('entered');
      expect(await stateOf(first)).toMatchObject({ name: 'planned' });
      expect(await first.lastRow(key)).toBe(2);
      expect(recordsOf(await exported(first)).filter((one) => one[0] === 'rows')).toHaveLength(2);
    });

    test('comes back cancelled without more ado, as nobody can send it', async () => {
      const first = await made();
      const second = await kinds[kind]();
      await imported(second, await moved(first));
      const { key } = (await second.job('j')) ?? expect.fail();
      await second.change(key, { event: 'cancel', who: 'bob@ops2' });
      await second.change(key, { event: 'settle', who: 'bob@ops2' });
      expect(await imported(first, await exported(second))).toBe('entered');
      expect(await stateOf(first)).toMatchObject({ name: 'cancelled' });
    });

    test('is not replaced as a copy by an older one', async () => {
      const first = await made();
      const old = await exported(first, true);
      const later = await open(folder(), undefined, now + 60_000);
      expect(await imported(later, old, true)).toBe('entered');
      const { key } = (await later.job('j')) ?? expect.fail();
      await later.change(key, { event: 'resume', who: 'bob@ops2' });
      await later.change(key, { event: 'pause', who: 'bob@ops2' });
      const latest = await exported(later, true);
      const third = await kinds[kind]();
      expect(await imported(third, latest)).toBe('copied');
      expect(await imported(third, old)).toBe('older');
      expect(await imported(third, old, true)).toBe('older');
      expect(await imported(third, latest, true)).toBe('entered');
    });

    test('comes back with all that has become of it, by its latest export alone', async () => {
      const first = await made();
      const early = await moved(first);
      const second = await kinds[kind]();
      await imported(second, early);
      const { key } = (await second.job('j')) ?? expect.fail();
      await second.change(key, { event: 'retry', who: 'bob@ops2' });
      await second.end([letter({ Identifier: 't1', RequestId: 'r000001.1', MessageId: 'n1' })]);
      await second.change(key, { event: 'pause', who: 'bob@ops2', why: 'later' });
      const late = await moved(second);
      expect(await imported(first, late)).toBe('entered');
      expect(await stateOf(first)).toMatchObject({ name: 'paused', who: 'bob@ops2', why: 'later' });
      const expected = recordsOf(late);
      expect(recordsOf(await exported(first)).toSorted()).toEqual(expected.toSorted());
      // What it left with is there once.
      const lines = await first.audit(50, 'j');
      expect(lines.filter(({ what }) => what === 'begin')).toHaveLength(1);
      expect(lines.map(({ what }) => what)).toContain('pause');
      expect(await imported(first, early, true)).toBe('here');
      await moved(first);
      expect(await imported(first, early, true)).toBe('older');
      expect(await imported(first, late, true)).toBe('older');
    });

    test('is taken back only where that is asked for, as it was', async () => {
      const first = await made();
      const [before, standing] = [await stateOf(first), await standingOf(first)];
      const file = await moved(first);
      expect(await imported(first, file)).toBe('moved');
      expect(await exported(first)).toBe(file);
      expect(await imported(first, file, true)).toBe('taken-over');
      const { since, ...after } = await stateOf(first);
      expect(after).toEqual({ name: before.name, who: 'bob@ops2', why: before.why });
      expect(since).toBeGreaterThan(before.since);
      expect(await standingOf(first)).toMatchObject({ ...(standing as object), plan: expect.anything() });
      expect(await first.audit(1, 'j')).toMatchObject([
        { what: 'take-over', who: 'bob@ops2', detail: { from: 'elsewhere', to: 'stopped' } },
      ]);
      expect(await goOn(first)).toBe(0);
    });

    test('is taken over from a newer copy of the ledger that is lost', async () => {
      const first = await made();
      const second = await open(folder(), undefined, now + 60_000);
      await imported(second, await moved(first));
      await goOn(second);
      const { key } = (await second.job('j')) ?? expect.fail();
      await second.change(key, { event: 'resume', who: 'bob@ops2' });
      await second.change(key, { event: 'pause', who: 'bob@ops2' });
      const copy = await exported(second, true);
      expect(await imported(first, copy)).toBe('copy');
      expect(await imported(first, copy, true)).toBe('entered');
      expect(await stateOf(first)).toMatchObject({ name: 'paused' });
    });

    test('is only looked at as a copy, which a newer one replaces, until it is taken over', async () => {
      const first = await made();
      const before = await stateOf(first);
      const copy = await exported(first, true);
      expect(await stateOf(first)).toEqual(before);
      const second = await kinds[kind]();
      expect(await imported(second, copy)).toBe('copied');
      expect(await stateOf(second)).toMatchObject({
        name: 'elsewhere',
        isCopy: true,
        kept: before,
        why: 'A copy, from FILE',
      });
      const { key } = (await second.job('j')) ?? expect.fail();
      expect(await second.change(key, { event: 'resume', who: 'bob@ops2' })).toBe(false);
      expect(await imported(second, copy)).toBe('copied');
      expect(await second.standing((await second.job('j')) ?? expect.fail())).toMatchObject({
        counts: { total: 3 },
      });
      expect(await imported(second, copy, true)).toBe('entered');
      const { isCopy, ...state } = await stateOf(second);
      expect([isCopy, state]).toEqual([undefined, before]);
    });

    test('is not mixed up with another job of its name', async () => {
      const first = await made();
      await moved(first);
      const second = await open(folder(), undefined, now + 1);
      await live(second, three);
      expect(await imported(first, await exported(second), true)).toBe('here');
    });

    test('can be pruned from where it was', async () => {
      const first = await made();
      await moved(first);
      const { key } = (await first.job('j')) ?? expect.fail();
      const steps: string[] = [];
      do steps.push(await first.pruneJob(key, now + 86_400_000, 1_000));
      while (steps.at(-1) === 'more');
      expect(steps.at(-1)).toBe('gone');
    });
  });

  test('of which two copies are entered at once is one of them whole, in PostgreSQL', async () => {
    const url = await database();
    const [ledger, other] = [await open('/nowhere', url), await open('/nowhere', url)];
    const first = await kinds.SQLite();
    await live(first, { ...three, steps: [] });
    const old = await exported(first, true);
    const { key } = (await first.job('j')) ?? expect.fail();
    const lease = (await first.lease(key)) ?? expect.fail();
    await first.setSettings(key, { change: () => ({ settings: { rate: 5 } }), who: 'a@b' });
    await lease.claim(3);
    await lease.release();
    const latest = await exported(first, true);
    const { promise: reading, resolve: isReading } = Promise.withResolvers<void>();
    const { promise: goOnReading, resolve: readOn } = Promise.withResolvers<void>();
    async function* slowly() {
      for await (const batch of fromText('FILE', chunksOf(old))) {
        yield batch;
        if (batch.table !== 'jobs') continue;
        isReading();
        await goOnReading;
      }
    }
    const importing = ledger.importJob(slowly, { who: 'bob@ops2', from: 'FILE' });
    await reading;
    const second = imported(other, latest);
    readOn();
    expect([await importing, await second]).toEqual(['copied', 'copied']);
    const found = recordsOf(await exported(ledger, true)).filter(([table]) => table === 'rows');
    expect(found).toEqual(recordsOf(latest).filter(([table]) => table === 'rows'));
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ['was changed', (one) => one.replace('"t1"', '"t9"'), /its digest does not match \(line \d+\)/],
    ['is cut short', (one) => `${one.split('\n').slice(0, -2).join('\n')}\n`, /is cut short/],
    ['lost a line', (one) => one.split('\n').toSpliced(2, 1).join('\n'), /does not match/],
    ['goes on', (one) => `${one}x\n`, /continues after its last line/],
    ['is none', () => 'Row,Identifier\n1,a\n', /is not an exported job/],
    ['is of another release', (one) => one.replace('"Form":1', '"Form":2'), /another release/],
    ['names another job', (one) => one.replace('["jobs","j"', '["jobs","k"'), /name two jobs/],
    ['holds what is no state', (one) => one.replace(/"planned"/g, '"odd"'), /was changed: state is not/],
    ['says that it is elsewhere', (one) => one.replace('"planned",null', '"elsewhere",null'), /state is not/],
    ['holds what are no settings', (one) => one.replace('"{}"', '"[1]"'), /was changed: guards is not/],
  ])('whose file %s leaves both kinds of ledger as they were', async (_, spoil, sentence) => {
    const first = await kinds.SQLite();
    const rows = Array.from({ length: 3 }, () => ({ value: 'a', former: undefined, leftOut: undefined }));
    await live(first, { rows, steps: [] });
    const file = spoil(await exported(first));
    for (const kind of ['SQLite', 'PostgreSQL'] as const) {
      const ledger = await kinds[kind]();
      await expect(imported(ledger, file)).rejects.toThrow(
        expect.objectContaining({ exitCode: 2, message: expect.stringMatching(sentence) }),
      );
      expect(await ledger.jobs()).toEqual([]);
      expect(await ledger.audit(9)).toEqual([]);
    }
  });
});

test('files of any shape are refused with a sentence, and nothing else is thrown', async () => {
  const record = fc.oneof(fc.json(), fc.string(), fc.constant('["rows",1]'), fc.constant('{"Records":0}'));
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 5 }), async (lines) => {
      const columns = Object.fromEntries(
        Object.keys(transferTables).map((table) => [table, columnsOfTable(table as 'rows')]),
      );
      const header = JSON.stringify({ ExportedJob: 'j', Form: 1, Columns: columns });
      const reading = Array.fromAsync<TransferBatch>(fromText('f', chunksOf([header, ...lines].join('\n'))));
      await expect(reading).rejects.toThrow(expect.objectContaining({ exitCode: 2 }));
    }),
  );
});
