/** A job's state and settings, who changed them, and the notices to others. Each function is part of a transaction. */
import type { StageProgress } from '../../rules/progress.ts';
import type {
  Counts,
  NewAuditLine,
  NewNotice,
  PendingNotice,
  Retry,
  SettingsChange,
  StateChange,
} from '../job.ts';
import { ANY_TARGET_MS } from '../ledger.ts';
import { toCounts } from '../shared/counts.ts';
import { type Raw, toState } from '../shared/records.ts';
import { talliesStatement } from '../shared/row-pages.ts';
import {
  anyTarget,
  changeControl,
  changeProgress,
  changeState,
  countedFrom,
  isBeingCancelled,
  namedOf,
  SET_STATE,
  STATE_COLUMNS,
  stateColumns,
  takenBy,
  toldWith,
  toNotice,
} from '../shared/steering.ts';
import type { Transaction } from './database.ts';

const statements = {
  job: `SELECT ${STATE_COLUMNS} FROM jobs WHERE key = :key FOR NO KEY UPDATE`,
  setState: SET_STATE,
  setProgress: 'UPDATE jobs SET counting = :counting WHERE key = :key',
  setControl: 'UPDATE jobs SET guards = :guards, counting = :counting, updated_at = :now WHERE key = :key',
  firstPlanned: `SELECT min(row) AS first, max(row) AS last FROM (
    SELECT row FROM rows WHERE job = :job AND state = 'planned' ORDER BY row LIMIT :max) AS chosen`,
  // Bounds as values, not as a subquery: for a job just entered, PostgreSQL would compare each row with each of its rows.
  cancelRows: `UPDATE rows SET state = 'not-sent'
    WHERE job = :job AND state = 'planned' AND row BETWEEN :first::bigint AND :last::bigint`,
  tallies: talliesStatement(() => ''),
  addAudit: `INSERT INTO audit (at, who, what, subject, why, detail)
    VALUES (:now, :who, :what, :subject, :why, :detail)`,
  addNotice: `INSERT INTO notices (job, kind, at, state, counts, targets, due_at)
    VALUES (:job, :kind, :now, :state, :counts, :targets, :now)`,
  // Skips notices that another process is taking.
  dueNotices: `SELECT notices.*, job_id FROM notices JOIN jobs ON jobs.key = notices.job
    WHERE due_at <= :now AND (targets <> :anyTarget OR at >= :anySince) AND EXISTS (SELECT 1 FROM json_array_elements_text(targets::json) AS t (name)
      WHERE name = ANY(:targets::text[]) AND name NOT IN (SELECT json_array_elements_text(told::json)))
    ORDER BY due_at, seq LIMIT :max FOR UPDATE OF notices SKIP LOCKED`,
  hideNotices: `UPDATE notices SET due_at = :hiddenUntil,
    targets = CASE WHEN targets = :anyTarget THEN :named ELSE targets END WHERE seq = ANY(:ids::bigint[])`,
  notice: 'SELECT targets, told FROM notices WHERE seq = :id FOR UPDATE',
  // A notice that all its targets have is never due again.
  noticeTold: `UPDATE notices SET told = :told, due_at = CASE WHEN :all = 1 THEN NULL ELSE due_at END WHERE seq = :id`,
} as const;

/** Statements that are complete transactions. */
export const steeringStatements = {
  noticeFailed: `UPDATE notices SET failures = failures + 1, due_at = :nextAt WHERE seq = :id AND due_at IS NOT NULL`,
  audit: 'SELECT * FROM audit WHERE seq < :before ORDER BY seq DESC LIMIT :max',
  auditOf: `SELECT * FROM audit WHERE md5(subject) = md5(:subject) AND subject = :subject AND seq < :before
    ORDER BY seq DESC LIMIT :max`,
  lastAudit: `SELECT * FROM audit WHERE md5(subject) = md5(:subject) AND subject = :subject
    AND what IN (:what, :orWhat) ORDER BY seq DESC LIMIT 1`,
} as const;

/** The job's row, locked. */
async function lockedJob(transaction: Transaction, key: number): Promise<Raw | undefined> {
  return (await transaction.all(statements.job, { key }))[0];
}

export async function changeJob(
  transaction: Transaction,
  key: number,
  change: StateChange,
  now: number,
): Promise<boolean> {
  const changed = changeState(await lockedJob(transaction, key), change, now);
  if (changed === undefined) return false;
  await transaction.run(statements.setState, { ...stateColumns(changed.state), key });
  await addAudit(transaction, changed.line, now);
  for (const notice of changed.notices) await addNotice(transaction, key, notice, now);
  if (change.countsFrom !== undefined) await countAgain(transaction, key, change.countsFrom);
  return true;
}

/** For a job whose failed rows were planned again. */
export async function retryJob(
  transaction: Transaction,
  key: number,
  { countsFrom, ...deed }: Retry,
  now: number,
): Promise<void> {
  await changeJob(transaction, key, { event: 'retry', ...deed }, now);
  await countAgain(transaction, key, countsFrom);
}

async function countAgain(transaction: Transaction, key: number, lastSent: number): Promise<void> {
  const job = await lockedJob(transaction, key);
  const counting = countedFrom(job, await countsOf(transaction, key), lastSent);
  await transaction.run(statements.setProgress, { counting, key });
}

async function countsOf(transaction: Transaction, key: number): Promise<Counts> {
  return toCounts(await transaction.all(statements.tallies, { job: key }));
}

export async function setProgress(
  transaction: Transaction,
  key: number,
  progress: StageProgress,
  before: StageProgress,
): Promise<boolean> {
  const counting = changeProgress(await lockedJob(transaction, key), progress, before);
  if (counting !== undefined) await transaction.run(statements.setProgress, { counting, key });
  return counting !== undefined;
}

export async function setSettings(
  transaction: Transaction,
  key: number,
  change: SettingsChange,
  now: number,
): Promise<boolean> {
  const changed = changeControl(await lockedJob(transaction, key), change);
  if (changed === undefined) return false;
  const { guards, counting, line } = changed;
  await transaction.run(statements.setControl, { guards, counting, now, key });
  await addAudit(transaction, line, now);
  return true;
}

export async function cancelRows(transaction: Transaction, key: number, max: number): Promise<number> {
  if (!isBeingCancelled(await lockedJob(transaction, key))) return 0;
  const [some] = await transaction.all(statements.firstPlanned, { job: key, max });
  if (some?.first == null) return 0;
  const { first, last } = some;
  return await transaction.run(statements.cancelRows, { job: key, first: Number(first), last: Number(last) });
}

export async function addAudit(
  transaction: Transaction,
  { who, what, subject, why, detail }: NewAuditLine,
  now: number,
): Promise<void> {
  const line = { now, who, what, subject, why: why ?? null, detail: JSON.stringify(detail) };
  await transaction.run(statements.addAudit, line);
}

export async function addNotice(
  transaction: Transaction,
  key: number,
  { kind, targets }: NewNotice,
  now: number,
): Promise<void> {
  if (targets.length === 0) return;
  const state = JSON.stringify(toState((await lockedJob(transaction, key)) ?? {}));
  const counts = JSON.stringify(await countsOf(transaction, key));
  const notice = { job: key, kind, now, state, counts, targets: JSON.stringify(targets) };
  await transaction.run(statements.addNotice, notice);
}

export async function takeNotices(
  transaction: Transaction,
  targets: readonly string[],
  max: number,
  hiddenUntil: number,
  now: number,
): Promise<readonly PendingNotice[]> {
  const due = { now, targets, max, anyTarget, anySince: now - ANY_TARGET_MS };
  const taken = (await transaction.all(statements.dueNotices, due)).map(toNotice);
  const named = JSON.stringify(namedOf(targets));
  if (taken.length > 0)
    await transaction.run(statements.hideNotices, {
      hiddenUntil,
      anyTarget,
      named,
      ids: taken.map(({ id }) => id),
    });
  return taken.map((notice) => takenBy(notice, targets));
}

export async function noticeTold(transaction: Transaction, id: number, target: string): Promise<void> {
  const [notice] = await transaction.all(statements.notice, { id });
  if (notice === undefined) return;
  const { told, all } = toldWith(notice, target);
  await transaction.run(statements.noticeTold, { told: JSON.stringify(told), all: all ? 1 : 0, id });
}
