/** Changes of a job's rows in the ledger's file. */
import { OWN_COLUMNS, requireOwn } from '../shared/own.ts';
import type { Database, Statement } from './database.ts';

/** Runs `work` as one transaction that changes a job's rows, or how they are sent. @throws JobMoved if another ledger has the job. */
export type ChangeOwn = <T>(key: number, work: () => T) => Promise<T>;

export function changeOwnIn(db: Database): ChangeOwn {
  const job: Statement = db.prepare(`SELECT ${OWN_COLUMNS} FROM jobs WHERE key = ?`);
  return (key, work) =>
    db.write(() => {
      requireOwn(job.get(key));
      return work();
    });
}
