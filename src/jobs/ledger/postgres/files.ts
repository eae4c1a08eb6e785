/** Files that `enqueue` sends under a job's name. */
import type { PlannedJob } from '../job.ts';
import type { EnqueuedFile, NewFile } from '../ledger.ts';
import { isWholeFile, placeOf, rowsOfFile } from '../shared/files.ts';
import { takesRows } from '../shared/own.ts';
import { readStatements } from '../shared/reader.ts';
import { toJob } from '../shared/records.ts';
import { enqueueLine } from '../shared/steering.ts';
import type { Transaction } from './database.ts';
import { addAudit } from './steering.ts';

const statements = {
  begin: `INSERT INTO jobs (job_id, path, source, digest, left_out, issued_at, enqueued, state, state_since,
      state_who, created_at, updated_at)
    VALUES (:jobId, :path, :source, :digest, '{"alreadyAsWanted":0,"refused":0,"duplicates":0}', :issuedAt, 1, 'running',
      :now, :who, :now, :now)
    ON CONFLICT (job_id) DO UPDATE SET path = excluded.path, source = excluded.source, digest = excluded.digest,
      left_out = excluded.left_out, issued_at = excluded.issued_at, enqueued = 1, state = 'running',
      state_since = excluded.state_since, state_who = excluded.state_who, updated_at = excluded.updated_at
    WHERE jobs.digest IS NULL`,
  lock: 'SELECT 1 FROM jobs WHERE job_id = :jobId FOR NO KEY UPDATE',
  addFile: `INSERT INTO files (job, digest, source, before, last, rows, issued_at)
    SELECT :job::integer, :digest::text, :source::text, coalesce(max(last), 0), coalesce(max(last), 0) + :last::bigint,
        :rows::bigint, :issuedAt::text
      FROM files WHERE job = :job
    ON CONFLICT (job, digest) DO UPDATE SET rows = greatest(files.rows, excluded.rows), complete = 0`,
  file: 'SELECT before, last, rows, issued_at, complete FROM files WHERE job = :job AND digest = :digest',
  rowsOfFile,
  // Complete again only when all its files are sent: then the rows that are there count.
  sumFiles: `UPDATE jobs SET updated_at = :now, path = :path, digest = :digest, complete = 0,
      rows = (SELECT sum(files.rows) FROM files WHERE job = :job),
      source = (SELECT string_agg(files.source, ', ' ORDER BY before) FROM files WHERE job = :job)
    WHERE key = :job`,
  completeFile: 'UPDATE files SET complete = 1 WHERE job = :job AND digest = :digest',
  openFile: 'SELECT 1 AS found FROM files WHERE job = :job AND complete = 0 LIMIT 1',
  countLeftOut: `UPDATE jobs SET left_out = json_build_object('alreadyAsWanted', 0, 'duplicates', 0,
    'refused', (SELECT count(*) FROM left_out WHERE job = jobs.key))::text WHERE key = :job`,
} as const;

export async function beginFile(
  transaction: Transaction,
  newFile: NewFile,
  now: number,
): Promise<EnqueuedFile> {
  const { jobId, path, source, digest, rows, last, who } = newFile;
  const issuedAt = new Date(now).toISOString();
  await transaction.run(statements.begin, { jobId, path, source, digest, issuedAt, who, now });
  await transaction.run(statements.lock, { jobId });
  const read = async (): Promise<PlannedJob> =>
    toJob((await transaction.all(readStatements.job, { jobId }))[0] ?? {}) as PlannedJob;
  const { key, plan } = await read();
  if (!plan.enqueued || !takesRows(plan.state))
    return { job: await read(), before: 0, issuedAt, isWhole: false };
  const of = { job: key, digest };
  const [known] = await transaction.all(statements.file, of);
  if (known?.complete === 1) {
    const range = { job: key, before: Number(known.before), last: Number(known.last) };
    const [there] = await transaction.all(statements.rowsOfFile, range);
    if (isWholeFile(newFile, known, there)) return { job: await read(), ...placeOf(known), isWhole: true };
  }
  if (known === undefined) await addAudit(transaction, enqueueLine(newFile), now);
  await transaction.run(statements.addFile, { ...of, source, last, rows, issuedAt });
  await transaction.run(statements.sumFiles, { ...of, path, now });
  const [file = {}] = await transaction.all(statements.file, of);
  return { job: await read(), ...placeOf(file), isWhole: false };
}

/** @returns whether all files of the job were sent completely. */
export async function completeFile(transaction: Transaction, job: number, digest: string): Promise<boolean> {
  await transaction.run(statements.completeFile, { job, digest });
  await transaction.run(statements.countLeftOut, { job });
  return (await transaction.all(statements.openFile, { job })).length === 0;
}
