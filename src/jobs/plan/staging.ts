/**
 * Rows on their way into a plan, on disk: whether a later row names the same task is known only at the end, and a
 * million rows are not to be held in memory.
 *
 *   filling ── seal() ──► sealed: duplicates and rows can be asked for
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { Duplicates } from '../../input/duplicates.ts';
import type { LeftOutState, TaskChange } from './types.ts';

/** A row that wants to be in the plan. */
export interface Candidate extends TaskChange {
  /** Of the source, from 1; growing. */
  readonly line: number;
  readonly Identifier: string;
  readonly Former?: TaskChange;
  /** How it ended, for a row of a job that is to be undone. */
  readonly state?: string;
}

/** A row that will not be changed, and why. */
export interface LeftOut {
  readonly line: number;
  readonly leftOut: LeftOutState;
  readonly Identifier?: string;
  readonly reason?: string;
}

export type StagedRow = Candidate | LeftOut;

/** Memory for the database's pages, in KiB. */
const CACHE_KIB = 4_000;
/** Rows read between two pauses for everything else. */
const BREATH_ROWS = 500;

export class Staging {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #insertLeftOut: StatementSync;
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
        line INTEGER PRIMARY KEY, Identifier TEXT,
        Description TEXT, TaskConfigurationId TEXT,
        formerDescription TEXT, formerTaskConfigurationId TEXT, state TEXT,
        leftOut TEXT, reason TEXT
      );
      BEGIN`);
    this.#insert = this.#db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)');
    this.#insertLeftOut = this.#db.prepare(
      'INSERT INTO rows (line, Identifier, leftOut, reason) VALUES (?, ?, ?, ?)',
    );
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

  /** A row that displaces none and is displaced by none. */
  leaveOut({ line, leftOut, Identifier, reason }: LeftOut): void {
    this.#insertLeftOut.run(line, Identifier ?? null, leftOut, reason ?? null);
  }

  /** No more rows: finds out which ones a later row displaces. Takes about a second for a million. */
  seal(): Duplicates {
    this.#sealed = true;
    this.#db.exec(`
      CREATE INDEX by_identifier ON rows (Identifier) WHERE leftOut IS NULL;
      CREATE TABLE displaced (line INTEGER PRIMARY KEY, Identifier TEXT NOT NULL, last INTEGER NOT NULL);
      INSERT INTO displaced
        SELECT rows.line, rows.Identifier, repeated.last
        FROM (SELECT Identifier, max(line) AS last FROM rows WHERE leftOut IS NULL
          GROUP BY Identifier HAVING count(*) > 1) AS repeated
        JOIN rows ON rows.Identifier = repeated.Identifier AND rows.leftOut IS NULL AND rows.line <> repeated.last`);
    const { lines, identifiers } = this.#db
      .prepare('SELECT count(*) AS lines, count(DISTINCT Identifier) AS identifiers FROM displaced')
      .get() as { lines: number; identifiers: number };
    return { rows: lines, identifiers };
  }

  /** All rows in the order of the source; one that a later row displaces is left out as a duplicate. */
  async *rows(): AsyncGenerator<StagedRow, undefined> {
    if (!this.#sealed) throw new Error('the rows are not complete');
    const rows = this.#db.prepare(
      'SELECT rows.*, displaced.last FROM rows LEFT JOIN displaced USING (line) ORDER BY rows.line',
    );
    let read = 0;
    for (const row of rows.iterate()) {
      // The database never waits: without a pause no signal would be heard before the last row.
      if (++read % BREATH_ROWS === 0) await setImmediate();
      yield toStagedRow(row as unknown as RawRow);
    }
  }

  close(): void {
    this.#db.close();
  }
}

interface RawRow {
  readonly line: number;
  /** null for a row that is left out alone. */
  readonly Identifier: string | null;
  readonly Description: string | null;
  readonly TaskConfigurationId: string | null;
  readonly formerDescription: string | null;
  readonly formerTaskConfigurationId: string | null;
  readonly state: string | null;
  readonly leftOut: LeftOutState | null;
  readonly reason: string | null;
  /** The line of the row that displaces this one. */
  readonly last: number | null;
}

function toStagedRow(row: RawRow): StagedRow {
  const { line, Identifier, formerDescription, formerTaskConfigurationId, state, leftOut, reason, last } =
    row;
  if (leftOut !== null || Identifier === null) {
    return {
      line,
      leftOut: leftOut ?? 'refused',
      ...(Identifier !== null && { Identifier }),
      ...(reason !== null && { reason }),
    };
  }
  if (last !== null) {
    return { line, leftOut: 'duplicate', Identifier, reason: `line ${last} names the same task: it counts` };
  }
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
