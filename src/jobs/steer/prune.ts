/** Deletes data of jobs that are over when it is no longer needed. */
import { setImmediate } from 'node:timers/promises';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isOverSince } from '../ledger/shared/pruning.ts';
import type { Deed } from './deed.ts';

/** Rows per transaction: other processes wait for tenths of a second. */
const ROWS_AT_ONCE = 5_000;
/** Number of audit lines that stay, however old they are. */
const KEPT_AUDIT = 10_000;

export interface Prunable {
  readonly job: JobRecord;
  /** Rows to change, and rows that the plan left out; for a job whose plan is elsewhere, its outcomes. */
  readonly rows: number;
}

/** Jobs that have been over since `before`, oldest first. @param before epoch milliseconds. */
export async function findPrunable(
  ledger: Pick<Ledger, 'jobs' | 'listed'>,
  before: number,
): Promise<readonly Prunable[]> {
  const over = (await ledger.jobs()).filter((job) => isOverSince(job, before)).reverse();
  const found: Prunable[] = [];
  for (const job of over) {
    const { total } = (await ledger.listed(job)).counts;
    const { alreadyAsWanted = 0, refused = 0, duplicates = 0 } = job.plan?.leftOut ?? {};
    found.push({ job, rows: total + alreadyAsWanted + refused + duplicates });
  }
  return found;
}

/**
 * Deletes one job, in short transactions.
 * @returns whether it is gone; false if a process sends it, or something has happened to it meanwhile.
 * @throws the signal's reason when it aborts: some of its rows are then gone, and pruning it again continues.
 */
export async function pruneJob(
  ledger: Pick<Ledger, 'lease' | 'pruneJob' | 'addAudit'>,
  { job: { key, jobId }, rows }: Prunable,
  before: number,
  { who, why }: Deed,
  signal: AbortSignal,
): Promise<boolean> {
  const lease = await ledger.lease(key);
  if (lease === undefined) return false;
  try {
    for (;;) {
      await letOthers(signal);
      const step = await ledger.pruneJob(key, before, ROWS_AT_ONCE);
      if (step === 'kept') return false;
      if (step === 'more') continue;
      await ledger.addAudit({ who, what: 'prune', subject: jobId, why, detail: { rows } });
      return true;
    }
  } finally {
    await lease.release();
  }
}

/** Deletes old audit lines, and old outcomes that name no job; the latter are recorded in the audit. @returns how many of each. */
export async function pruneRest(
  ledger: Pick<Ledger, 'pruneAudit' | 'pruneOutcomes' | 'addAudit'>,
  before: number,
  { who, why }: Deed,
  signal: AbortSignal,
): Promise<{ readonly auditLines: number; readonly outcomes: number }> {
  const all = async (some: () => Promise<number>): Promise<number> => {
    for (let sum = 0; ; ) {
      await letOthers(signal);
      const deleted = await some();
      sum += deleted;
      if (deleted === 0) return sum;
    }
  };
  const gone = {
    auditLines: await all(() => ledger.pruneAudit(before, KEPT_AUDIT, ROWS_AT_ONCE)),
    outcomes: await all(() => ledger.pruneOutcomes(before, ROWS_AT_ONCE)),
  };
  if (gone.auditLines + gone.outcomes > 0)
    await ledger.addAudit({ who, what: 'prune', subject: 'log of changes', why, detail: gone });
  return gone;
}

/** SQLite never yields to the event loop: this pause lets signals be handled, and other processes use the file. */
async function letOthers(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}
