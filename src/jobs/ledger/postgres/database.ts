/**
 * The connections to a PostgreSQL: how the ledger's statements and transactions run.
 *
 *   there   the last request was answered
 *   away    the server cannot be reached, or accepts no work: all requests wait and are retried
 *
 * A transaction whose COMMIT was not answered is not run again until the server has said what became of it.
 */
import pg from 'pg';
import { exitCodes } from '../../../errors.ts';
import { type LedgerContext, openingPatience, type Patience, SHORT_PATIENCE } from '../shared/context.ts';
import { LedgerError, LedgerInterrupted, LedgerOutcomeUnknown } from '../shared/error.ts';
import type { Raw } from '../shared/records.ts';
import { Waiting } from '../shared/waiting.ts';
import { awayError, causeOfAway, explainPostgres, isAway, isConflict, isLocked } from './errors.ts';
import { SCHEMA } from './schema.ts';
import { numbered, type Values, valuesOf } from './statement.ts';

export interface DatabaseOptions extends Omit<LedgerContext, 'holder'> {
  readonly url: string;
}

/** One transaction, or a reading that behaves like one. */
export interface Transaction {
  all(text: string, values?: Values): Promise<readonly Raw[]>;
  /** @returns how many rows it changed. */
  run(text: string, values?: Values): Promise<number>;
}

const CONNECTIONS = 6;
const CONNECT_MS = 5_000;
/** No request of the ledger takes this long: a connection that does not answer is given up. */
const ANSWER_MS = 60_000;
/** A session whose process is gone or cut off must not keep its locks for long. */
const IDLE_IN_TRANSACTION_MS = 10_000;
const MAX_CONFLICTS = 20;

/**
 * Pages are read in the order of an index. PostgreSQL has no statistics for a job that has just been entered: it would assume a few
 * rows, and read and sort all of them for each page. JIT compilation pays off for none of these short statements.
 */
const SESSION = `SET search_path = ${SCHEMA}; SET enable_sort = off; SET enable_bitmapscan = off; SET jit = off`;

/** A command waits for locks by retrying: it can then say what it waits for, and notices an interruption soon. */
const SHORT_LOCKS = "SET lock_timeout = '1s'";

/** Types that are read as numbers: none of our whole numbers exceeds 2^53. */
const NUMBERS: ReadonlySet<number> = new Set([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    NUMBERS.has(oid) ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Methods throw LedgerError. */
export class Database {
  /** `postgres://host:5432/database`: without user and password. */
  readonly place: string;
  readonly #options: DatabaseOptions;
  readonly #pool: pg.Pool;
  readonly #waiting: Waiting;
  readonly #inUse = new Set<pg.PoolClient>();

  constructor(options: DatabaseOptions) {
    this.#options = options;
    const config = {
      connectionString: options.url,
      application_name: 'ota-updater',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      keepAlive: true,
    };
    const place = placeOf(config);
    this.place = place;
    // Opening must report a wrong setting soon.
    this.#waiting = new Waiting(options, openingPatience(options.patience ?? SHORT_PATIENCE), {
      what: `The ledger ${place}`,
      backoff: { baseMs: 100, maxMs: 2_000 },
      tellAfterMs: 0,
      isAway,
      isLocked,
      error: (error, waitedMs) => awayError(place, error, waitedMs),
      explain: (error) => explainPostgres(error, place),
      sayAway: (error) =>
        isLocked(error) ? 'is locked by another process' : `cannot be reached (${causeOfAway(error)})`,
      sayBack: (seconds) => `is back after ${seconds} s`,
    });
    const session = options.patience?.endsAtOnce === true ? `${SESSION}; ${SHORT_LOCKS}` : SESSION;
    this.#pool = new pg.Pool({
      ...config,
      max: CONNECTIONS,
      onConnect: async (client) => void (await client.query(session)),
    });
    // An idle connection failed; the next use opens another.
    this.#pool.on('error', () => {});
    this.#pool.on('acquire', (client) => void this.#inUse.add(client));
    this.#pool.on('release', (_, client) => void this.#inUse.delete(client));
  }

  /** The ledger is open: from here on the caller's own patience applies. */
  opened(): void {
    this.#waiting.patience = this.#options.patience ?? SHORT_PATIENCE;
  }

  /** May be called again. */
  async close(): Promise<void> {
    this.#waiting.close();
    // Do not wait for the requests of an interrupted command: without its connection the server does not commit them.
    const { signal, endsAtOnce } = this.#options.patience ?? {};
    if (endsAtOnce === true && signal?.aborted === true)
      for (const client of this.#inUse) void (client as pg.Client).end().catch(() => {});
    if (!this.#pool.ending) await this.#pool.end();
  }

  /** One statement that only reads. */
  async all(text: string, values?: Values): Promise<readonly Raw[]> {
    return await this.#patiently(
      async () => (await this.#pool.query<Raw>({ ...queryOf(text, values), types })).rows,
    );
  }

  /**
   * Gives what `read` reads from the tables, as of one moment. It waits for the server only until reading begins. It is not restarted if
   * the connection breaks.
   */
  async *snapshot<T>(
    tables: readonly string[],
    read: (transaction: Pick<Transaction, 'all'>) => AsyncIterable<T>,
  ): AsyncGenerator<T, undefined> {
    const client = await this.#patiently(() => this.#beginReading(tables));
    const onError = (): void => {};
    client.on('error', onError);
    try {
      yield* read(transactionOn(client));
    } catch (error) {
      throw explainPostgres(error, this.place);
    } finally {
      await client.query('ROLLBACK').catch(() => {});
      client.off('error', onError);
      client.release();
    }
  }

  /** From then on nobody can lock the tables: a statement that waited for a lock later would abort the whole reading. */
  async #beginReading(tables: readonly string[]): Promise<pg.PoolClient> {
    const client = await this.#pool.connect();
    try {
      await client.query(
        `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE ${tables.join(', ')} IN ACCESS SHARE MODE`,
      );
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /**
   * Runs `work` as one transaction. `work` may be called several times, but only one call takes effect.
   * @throws LedgerOutcomeUnknown if nobody has said whether it did.
   */
  async transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    patience?: Pick<Patience, 'ms'>,
  ): Promise<T> {
    /** A transaction whose COMMIT was not answered, and its result. */
    let open: { readonly id: string; readonly result: T } | undefined;
    const once = async (): Promise<T> => {
      if (open !== undefined && (await this.#isCommitted(open.id))) return open.result;
      open = undefined;
      try {
        return await this.#once(work, (id, result) => {
          open = { id, result };
        });
      } catch (error) {
        // The server answered.
        if (!isAway(error)) open = undefined;
        throw error;
      }
    };
    return await this.#patiently(once, patience).catch((error: unknown) => {
      if (open === undefined) throw error;
      const ledger = `The ledger ${this.place}`;
      if (error instanceof LedgerInterrupted) throw new LedgerInterrupted(ledger, false);
      const { cause = error } = error as LedgerError;
      throw new LedgerOutcomeUnknown(ledger, `has not answered (${causeOfAway(cause)})`, cause);
    });
  }

  async #once<T>(
    work: (transaction: Transaction) => Promise<T>,
    beforeCommit: (id: string, result: T) => void,
  ): Promise<T> {
    const client = await this.#pool.connect();
    // A lost connection is also reported by the query that waits for it.
    const onError = (): void => {};
    client.on('error', onError);
    let fault: unknown;
    try {
      const begun = (await client.query(
        'BEGIN; SELECT pg_current_xact_id()::text AS id',
      )) as unknown as readonly pg.QueryResult<{ id: string }>[];
      const id = begun[1]?.rows[0]?.id ?? '';
      const result = await work(transactionOn(client));
      beforeCommit(id, result);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      fault = error;
      if (!isAway(error)) await client.query('ROLLBACK').catch(() => {});
      throw error;
    } finally {
      client.off('error', onError);
      client.release(fault !== undefined && isAway(fault));
    }
  }

  /** @throws an error that {@link isAway} recognizes while the server does not know yet. */
  async #isCommitted(id: string): Promise<boolean> {
    const { rows } = await this.#pool.query<{ status: string | null }>({
      text: 'SELECT pg_xact_status($1::xid8) AS status',
      values: [id],
    });
    const status = rows[0]?.status;
    if (status === 'committed' || status === 'aborted') return status === 'committed';
    if (status === 'in progress') throw new Error('Connection terminated: its transaction is not over yet');
    throw new Error('its server no longer knows what became of a transaction');
  }

  async #patiently<T>(once: () => Promise<T>, own?: Pick<Patience, 'ms'>): Promise<T> {
    let conflicts = 0;
    return await this.#waiting.for(async () => {
      // The pool is closing: do not wait any longer.
      if (this.#pool.ending) throw new LedgerError(`The ledger ${this.place} is closed.`);
      for (;;)
        try {
          return await once();
        } catch (error) {
          if (!isConflict(error) || conflicts++ >= MAX_CONFLICTS) throw error;
        }
    }, own);
  }
}

function transactionOn(client: pg.PoolClient): Transaction {
  const query = async (text: string, values?: Values): Promise<pg.QueryResult<Raw>> =>
    await client.query<Raw>({ ...queryOf(text, values), types });
  return {
    all: async (text, values) => (await query(text, values)).rows,
    run: async (text, values) => (await query(text, values)).rowCount ?? 0,
  };
}

/** Without values, the text may be several statements. */
function queryOf(text: string, values: Values | undefined): { text: string; values?: unknown[] } {
  if (values === undefined) return { text };
  const { text: query, names } = numbered(text);
  return { text: query, values: valuesOf(names, values) };
}

/** @throws LedgerError for a URL that the library cannot parse. */
function placeOf(config: pg.ClientConfig): string {
  try {
    const { host, port, database } = new pg.Client(config);
    const shown = host.startsWith('/') ? encodeURIComponent(host) : host;
    return `postgres://${shown}:${port}/${database ?? ''}`;
  } catch {
    throw new LedgerError(
      'LEDGER_URL cannot be read: percent-encode special characters in its parts, and check the files that it names.',
      undefined,
      exitCodes.misuse,
    );
  }
}
