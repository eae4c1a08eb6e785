/** Reads a ledger, the same way for every database: statements, and the conversion of their rows. */
import { setImmediate } from 'node:timers/promises';
import type { LeftOutRow } from '../../plan/format.ts';
import type { Counts, JobRecord, JobStanding, MeasuredRate, PlannedJob } from '../job.ts';
import type { LedgerRow, RowFilter, RowPage, UnmatchedOutcome } from '../row.ts';
import type { TaskRecords } from '../task.ts';
import { measuredRateOf, timesOf, toCounts } from './counts.ts';
import { pagesOf } from './pages.ts';
import {
  LEFT_OUT_COLUMNS,
  type Raw,
  ROW_COLUMNS,
  toEitherRow,
  toJob,
  toLedgerRow,
  toUnmatched,
} from './records.ts';
import { type IndexedStatement, pageOf, searchOf } from './row-pages.ts';
import { taskStatements, toTaskRecords } from './task-records.ts';

/** Parameters are named `:name`. */
export const readStatements = {
  job: 'SELECT * FROM jobs WHERE job_id = :jobId',
  jobs: 'SELECT * FROM jobs ORDER BY updated_at DESC, key DESC',
  activeJobs: `SELECT * FROM jobs WHERE digest IS NOT NULL AND state IN ('scheduled', 'running', 'paused', 'stopping')
    ORDER BY key`,
  times: `SELECT min(started_at) AS started, max(started_at + ms) AS last, sum(ms) AS ms, sum(rows) AS rows
    FROM runs WHERE job = :job`,
  // A short run shows how soon the first row ended rather than how fast rows end.
  longRuns: `SELECT runs.ms, runs.rows, job_id FROM runs JOIN jobs ON jobs.key = runs.job
    WHERE runs.ms >= 10000 AND runs.rows >= 100 ORDER BY seq DESC LIMIT 3`,
  // Jobs that were begun before this one undo an earlier job of the same name; a job imported since has a later key.
  undosOf: `SELECT undo.* FROM jobs AS undo JOIN jobs AS job ON job.key = :job AND undo.undoes = job.job_id
    WHERE undo.digest IS NOT NULL AND (undo.key > job.key OR undo.created_at > job.created_at) ORDER BY undo.key DESC`,
  hasFormer: "SELECT 1 AS found FROM rows WHERE job = :job AND coalesce(former, '{}') <> '{}' LIMIT 1",
  foreign: 'SELECT count(*) AS outcomes FROM parked WHERE job = :job AND row IS NOT NULL',
  // LIMIT in each part, too: otherwise PostgreSQL would sort all following rows for each page.
  page: `SELECT * FROM (SELECT ${ROW_COLUMNS}, NULL AS left_out FROM rows
      WHERE job = :job AND row > :after ORDER BY row LIMIT :max) AS changed
    UNION ALL SELECT * FROM (SELECT ${LEFT_OUT_COLUMNS} FROM left_out
      WHERE job = :job AND row > :after ORDER BY row LIMIT :max) AS kept
    ORDER BY 1 LIMIT :max`,
  unmatched: 'SELECT * FROM parked WHERE job = :job AND seq > :after ORDER BY seq LIMIT :max',
  ...taskStatements,
} as const;

/**
 * `unmatchedTallies`: `state`, `cause` and `rows` of the outcomes of `:job` that name no row. Each database has its own text for
 * this statement and for those that read by an index.
 */
export type ReadStatement = keyof typeof readStatements | IndexedStatement | 'unmatchedTallies';

const MAX_LAST_FAILED = 5;
/** Rows that a search looks at in one step, and in total. */
const SEARCH_STEP = 25_000;
const SEARCHED_ROWS = 500_000;

/** The part of a ledger that reads. */
export abstract class LedgerReader {
  protected abstract select(
    statement: ReadStatement,
    parameters: Readonly<Record<string, string | number>>,
  ): readonly Raw[] | Promise<readonly Raw[]>;

  abstract isLeased(key: number): Promise<boolean>;
  abstract lastRow(key: number): Promise<number>;

  async #first(statement: ReadStatement, parameters: Readonly<Record<string, string | number>>) {
    const [raw] = await this.select(statement, parameters);
    return raw;
  }

  async job(jobId: string): Promise<JobRecord | undefined> {
    const raw = await this.#first('job', { jobId });
    return raw === undefined ? undefined : toJob(raw);
  }

  async jobs(): Promise<readonly JobRecord[]> {
    return (await this.select('jobs', {})).map(toJob);
  }

  async activeJobs(): Promise<readonly PlannedJob[]> {
    return (await this.select('activeJobs', {})).map((raw) => toJob(raw) as PlannedJob);
  }

  async count(key: number): Promise<Counts> {
    return toCounts(await this.select('tallies', { job: key }));
  }

  async listed(job: JobRecord): Promise<Pick<JobStanding, 'job' | 'counts' | 'leased'>> {
    if (job.plan !== undefined)
      return { job, counts: await this.count(job.key), leased: await this.isLeased(job.key) };
    return { job, counts: await this.#unmatchedCounts(job.key), leased: false };
  }

  async #unmatchedCounts(job: number): Promise<Counts> {
    return toCounts(await this.select('unmatchedTallies', { job }));
  }

  async standing(job: JobRecord): Promise<JobStanding> {
    const listed = await this.listed(job);
    if (job.plan === undefined)
      return {
        ...listed,
        times: undefined,
        lastFailed: [],
        undos: [],
        reconciled: 0,
        foreign: 0,
        unmatched: 0,
      };
    const of = { job: job.key };
    const { at: last } = (await this.#first('lastEnd', of)) ?? {};
    return {
      ...listed,
      lastFailed:
        job.plan.state.name === 'stopped' || job.plan.state.name === 'aborted'
          ? (await this.select('lastFailed', { ...of, max: MAX_LAST_FAILED })).map(toLedgerRow)
          : [],
      undos: await this.#undosOf(job.key),
      times: timesOf(job, listed.counts, (await this.#first('times', of)) ?? {}, last),
      reconciled: Number((await this.#first('reconciled', of))?.rows ?? 0),
      foreign: Number((await this.#first('foreign', of))?.outcomes ?? 0),
      unmatched: (await this.#unmatchedCounts(job.key)).ended,
    };
  }

  /** @param above jobs that this one undoes. It ends the recursion if names form a circle. */
  async #undosOf(job: number, above: readonly number[] = []): Promise<JobStanding['undos']> {
    const undos: JobStanding['undos'][number][] = [];
    for (const raw of await this.select('undosOf', { job })) {
      const { key, jobId, plan } = toJob(raw);
      if (above.includes(key)) continue;
      const { applied } = await this.count(key);
      const undone = (await this.#undosOf(key, [...above, job])).reduce((sum, undo) => sum + undo.applied, 0);
      undos.push({ jobId, applied: Math.max(0, applied - undone), isDone: plan?.state.name === 'done' });
    }
    return undos;
  }

  async lastSent(key: number): Promise<number> {
    return Number((await this.#first('lastSent', { job: key }))?.at ?? 0);
  }

  async hasFormer(key: number): Promise<boolean> {
    return (await this.#first('hasFormer', { job: key })) !== undefined;
  }

  async measuredRate(): Promise<MeasuredRate | undefined> {
    return measuredRateOf(await this.select('longRuns', {}));
  }

  pages(key: number): AsyncIterable<readonly (LedgerRow | LeftOutRow)[]> {
    return pagesOf((after, max) => this.select('page', { job: key, after, max }), 'row', toEitherRow);
  }

  async rowPage(key: number, filter: RowFilter, after: number, max: number): Promise<RowPage> {
    // Rows that were left out have no error.
    if (filter.state === 'left-out' && filter.cause !== undefined) return { rows: [], next: undefined };
    if (filter.identifier !== undefined) return await this.#search(key, filter, after, max);
    const { statement, parameters } = pageOf(filter);
    const rows = await this.select(statement, { job: key, after, max: max + 1, ...parameters });
    const next = rows.length > max ? Number(rows[max - 1]?.row) : undefined;
    return { rows: rows.slice(0, max).map(toEitherRow), next };
  }

  async #search(key: number, filter: RowFilter, after: number, max: number): Promise<RowPage> {
    const last = await this.lastRow(key);
    const end = Math.min(last, after + SEARCHED_ROWS);
    const rows: Raw[] = [];
    for (let at = after; at < end; at += SEARCH_STEP) {
      const until = Math.min(end, at + SEARCH_STEP);
      const of = { job: key, after: at, until, max: max - rows.length };
      rows.push(...(await this.select('namedPage', { ...of, ...searchOf(filter) })));
      if (rows.length === max) return { rows: rows.map(toEitherRow), next: Number(rows.at(-1)?.row) };
      // SQLite never yields to the event loop: everything else would wait.
      await setImmediate();
    }
    return { rows: rows.map(toEitherRow), next: end < last ? end : undefined };
  }

  unmatched(key: number): AsyncIterable<readonly UnmatchedOutcome[]> {
    return pagesOf((after, max) => this.select('unmatched', { job: key, after, max }), 'seq', toUnmatched);
  }

  async ofTask(identifier: string, max: number): Promise<TaskRecords> {
    const one = { identifier, max: max + 1 };
    return toTaskRecords(await this.select('taskRows', one), await this.select('taskOutcomes', one), max);
  }
}
