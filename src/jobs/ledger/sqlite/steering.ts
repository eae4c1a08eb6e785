/** A job's state and settings, who changed them, and the notices to others. */
import type { StageProgress } from '../../rules/progress.ts';
import type {
  AuditLine,
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
import { toState } from '../shared/records.ts';
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
  toAuditLine,
  toldWith,
  toNotice,
} from '../shared/steering.ts';
import type { Database, Statement } from './database.ts';

const statements = {
  job: `SELECT ${STATE_COLUMNS} FROM jobs WHERE key = ?`,
  setState: SET_STATE,
  setProgress: 'UPDATE jobs SET counting = :counting WHERE key = :key',
  setControl: 'UPDATE jobs SET guards = :guards, counting = :counting, updated_at = :now WHERE key = :key',
  cancelRows: `UPDATE rows SET state = 'not-sent' WHERE job = :job AND row IN (
    SELECT row FROM rows INDEXED BY rows_planned WHERE job = :job AND state = 'planned' ORDER BY row LIMIT :max)`,
  tallies: talliesStatement((index) => `INDEXED BY ${index}`),
  addAudit: `INSERT INTO audit (at, who, what, subject, why, detail)
    VALUES (:now, :who, :what, :subject, :why, :detail)`,
  audit: 'SELECT * FROM audit WHERE seq < :before ORDER BY seq DESC LIMIT :max',
  auditOf: 'SELECT * FROM audit WHERE subject = :subject AND seq < :before ORDER BY seq DESC LIMIT :max',
  lastAudit: `SELECT * FROM audit WHERE subject = :subject AND what IN (:what, :orWhat)
    ORDER BY seq DESC LIMIT 1`,
  addNotice: `INSERT INTO notices (job, kind, at, state, counts, targets, due_at)
    VALUES (:job, :kind, :now, :state, :counts, :targets, :now)`,
  dueNotices: `SELECT notices.*, job_id FROM notices JOIN jobs ON jobs.key = notices.job
    WHERE due_at <= :now AND (targets <> :anyTarget OR at >= :anySince) AND EXISTS (SELECT 1 FROM json_each(targets) WHERE value IN (SELECT value FROM json_each(:targets))
      AND value NOT IN (SELECT value FROM json_each(told)))
    ORDER BY due_at, seq LIMIT :max`,
  hideNotice: `UPDATE notices SET due_at = :hiddenUntil,
    targets = CASE WHEN targets = :anyTarget THEN :named ELSE targets END WHERE seq = :id`,
  notice: 'SELECT targets, told FROM notices WHERE seq = ?',
  // A notice that all its targets have is never due again.
  noticeTold: `UPDATE notices SET told = :told, due_at = CASE WHEN :all THEN NULL ELSE due_at END WHERE seq = :id`,
  noticeFailed: 'UPDATE notices SET failures = failures + 1, due_at = ? WHERE seq = ? AND due_at IS NOT NULL',
} as const;

/** Opens no transaction: the caller does. */
export class Steering {
  readonly #sql: Readonly<Record<keyof typeof statements, Statement>>;
  readonly #now: () => number;

  constructor(db: Database, now: () => number) {
    this.#sql = db.prepareAll(statements);
    this.#now = now;
  }

  change(key: number, change: StateChange): boolean {
    const at = this.#now();
    const changed = changeState(this.#sql.job.get(key), change, at);
    if (changed === undefined) return false;
    this.#sql.setState.run({ ...stateColumns(changed.state), key });
    this.addAudit(changed.line);
    for (const notice of changed.notices) this.addNotice(key, notice, at);
    if (change.countsFrom !== undefined) this.#countFrom(key, change.countsFrom);
    return true;
  }

  /** For a job whose failed rows were planned again. */
  retry(key: number, { countsFrom, ...deed }: Retry): void {
    this.change(key, { event: 'retry', ...deed });
    this.#countFrom(key, countsFrom);
  }

  #countFrom(key: number, lastSent: number): void {
    const counting = countedFrom(this.#sql.job.get(key), this.#counts(key), lastSent);
    this.#sql.setProgress.run({ counting, key });
  }

  #counts(key: number): Counts {
    return toCounts(this.#sql.tallies.all({ job: key }));
  }

  setProgress(key: number, progress: StageProgress, before: StageProgress): boolean {
    const counting = changeProgress(this.#sql.job.get(key), progress, before);
    if (counting !== undefined) this.#sql.setProgress.run({ counting, key });
    return counting !== undefined;
  }

  setSettings(key: number, change: SettingsChange): boolean {
    const changed = changeControl(this.#sql.job.get(key), change);
    if (changed === undefined) return false;
    const { guards, counting, line } = changed;
    this.#sql.setControl.run({ guards, counting, now: this.#now(), key });
    this.addAudit(line);
    return true;
  }

  cancelRows(key: number, max: number): number {
    return isBeingCancelled(this.#sql.job.get(key)) ? this.#sql.cancelRows.run({ job: key, max }) : 0;
  }

  addAudit({ who, what, subject, why, detail }: NewAuditLine): void {
    const now = this.#now();
    this.#sql.addAudit.run({ now, who, what, subject, why: why ?? null, detail: JSON.stringify(detail) });
  }

  audit(max: number, subject: string | undefined, before = Number.MAX_SAFE_INTEGER): readonly AuditLine[] {
    const rows =
      subject === undefined
        ? this.#sql.audit.all({ before, max })
        : this.#sql.auditOf.all({ subject, before, max });
    return rows.map(toAuditLine);
  }

  lastAudit(subject: string, what: string, orWhat: string): AuditLine | undefined {
    const row = this.#sql.lastAudit.get({ subject, what, orWhat });
    return row && toAuditLine(row);
  }

  addNotice(key: number, { kind, targets }: NewNotice, now = this.#now()): void {
    if (targets.length === 0) return;
    const state = JSON.stringify(toState(this.#sql.job.get(key) ?? {}));
    const counts = JSON.stringify(this.#counts(key));
    const named = JSON.stringify(targets);
    this.#sql.addNotice.run({ job: key, kind, now, state, counts, targets: named });
  }

  takeNotices(targets: readonly string[], max: number, hiddenUntil: number): readonly PendingNotice[] {
    const now = this.#now();
    const due = { now, targets: JSON.stringify(targets), max, anyTarget, anySince: now - ANY_TARGET_MS };
    const taken = this.#sql.dueNotices.all(due).map(toNotice);
    const named = JSON.stringify(namedOf(targets));
    for (const { id } of taken) this.#sql.hideNotice.run({ hiddenUntil, anyTarget, named, id });
    return taken.map((notice) => takenBy(notice, targets));
  }

  noticeTold(id: number, target: string): void {
    const notice = this.#sql.notice.get(id);
    if (notice === undefined) return;
    const { told, all } = toldWith(notice, target);
    this.#sql.noticeTold.run({ told: JSON.stringify(told), all: all ? 1 : 0, id });
  }

  noticeFailed(id: number, nextAt: number): void {
    this.#sql.noticeFailed.run(nextAt, id);
  }
}
