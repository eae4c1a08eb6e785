/** Exports a job from the ledger's file, or enters it. */
import { clearStatements } from '../shared/pruning.ts';
import { enterJob, type JobEntry, jobHere, tablesInOrder } from '../shared/transfer.ts';
import { columnsOfTable, objectsOf } from '../transfer.ts';
import type { Database, Statement } from './database.ts';

/** Rows are entered together with their ends; the calls they took are counted when all rows are in. */
const countCalls = `UPDATE tallies SET (calls, calls_of) = (
    SELECT ifnull(sum(attempts), 0), count(CASE WHEN attempts > 0 THEN 1 END) FROM rows
      WHERE rows.job = tallies.job AND rows.state = tallies.state AND rows.cause = tallies.cause)
  WHERE job = ?`;

/** A job that comes back brings the audit lines that it left with. */
const newLine = `NOT EXISTS (SELECT 1 FROM audit
  WHERE subject = :subject AND at = :at AND who = :who AND what = :what AND detail = :detail)`;

/** Opens no transaction: the caller does. @param hold see {@link JobEntry}. */
export function entryOf(
  db: Database,
  hold: (job: number) => boolean,
): JobEntry & { readonly finish: (job: number) => void } {
  const job = db.prepare(enterJob);
  const others = new Map<string, Statement>(
    tablesInOrder.map((table) => {
      const columns = columnsOfTable(table);
      // The audit names its job by its subject.
      const own = table === 'audit' || table === 'jobs' ? [] : ['job'];
      const names = [...own, ...columns];
      return [
        table,
        db.prepare(
          `INSERT INTO ${table} (${names.join(', ')}) SELECT ${names.map((name) => `:${name}`).join(', ')} WHERE ${table === 'audit' ? newLine : 'true'}
            ON CONFLICT DO NOTHING`,
        ),
      ];
    }),
  );
  return {
    hold,
    here: (jobId) => db.prepare(jobHere).get({ job_id: jobId }),
    clear: (key) => {
      for (const text of clearStatements) db.prepare(text).run({ job: key });
    },
    enterJob: (record) => job.get(record),
    enter: (key, batch) => {
      const own = batch.table === 'audit' ? {} : { job: key };
      for (const record of objectsOf(batch)) others.get(batch.table)?.run({ ...record, ...own });
    },
    finish: (key) => void db.prepare(countCalls).run(key),
  };
}
