/** Enters a job into the ledger, one batch per statement. */
import { endOfParked } from '../shared/matching.ts';
import { clearStatements } from '../shared/pruning.ts';
import { enterJob, type JobEntry, jobHere } from '../shared/transfer.ts';
import { columnsOfTable, isWhole, objectsOf, type TransferBatch } from '../transfer.ts';
import type { Transaction } from './database.ts';
import { isTaken } from './holding.ts';
import { columnsOf } from './statement.ts';

/** A job that comes back brings the audit lines that it left with. */
const newLine = `WHERE NOT EXISTS (SELECT 1 FROM audit AS a WHERE md5(a.subject) = md5(n.subject) AND a.subject = n.subject
  AND a.at = n.at AND a.who = n.who AND a.what = n.what AND a.detail = n.detail)`;

const addName = `INSERT INTO jobs (job_id, created_at, updated_at) VALUES (:jobId, 0, 0) ON CONFLICT (job_id) DO NOTHING`;

export function entryOf(transaction: Transaction): JobEntry {
  return {
    here: async (jobId) => {
      // Gives concurrent imports of one job a row to lock, so that they run one after the other.
      await transaction.run(addName, { jobId });
      return (await transaction.all(`${jobHere} FOR UPDATE`, { job_id: jobId }))[0];
    },
    hold: async (job) => (await transaction.all(isTaken, { job })).length === 0,
    clear: async (job) => {
      for (const text of clearStatements) await transaction.run(text, { job });
    },
    enterJob: async (record) => (await transaction.all(enterJob, record))[0],
    enter: async (job, batch) => await enterBatch(transaction, job, batch),
  };
}

async function enterBatch(transaction: Transaction, job: number, batch: TransferBatch): Promise<void> {
  const { table } = batch;
  const records = objectsOf(batch);
  const names = [...columnsOfTable(table)];
  if (table === 'parked') {
    names.push('cause');
    for (const record of records) record.cause = endOfParked(record).cause;
  }
  const arrays = names.map((name) => `:${name}::${isWhole(table, name) ? 'bigint' : 'text'}[]`);
  // The audit names its job by its subject.
  const own = table === 'audit' ? { name: '', value: '' } : { name: 'job, ', value: ':job::integer, ' };
  await transaction.run(
    `INSERT INTO ${table} (${own.name}${names.join(', ')})
      SELECT ${own.value}* FROM unnest(${arrays.join(', ')}) AS n (${names.join(', ')})
      ${table === 'audit' ? newLine : ''} ON CONFLICT DO NOTHING`,
    { job, ...columnsOf(names, records) },
  );
}
