/**
 * An SQLite file whose errors are sentences: how the ledger's statements and transactions run. SQLite itself never waits for another
 * process's lock, because the whole program would wait with it. An operation that finds the file locked has done nothing, and is
 * repeated as a whole.
 */
import { statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Patience } from '../shared/context.ts';
import type { Raw } from '../shared/records.ts';
import type { Waiting } from '../shared/waiting.ts';
import { explainSqlite } from './errors.ts';

type Parameters = SQLInputValue[] | [Readonly<Record<string, SQLInputValue>>];

/** Opens the file, or opens it again. */
type Open = () => DatabaseSync;

/** Methods throw LedgerError for what SQLite refuses. */
export class Database {
  readonly #open: Open;
  readonly #what: string;
  /** A file that SQLite cannot watch for changes: it is checked before each read. */
  readonly #unwatched: string | undefined;
  readonly #waiting: Waiting;
  #seen: string;
  #db: DatabaseSync;

  /** @param what begins sentences: `The ledger /x/y`. */
  constructor(open: Open, what: string, waiting: Waiting, unwatched?: string) {
    this.#open = open;
    this.#waiting = waiting;
    this.#what = what;
    this.#unwatched = unwatched;
    this.#seen = this.#look();
    this.#db = this.#do(open);
  }

  /** The present connection; a new one when an unwatched file has changed. */
  get connection(): DatabaseSync {
    const seen = this.#look();
    if (seen !== this.#seen) {
      this.#db.close();
      this.#seen = seen;
      this.#db = this.#do(this.#open);
    }
    return this.#db;
  }

  close(): void {
    this.#waiting.close();
    if (this.#db.isOpen) this.#db.close();
  }

  exec(sql: string): void {
    this.#do(() => this.connection.exec(sql));
  }

  /** Runs `once` now, and again while another process has the file locked. `once` is one statement or one transaction. */
  async whenFree<T>(once: () => T, patience?: Pick<Patience, 'ms'>): Promise<T> {
    return await this.#waiting.for(once, patience);
  }

  /** Runs `work` as one transaction, when no other process has the file locked; it may be called several times. */
  async write<T>(work: () => T): Promise<T> {
    return await this.whenFree(() => this.transaction(work));
  }

  /** Runs `work` as one transaction. If it throws, nothing has changed. */
  transaction<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** The same for asynchronous work; nothing else may use the file meanwhile, here or in another process. */
  async longTransaction<T>(work: () => Promise<T>): Promise<T> {
    await this.whenFree(() => this.exec('BEGIN IMMEDIATE'));
    try {
      const result = await work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  prepare(text: string): Statement {
    return new Statement(this, text, (work) => this.#do(work));
  }

  /** Prepares each of the texts as a statement. */
  prepareAll<Name extends string>(texts: Readonly<Record<Name, string>>): Readonly<Record<Name, Statement>> {
    const prepared = Object.entries<string>(texts).map(([name, text]) => [name, this.prepare(text)]);
    return Object.fromEntries(prepared) as Record<Name, Statement>;
  }

  #do<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainSqlite(error, this.#what);
    }
  }

  #look(): string {
    if (this.#unwatched === undefined) return '';
    const of = (path: string): string => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? '-' : `${found.ino} ${found.size} ${found.mtimeMs}`;
    };
    return `${of(this.#unwatched)}, ${of(`${this.#unwatched}-wal`)}`;
  }
}

/** A prepared statement: prepared immediately, and again for a new connection. */
export class Statement {
  readonly #database: Database;
  readonly #text: string;
  readonly #do: <T>(work: () => T) => T;
  #connection: DatabaseSync;
  #statement: StatementSync;

  constructor(database: Database, text: string, run: <T>(work: () => T) => T) {
    this.#database = database;
    this.#text = text;
    this.#do = run;
    this.#connection = database.connection;
    this.#statement = run(() => this.#connection.prepare(text));
  }

  /** @returns how many rows it changed. */
  run(...parameters: Parameters): number {
    return this.#do(() => Number(this.#now().run(...(parameters as SQLInputValue[])).changes));
  }

  get(...parameters: Parameters): Raw | undefined {
    return this.#do(() => this.#now().get(...(parameters as SQLInputValue[])));
  }

  all(...parameters: Parameters): readonly Raw[] {
    return this.#do(() => this.#now().all(...(parameters as SQLInputValue[])));
  }

  #now(): StatementSync {
    const { connection } = this.#database;
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#statement = connection.prepare(this.#text);
    }
    return this.#statement;
  }
}
