/** Files that `enqueue` sends under a job's name. */
import type { PlannedJob } from '../job.ts';
import type { EnqueuedFile, NewFile } from '../ledger.ts';
import { isWholeFile, placeOf, rowsOfFile } from '../shared/files.ts';
import { takesRows } from '../shared/own.ts';
import { toJob } from '../shared/records.ts';
import type { Database, Statement } from './database.ts';

const statements = {
  job: 'SELECT * FROM jobs WHERE job_id = ?',
  begin: `INSERT INTO jobs (job_id, path, source, digest, left_out, issued_at, enqueued, state, state_since,
      state_who, created_at, updated_at)
    VALUES (:jobId, :path, :source, :digest, '{"alreadyAsWanted":0,"refused":0,"duplicates":0}', :issuedAt, 1, 'running',
      :now, :who, :now, :now)
    ON CONFLICT (job_id) DO UPDATE SET path = :path, source = :source, digest = :digest, left_out = excluded.left_out,
      issued_at = :issuedAt, enqueued = 1, state = 'running', state_since = :now, state_who = :who, updated_at = :now
    WHERE digest IS NULL`,
  addFile: `INSERT INTO files (job, digest, source, before, last, rows, issued_at)
    SELECT :job, :digest, :source, ifnull(max(last), 0), ifnull(max(last), 0) + :last, :rows, :issuedAt
      FROM files WHERE job = :job
    ON CONFLICT DO UPDATE SET rows = max(rows, :rows), complete = 0`,
  file: 'SELECT before, last, rows, issued_at, complete FROM files WHERE job = ? AND digest = ?',
  rowsOfFile,
  // Complete again only when all its files are sent: then the rows that are there count.
  sumFiles: `UPDATE jobs SET updated_at = :now, path = :path, digest = :digest, complete = 0,
      rows = (SELECT sum(rows) FROM files WHERE job = :job),
      source = (SELECT group_concat(source, ', ') FROM files WHERE job = :job)
    WHERE key = :job`,
  completeFile: 'UPDATE files SET complete = 1 WHERE job = ? AND digest = ?',
  openFile: 'SELECT 1 FROM files WHERE job = ? AND complete = 0 LIMIT 1',
  countLeftOut: `UPDATE jobs SET left_out = json_object('alreadyAsWanted', 0, 'duplicates', 0,
    'refused', (SELECT count(*) FROM left_out WHERE job = jobs.key)) WHERE key = ?`,
} as const;

/** Opens no transaction: the caller does. */
export class FileStore {
  readonly #sql: Readonly<Record<keyof typeof statements, Statement>>;
  readonly #now: () => number;

  constructor(db: Database, now: () => number) {
    this.#sql = db.prepareAll(statements);
    this.#now = now;
  }

  begin(newFile: NewFile): EnqueuedFile & { readonly isNew: boolean } {
    const { jobId, path, source, digest, rows, last, who } = newFile;
    const now = this.#now();
    const issuedAt = new Date(now).toISOString();
    this.#sql.begin.run({ jobId, path, source, digest, issuedAt, who, now });
    const read = (): PlannedJob => toJob(this.#sql.job.get(jobId) ?? {}) as PlannedJob;
    const job = read();
    const asItIs = { job, isNew: false };
    if (!job.plan.enqueued || !takesRows(job.plan.state))
      return { ...asItIs, before: 0, issuedAt, isWhole: false };
    const known = this.#sql.file.get(job.key, digest);
    if (known?.complete === 1) {
      const range = { job: job.key, before: Number(known.before), last: Number(known.last) };
      const there = this.#sql.rowsOfFile.get(range);
      if (isWholeFile(newFile, known, there)) return { ...asItIs, ...placeOf(known), isWhole: true };
    }
    this.#sql.addFile.run({ job: job.key, digest, source, last, rows, issuedAt });
    this.#sql.sumFiles.run({ job: job.key, path, digest, now });
    const file = this.#sql.file.get(job.key, digest) ?? {};
    return { job: read(), ...placeOf(file), isWhole: false, isNew: known === undefined };
  }

  /** @returns whether all files of the job were sent completely. */
  complete(key: number, digest: string): boolean {
    this.#sql.completeFile.run(key, digest);
    this.#sql.countLeftOut.run(key);
    return this.#sql.openFile.get(key) === undefined;
  }
}
