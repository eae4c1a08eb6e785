/** Sends a job's rows, for the process whose token is in `leases`. Each method checks the token in its own transaction. */
import type { Retry, RunNote } from '../job.ts';
import type { EnteredRow, Lease, Reconciliation, Sendings } from '../ledger.ts';
import type { LedgerRow } from '../row.ts';
import { pagesOf } from '../shared/pages.ts';
import { type Raw, ROW_COLUMNS, toLedgerRow } from '../shared/records.ts';
import { lastSentStatement } from '../shared/row-pages.ts';
import { SendTimes } from '../shared/send-times.ts';
import type { Database, Transaction } from './database.ts';
import { adoptParked } from './ends.ts';
import type { Holding } from './holding.ts';
import { lockOwnJob } from './lock.ts';
import { byNumber, updateNamed } from './row-updates.ts';
import { columnsOf } from './statement.ts';
import { retryJob } from './steering.ts';

const statements = {
  planned: `SELECT ${ROW_COLUMNS} FROM rows WHERE job = :job AND state = 'planned' AND row <> ALL(:except::bigint[])
    ORDER BY row LIMIT :max`,
  // With `min` and `max`, PostgreSQL would read all rows of a job for which it has no statistics.
  plannedSpan: `SELECT (SELECT row FROM rows WHERE job = :job AND state = 'planned' ORDER BY row LIMIT 1) AS first,
    (SELECT row FROM rows WHERE job = :job AND state = 'planned' ORDER BY row DESC LIMIT 1) AS last`,
  plannedFrom: `SELECT DISTINCT ON (found.row) found.* FROM unnest(:places::bigint[]) AS p (place)
    CROSS JOIN LATERAL (SELECT ${ROW_COLUMNS} FROM rows
      WHERE job = :job AND state = 'planned' AND row >= place ORDER BY row LIMIT 1) AS found`,
  lastSent: lastSentStatement(() => ''),
  markSending: `${updateNamed("state = 'sending', sends = sends + 1, sent_at = :now", { ...byNumber, where: "state = 'planned'" })}
    RETURNING rows.row`,
  enterSending: `INSERT INTO rows (job, row, identifier, description, configuration, request_id, row_issued_at, state, sends, sent_at)
    SELECT :job::integer, row, identifier, description, configuration, request_id, issued_at, 'sending', 1, :now::bigint
      FROM unnest(:Row::bigint[], :Identifier::text[], :Description::text[], :TaskConfigurationId::text[], :RequestId::text[],
        :IssuedAt::text[]) AS e (row, identifier, description, configuration, request_id, issued_at)
    ON CONFLICT (job, row) DO NOTHING RETURNING row`,
  enterLeftOut: `INSERT INTO left_out (job, row, state, identifier, description, configuration, reason)
    SELECT :job::integer, * FROM unnest(:Row::bigint[], :LeftOut::text[], :Identifier::text[], :Description::text[],
      :TaskConfigurationId::text[], :Reason::text[])
    ON CONFLICT (job, row) DO NOTHING`,
  // Also for a row that has ended meanwhile: the id matches later outcomes of the same message.
  markSent: updateNamed(
    `message_ids = ltrim(message_ids || ' ' || g.message_id),
      state = CASE state WHEN 'sending' THEN 'sent' ELSE state END`,
    { arrays: ':row::bigint[], :messageId::text[]', names: 'row, message_id' },
  ),
  markPlanned: updateNamed("state = 'planned', sends = sends - 1", {
    ...byNumber,
    where: "state = 'sending'",
  }),
  markRefused: updateNamed(
    `state = 'refused', cause = 'RefusedBySqs', reason = 'Not taken by SQS', error = g.error, attempts = NULL, at = :at`,
    { arrays: ':row::bigint[], :error::text[]', names: 'row, error', where: "state = 'sending'" },
  ),
  recover: `UPDATE rows SET state = 'planned' WHERE job = :job AND state = 'sending'`,
  addMaybeTwice: 'UPDATE jobs SET maybe_twice = maybe_twice + :rows WHERE key = :job',
  retryFailed: `UPDATE rows SET state = 'planned', cause = '', try = try + 1
    WHERE job = :job AND state IN ('dead-lettered', 'refused')`,
  unended: `SELECT ${ROW_COLUMNS} FROM rows WHERE job = :job AND state = 'sent' AND row > :after ORDER BY row LIMIT :max`,
  reconcileApplied: updateNamed(
    `state = 'applied', cause = '', reason = NULL, error = NULL, attempts = NULL, at = :at, reconciled = 1`,
    { ...byNumber, where: "state = 'sent'" },
  ),
  reconcileGone: updateNamed(
    `state = 'dead-lettered', cause = g.cause, reason = 'Rejected', error = g.error, attempts = NULL, at = :at,
      reconciled = 1`,
    {
      arrays: ':row::bigint[], :cause::text[], :error::text[]',
      names: 'row, cause, error',
      where: "state = 'sent'",
    },
  ),
  sendAgain: updateNamed("state = 'planned', try = try + 1", { ...byNumber, where: "state = 'sent'" }),
  beginRun:
    'INSERT INTO runs (job, started_at, ms, rows) VALUES (:job, :startedAt, :ms, :rows) RETURNING seq',
  noteRun: 'UPDATE runs SET ms = :ms, rows = :rows WHERE seq = :seq',
} as const;

export class PostgresLease implements Lease {
  readonly #db: Database;
  readonly #key: number;
  readonly #holding: Holding;
  readonly #now: () => number;
  readonly #times: SendTimes;
  /** The run's number in the ledger, once it is noted. */
  #run: number | undefined;

  constructor(db: Database, key: number, holding: Holding, now: () => number) {
    this.#db = db;
    this.#key = key;
    this.#holding = holding;
    this.#now = now;
    this.#times = new SendTimes(now);
  }

  get lost(): AbortSignal {
    return this.#holding.lost;
  }

  /** @throws LeaseLost if another process has taken the lease, or another ledger has the job: then nothing is changed. */
  async #asHolder<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let confirmed = (): void => {};
    const result = await this.#db.transaction(async (transaction) => {
      await lockOwnJob(transaction, this.#key);
      confirmed = await this.#holding.confirm(transaction);
      return await work(transaction);
    });
    confirmed();
    return result;
  }

  async #sendTime(transaction: Transaction): Promise<number> {
    if (!this.#times.isNew) return this.#times.next();
    const [last] = await transaction.all(statements.lastSent, { job: this.#key });
    return this.#times.next(last?.at);
  }

  async recover(): Promise<number> {
    return await this.#asHolder(async (transaction) => {
      const rows = await transaction.run(statements.recover, { job: this.#key });
      await this.#addMaybeTwice(transaction, rows);
      return rows;
    });
  }

  async #addMaybeTwice(transaction: Transaction, rows: number): Promise<void> {
    if (rows > 0) await transaction.run(statements.addMaybeTwice, { job: this.#key, rows });
  }

  async claim(max: number, random?: () => number): Promise<readonly LedgerRow[]> {
    // Drawn once, however often the transaction is retried.
    const places = random === undefined ? [] : Array.from({ length: max }, random);
    return await this.#asHolder(async (transaction) => {
      const sample = await this.#sample(transaction, places);
      const others = await transaction.all(statements.planned, {
        job: this.#key,
        max: max - sample.length,
        except: numbersOf(sample),
      });
      const claimed = [...sample, ...others];
      const now = await this.#sendTime(transaction);
      await transaction.run(statements.markSending, { job: this.#key, rows: numbersOf(claimed), now });
      return claimed.map(toLedgerRow).sort((a, b) => a.Row - b.Row);
    });
  }

  /** One row at a random place in each of equal parts; fewer rows if parts have none. */
  async #sample(transaction: Transaction, random: readonly number[]): Promise<readonly Raw[]> {
    if (random.length === 0) return [];
    const [span = {}] = await transaction.all(statements.plannedSpan, { job: this.#key });
    const first = Number(span.first ?? 0);
    const part = (Number(span.last ?? 0) - first + 1) / random.length;
    const places = random.map((at, i) => first + Math.floor((i + at) * part));
    return await transaction.all(statements.plannedFrom, { job: this.#key, places });
  }

  async enterSending(rows: readonly EnteredRow[]): Promise<ReadonlySet<number>> {
    return await this.#asHolder(async (transaction) => {
      const job = this.#key;
      const now = await this.#sendTime(transaction);
      const leftOut = rows.filter((row) => 'LeftOut' in row);
      const good = rows.flatMap((row) => ('LeftOut' in row ? [] : [row]));
      if (leftOut.length > 0) {
        const names = [
          'Row',
          'LeftOut',
          'Identifier',
          'Description',
          'TaskConfigurationId',
          'Reason',
        ] as const;
        await transaction.run(statements.enterLeftOut, { job, ...columnsOf(names, leftOut) });
      }
      if (good.length === 0) return new Set();
      const names = [
        'Row',
        'Identifier',
        'Description',
        'TaskConfigurationId',
        'RequestId',
        'IssuedAt',
      ] as const;
      const marked = [
        // Before the others are entered, which would otherwise be included.
        ...(await transaction.all(statements.markSending, { job, now, rows: good.map(({ Row }) => Row) })),
        ...(await transaction.all(statements.enterSending, { job, now, ...columnsOf(names, good) })),
      ];
      return new Set(numbersOf(marked));
    });
  }

  async settle({ sent, refused, untouched, maybeTwice }: Sendings): Promise<void> {
    await this.#asHolder(async (transaction) => {
      const job = this.#key;
      if (sent.length > 0)
        await transaction.run(statements.markSent, { job, ...columnsOf(['row', 'messageId'], sent) });
      await adoptParked(transaction, job, sent);
      if (untouched.length > 0) await transaction.run(statements.markPlanned, { job, rows: untouched });
      if (refused.length > 0) {
        const errors = refused.map(({ row, reason }) => ({
          row,
          error: JSON.stringify({ name: 'RefusedBySqs', message: reason }),
        }));
        const at = new Date(this.#now()).toISOString();
        await transaction.run(statements.markRefused, { job, at, ...columnsOf(['row', 'error'], errors) });
      }
      await this.#addMaybeTwice(transaction, maybeTwice);
    });
  }

  async noteRun({ startedAt, ms, rows }: RunNote): Promise<void> {
    const note = { ms: Math.round(ms), rows };
    const job = this.#key;
    const seq = this.#run;
    this.#run = await this.#db.transaction(async (transaction) => {
      if (seq === undefined) {
        const [begun] = await transaction.all(statements.beginRun, { job, startedAt, ...note });
        return Number(begun?.seq);
      }
      await transaction.run(statements.noteRun, { seq, ...note });
      return seq;
    });
  }

  async retryFailed(retry: Retry): Promise<number> {
    return await this.#asHolder(async (transaction) => {
      const rows = await transaction.run(statements.retryFailed, { job: this.#key });
      await retryJob(transaction, this.#key, retry, this.#now());
      return rows;
    });
  }

  unended(): AsyncIterable<readonly LedgerRow[]> {
    const page = (after: number, max: number) =>
      this.#db.all(statements.unended, { job: this.#key, after, max });
    return pagesOf(page, 'row', toLedgerRow);
  }

  async reconcile(found: Reconciliation): Promise<Record<keyof Reconciliation, number>> {
    return await this.#asHolder(async (transaction) => {
      const at = new Date(this.#now()).toISOString();
      const job = this.#key;
      const applied = await transaction.run(statements.reconcileApplied, { job, at, rows: found.applied });
      const again = await transaction.run(statements.sendAgain, { job, rows: found.again });
      const ends = found.gone.map(({ row, error }) => ({
        row,
        cause: error.name,
        error: JSON.stringify(error),
      }));
      const columns = columnsOf(['row', 'cause', 'error'], ends);
      const gone = await transaction.run(statements.reconcileGone, { job, at, ...columns });
      await this.#addMaybeTwice(transaction, again);
      return { applied, again, gone };
    });
  }

  async release(): Promise<void> {
    await this.#holding.release();
  }
}

function numbersOf(raws: readonly Raw[]): number[] {
  return raws.map(({ row }) => Number(row));
}
