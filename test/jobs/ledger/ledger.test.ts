import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EnqueueFailure } from '../../../src/input/faults.ts';
import { type Ledger, openLedger } from '../../../src/jobs/ledger/ledger.ts';
import { WITHOUT_JOB } from '../../../src/jobs/ledger/outcome-store.ts';
import { readOutcome } from '../../../src/jobs/run/outcome-message.ts';
import { parseRowName, rowName } from '../../../src/jobs/run/row-name.ts';
import type { Outcome } from '../../../src/message/outcome.ts';

function newLedger(): { ledger: Ledger; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  const ledger = openLedger(folder, () => Date.parse('2026-11-25T07:00:00Z'));
  onTestFinished(() => {
    ledger.close();
    rmSync(folder, { recursive: true });
  });
  return { ledger, folder };
}

const leftOut = { alreadyAsWanted: 0, refused: 0, duplicates: 0 };

/** A ledger with a job `j` of so many rows, none of them sent. */
function withJob(rows: number) {
  const { ledger, folder } = newLedger();
  const { key } = ledger.addJob({ jobId: 'j', path: 'p', source: 's', digest: 'sha256:1', leftOut });
  ledger.addRows(
    key,
    Array.from({ length: rows }, (_, i) => ({ Row: i + 1, Identifier: `t${i + 1}`, Description: 'new' })),
  );
  ledger.completeJob(key);
  return { ledger, folder, key };
}

let messages = 0;
const outcome = (facts: Partial<Outcome>): { outcome: Outcome } => ({
  outcome: {
    MessageId: `m${messages++}`,
    JobId: 'j',
    Identifier: 't1',
    RequestId: rowName(1, 1),
    Outcome: 'applied',
    Attempts: 1,
    At: '2026-11-25T07:00:01.000Z',
    ...facts,
  },
});
const letter = (facts: Partial<Outcome> = {}) =>
  outcome({
    Outcome: 'dead-lettered',
    Reason: 'Rejected',
    Error: { name: 'ValidationException', status: 400, message: 'no' },
    ...facts,
  });

const stateOf = (ledger: Ledger, key: number, row = 1) =>
  [...ledger.rows(key)].find((found) => found.row === row)?.state;

describe('the ledger', () => {
  test('gives every row out once, in order, and counts where they are', () => {
    const { ledger, key } = withJob(5);
    expect(ledger.claim(key, 3).map(({ row }) => row)).toEqual([1, 2, 3]);
    expect(ledger.claim(key, 10).map(({ row }) => row)).toEqual([4, 5]);
    ledger.recordSendings(key, { sent: [1, 2], refused: [{ row: 3, reason: 'too long' }], untouched: [4] });
    expect(ledger.counts(key)).toMatchObject({ total: 5, planned: 1, inFlight: 3, failed: 1, ended: 1 });
    expect(ledger.counts(key).causes).toEqual([{ cause: 'RefusedBySqs', rows: 1 }]);
    expect([...ledger.rows(key)].map(({ state, sends }) => `${state} ${sends}`)).toEqual([
      'sent 1',
      'sent 1',
      'refused 1',
      'planned 0',
      'sending 1',
    ]);
  });

  test('plans rows anew that a dead process was sending', () => {
    const { ledger, key } = withJob(3);
    ledger.claim(key, 2);
    expect(ledger.replanSending(key)).toBe(2);
    expect(ledger.job('j')?.plan?.maybeTwice).toBe(2);
    expect(ledger.claim(key, 9)).toMatchObject([
      { row: 1, try: 1, sends: 1 },
      { row: 2 },
      { row: 3, sends: 0 },
    ]);
  });

  test('keeps IssuedAt and digest of the first apply', () => {
    const { ledger } = withJob(1);
    const again = ledger.addJob({ jobId: 'j', path: 'q', source: 's', digest: 'sha256:2', leftOut });
    expect(again.plan).toMatchObject({ digest: 'sha256:1', path: 'p', issuedAt: '2026-11-25T07:00:00.000Z' });
  });

  test('takes a late dead letter of an earlier try for nothing, a late success for the end', () => {
    const { ledger, key } = withJob(2);
    ledger.claim(key, 2);
    ledger.recordSendings(key, { sent: [1, 2], refused: [], untouched: [] });
    const second = { Identifier: 't2', RequestId: rowName(2, 1) };
    ledger.store([letter(), letter(second)]);
    expect(ledger.retryFailed(key)).toBe(2);
    expect(ledger.claim(key, 9).map((row) => row.try)).toEqual([2, 2]);
    ledger.recordSendings(key, { sent: [1, 2], refused: [], untouched: [] });
    expect(ledger.store([letter({ At: '2026-11-25T08:00:00.000Z' }), outcome(second)])).toMatchObject({
      rows: 1,
      nothingNew: 1,
    });
    expect([stateOf(ledger, key, 1), stateOf(ledger, key, 2)]).toEqual(['sent', 'applied']);
    ledger.store([letter({ RequestId: rowName(1, 2) })]);
    expect(stateOf(ledger, key, 1)).toBe('dead-lettered');
  });

  test('ends a row alike in whatever order and however often its outcomes come', () => {
    const ends = ['applied', 'superseded', 'dead-lettered'] as const;
    const { ledger } = newLedger();
    let job = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ends), { minLength: 1, maxLength: 6 }), (told) => {
        const jobId = `p${job++}`;
        const { key } = ledger.addJob({ jobId, path: '', source: '', digest: 'd', leftOut });
        ledger.addRows(key, [{ Row: 1, Identifier: 't1', Description: 'new' }]);
        ledger.claim(key, 1);
        for (const Outcome of told) {
          const one =
            Outcome === 'dead-lettered' ? letter({ JobId: jobId }) : outcome({ JobId: jobId, Outcome });
          ledger.store([one, one]);
        }
        const final = told.find((end) => end !== 'dead-lettered') ?? 'dead-lettered';
        expect(stateOf(ledger, key)).toBe(final);
        expect(ledger.counts(key)).toMatchObject({ ended: 1, failed: final === 'dead-lettered' ? 1 : 0 });
      }),
      { numRuns: 40 },
    );
  });

  test('stores outcomes of jobs whose plan is elsewhere, of no job, and of no row', () => {
    const { ledger, key } = withJob(1);
    const strange = [
      outcome({ JobId: 'foreign', RequestId: 'row-000017' }),
      letter({ JobId: 'foreign', RequestId: 'row-000018' }),
      outcome({ JobId: undefined, RequestId: 'row-000017' }),
      outcome({ Identifier: 'another' }),
      outcome({ RequestId: rowName(7, 1) }),
    ];
    expect(ledger.store(strange)).toMatchObject({ rows: 0, parked: 5 });
    ledger.store(strange);
    const foreign = ledger.job('foreign');
    expect(foreign).toMatchObject({ plan: undefined });
    expect(ledger.parkedCounts(foreign?.key ?? -1)).toMatchObject({ ended: 2, applied: 1, failed: 1 });
    expect([...ledger.parked(WITHOUT_JOB)]).toHaveLength(1);
    expect([...ledger.parked(key)].map(({ name }) => name)).toEqual(['r000001.1', 'r000007.1']);
    expect(stateOf(ledger, key)).toBe('planned');
  });

  test('keeps what is no outcome aside, once, and goes on', () => {
    const { ledger, key } = withJob(1);
    const stray = readOutcome({ messageId: 'm', body: '{"Outcome":"\u001b[2J"}' });
    expect(ledger.store([stray, stray, outcome({})])).toMatchObject({ rows: 1, strays: 2 });
    expect(ledger.strays()).toBe(1);
    expect(stateOf(ledger, key)).toBe('applied');
  });

  test.each([0, 1_000_000, 2 ** 52, Number.MAX_SAFE_INTEGER])(
    'stays readable when outcomes claim %d calls each',
    (Attempts) => {
      const { ledger, key } = withJob(4);
      ledger.claim(key, 4);
      const ends = [1, 2, 3, 4].map((row) =>
        outcome({ Identifier: `t${row}`, RequestId: rowName(row, 1), Attempts }),
      );
      const foreign = [1, 2, 3].map((row) => outcome({ JobId: 'foreign', RequestId: `r${row}`, Attempts }));
      ledger.store([
        ...ends.map((end) => readOutcome({ messageId: 'm', body: JSON.stringify(end.outcome) })),
      ]);
      ledger.store(foreign);
      expect(ledger.counts(key)).toMatchObject({ applied: 4, calls: 4 * Math.min(Attempts, 1_000_000) });
      expect([...ledger.rows(key)].map(({ end }) => end.attempts)).toEqual(
        Array(4).fill(Math.min(Attempts, 1_000_000)),
      );
      expect(ledger.parkedCounts(ledger.job('foreign')?.key ?? -1)).toMatchObject({ applied: 3 });
    },
  );

  test('counts rows that are reconciled by sending them again among those that may have been sent twice', () => {
    const { ledger, key } = withJob(3);
    ledger.claim(key, 3);
    ledger.recordSendings(key, { sent: [1, 2, 3], refused: [], untouched: [] });
    expect(ledger.reconcile(key, { applied: [1], again: [2, 3, 3], gone: [] })).toMatchObject({ again: 2 });
    expect(ledger.job('j')?.plan?.maybeTwice).toBe(2);
  });

  test('lets one process at a time send a job', () => {
    const { ledger, folder, key } = withJob(1);
    const other = openLedger(folder, Date.now);
    onTestFinished(() => other.close());
    const unlock = ledger.lock(key);
    expect(unlock).toBeDefined();
    expect(other.lock(key)).toBeUndefined();
    other.lock(key + 1)?.();
    unlock?.();
    const locked = other.lock(key);
    expect(locked).toBeDefined();
    locked?.();
  });

  test('is left alone when a later version made it', () => {
    const { folder } = newLedger();
    const db = new DatabaseSync(join(folder, 'ledger.sqlite'));
    db.exec('PRAGMA user_version = 3');
    db.close();
    expect(() => openLedger(folder, Date.now)).toThrow(EnqueueFailure);
  });

  test('goes on with what an earlier version knows', () => {
    const { ledger, folder, key } = withJob(2);
    ledger.claim(key, 1);
    ledger.store([outcome({})]);
    const db = new DatabaseSync(join(folder, 'ledger.sqlite'));
    db.exec('DROP TABLE left_out; ALTER TABLE jobs DROP COLUMN left_out; PRAGMA user_version = 1');
    db.close();
    const now = openLedger(folder, Date.now);
    onTestFinished(() => now.close());
    expect(now.job('j')?.plan).toMatchObject({ rows: 2, leftOut: undefined });
    expect(now.counts(key)).toMatchObject({ total: 2, applied: 1 });
    now.addRows(key, [{ Row: 3, LeftOut: 'refused', Reason: 'no' }]);
    expect([...now.leftOut(key)]).toMatchObject([{ row: 3, state: 'refused', reason: 'no' }]);
    expect(now.lastRow(key)).toBe(3);
  });
});

test('a row name carries row and try, and nothing else is taken for one', () => {
  expect(rowName(17, 1)).toBe('r000017.1');
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000_000 }),
      fc.integer({ min: 1, max: 1_000 }),
      (row, attempt) => {
        expect(parseRowName(rowName(row, attempt))).toEqual({ row, try: attempt });
      },
    ),
  );
  for (const name of ['row-000017', 'r000017', 'r17.1', 'r000017.0', 'r0000017.1', 'r000000.1', 'r000017.1 '])
    expect(parseRowName(name)).toBeUndefined();
});
