/** What is done with a ledger, step by step: each gives the same, and leaves the same, whatever is in its way. */
import { expect } from 'vitest';
import type { Lease, Ledger } from '../../../src/jobs/ledger/ledger.ts';
import { type LedgerRow, requestIdOf } from '../../../src/jobs/ledger/row.ts';
import type { LeftOutRow } from '../../../src/jobs/plan/format.ts';
import { anotherTry, letter, newJob, outcome, taskRow } from './contract.ts';

export interface Use {
  readonly ledger: Ledger;
  readonly lease: Lease;
  readonly key: number;
}

const rows = Array.from({ length: 6 }, (_, i) => taskRow(i + 1));
const ofRow = (Row: number) => ({ Identifier: `t${Row}`, RequestId: requestIdOf({ Row, try: 1 }) });
const sent = (...numbers: readonly number[]) => ({
  sent: numbers.map((row) => ({ row, messageId: `m-${requestIdOf({ Row: row, try: 1 })}` })),
  refused: [],
  untouched: [],
  maybeTwice: 1,
});

/** What is done one after the other; each gives the same result whether a connection has broken in it or not. */
export const steps: readonly (readonly [string, (use: Use) => Promise<unknown>])[] = [
  ['enter', ({ ledger, key }) => ledger.enter(key, rows)],
  ['enter what was left out', ({ ledger, key }) => ledger.enter(key, [{ Row: 7, LeftOut: 'duplicate' }])],
  ['complete', ({ ledger, key }) => ledger.complete(key)],
  ['change', ({ ledger, key }) => ledger.change(key, { event: 'release', who: 'ann@ops1' })],
  ['claim', ({ lease }) => lease.claim(3)],
  ['claim a sample', ({ lease }) => lease.claim(2, () => 0.5)],
  ['settle', ({ lease }) => lease.settle(sent(1, 2, 3))],
  ['recover', ({ lease }) => lease.recover()],
  ['note', ({ lease }) => lease.noteRun({ startedAt: 1, ms: 2, rows: 3 })],
  ['end', ({ ledger }) => ledger.end([outcome(ofRow(1)), letter(ofRow(2)), outcome({ JobId: undefined })])],
  ['retry', ({ lease }) => lease.retryFailed(anotherTry)],
  ['reconcile', ({ lease }) => lease.reconcile({ applied: [], again: [3], gone: [] })],
  ['audit', ({ ledger }) => ledger.addAudit({ who: 'a', what: 'b', subject: 'c', why: 'd', detail: {} })],
  ['notice', ({ ledger, key }) => ledger.addNotice(key, { kind: 'stuck', targets: ['x'] })],
  [
    'take notices',
    // A number that a transaction took that came to nothing is not given again.
    async ({ ledger }) =>
      (await ledger.takeNotices(['x'], 5, Date.now() + 60_000)).map(({ id: _, ...notice }) => notice),
  ],
  ['cancel', ({ ledger, key }) => ledger.change(key, { event: 'cancel', who: 'ann@ops1' })],
  ['cancel rows', ({ ledger, key }) => ledger.cancelRows(key, 2)],
];

/** All that a ledger has, without what differs from run to run. */
export async function contentOf({ ledger, key }: Use): Promise<unknown> {
  const job = (await ledger.job(newJob.jobId)) ?? expect.fail();
  const { foreign, reconciled, unmatched, counts } = await ledger.standing(job);
  const { maybeTwice } = job.plan ?? expect.fail();
  return {
    rows: inOrderOfSending((await Array.fromAsync(ledger.pages(key))).flat()),
    counts,
    standing: { foreign, reconciled, unmatched, maybeTwice },
    audit: (await ledger.audit(50)).map(({ what }) => what),
    unmatched: (await Array.fromAsync(ledger.unmatched(0))).flat(),
  };
}

/** Rows with the place of their `sentAt` among all: a time that a transaction took that came to nothing is not given again. */
function inOrderOfSending(rows: readonly (LedgerRow | LeftOutRow)[]): unknown[] {
  const timeOf = (row: LedgerRow | LeftOutRow): number => ('sentAt' in row ? (row.sentAt ?? 0) : 0);
  const times = [...new Set(rows.map(timeOf))].toSorted((a, b) => a - b);
  return rows.map((row) => ({ ...row, sentAt: times.indexOf(timeOf(row)) }));
}
