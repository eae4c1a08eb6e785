/**
 * Rows on their way into a plan, on disk: whether a later row names the same task is known only at the end, and a
 * million rows are not to be held in memory.
 *
 *   filling ── seal() ──► sealed: duplicates and winners can be asked for
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { Duplicates } from '../enqueue/duplicates.ts';
import type { TaskChange } from './plan-types.ts';

/** A row that wants to be in the plan. */
export interface Candidate extends TaskChange {
  /** Of the source, from 1; growing. */
  readonly line: number;
  readonly Identifier: string;
  readonly Former?: TaskChange;
  /** How it ended, for a row of a job that is to be undone. */
  readonly state?: string;
}

/** Memory for the database's pages, in KiB. */
const CACHE_KIB = 4_000;
/** Rows read between two pauses for everything else. */
const BREATH_ROWS = 500;

export class Staging {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  #sealed = false;

  /** A database without a name: SQLite keeps it in a file that is gone when the process is (SQLITE_TMPDIR, TMPDIR). */
  constructor() {
    this.#db = new DatabaseSync('');
    this.#db.exec(`
      PRAGMA journal_mode = OFF;
      PRAGMA synchronous = OFF;
      PRAGMA temp_store = FILE;
      PRAGMA cache_size = -${CACHE_KIB};
      CREATE TABLE rows (
        line INTEGER PRIMARY KEY, Identifier TEXT NOT NULL,
        Description TEXT, TaskConfigurationId TEXT,
        formerDescription TEXT, formerTaskConfigurationId TEXT, state TEXT
      );
      BEGIN`);
    this.#insert = this.#db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)');
  }

  add({ line, Identifier, Description, TaskConfigurationId, Former, state }: Candidate): void {
    this.#insert.run(
      line,
      Identifier,
      Description ?? null,
      TaskConfigurationId ?? null,
      Former?.Description ?? null,
      Former?.TaskConfigurationId ?? null,
      state ?? null,
    );
  }

  /** No more rows: finds out which ones a later row displaces. Takes about a second for a million. */
  seal(): Duplicates {
    this.#sealed = true;
    this.#db.exec(`
      CREATE INDEX by_identifier ON rows (Identifier);
      CREATE TABLE displaced (line INTEGER PRIMARY KEY, Identifier TEXT NOT NULL);
      INSERT INTO displaced
        SELECT rows.line, rows.Identifier
        FROM (SELECT Identifier, max(line) AS last FROM rows GROUP BY Identifier HAVING count(*) > 1) AS repeated
        JOIN rows ON rows.Identifier = repeated.Identifier AND rows.line <> repeated.last`);
    const { lines, identifiers } = this.#db
      .prepare('SELECT count(*) AS lines, count(DISTINCT Identifier) AS identifiers FROM displaced')
      .get() as { lines: number; identifiers: number };
    return { rows: lines, identifiers };
  }

  /** The rows that no later one displaces, in the order of the source. */
  async *winners(): AsyncGenerator<Candidate, undefined> {
    if (!this.#sealed) throw new Error('the rows are not complete');
    const rows = this.#db.prepare(
      'SELECT * FROM rows WHERE line NOT IN (SELECT line FROM displaced) ORDER BY line',
    );
    let read = 0;
    for (const row of rows.iterate()) {
      // The database never waits: without a pause no signal would be heard before the last row.
      if (++read % BREATH_ROWS === 0) await setImmediate();
      yield toCandidate(row as unknown as StagedRow);
    }
  }

  close(): void {
    this.#db.close();
  }
}

interface StagedRow {
  readonly line: number;
  readonly Identifier: string;
  readonly Description: string | null;
  readonly TaskConfigurationId: string | null;
  readonly formerDescription: string | null;
  readonly formerTaskConfigurationId: string | null;
  readonly state: string | null;
}

function toCandidate(row: StagedRow): Candidate {
  const { line, Identifier, formerDescription, formerTaskConfigurationId, state } = row;
  const Former = toChange(formerDescription, formerTaskConfigurationId);
  return {
    line,
    Identifier,
    ...toChange(row.Description, row.TaskConfigurationId),
    ...(Object.keys(Former).length > 0 && { Former }),
    ...(state !== null && { state }),
  };
}

function toChange(description: string | null, configuration: string | null): TaskChange {
  return {
    ...(description !== null && { Description: description }),
    ...(configuration !== null && { TaskConfigurationId: configuration }),
  };
}
