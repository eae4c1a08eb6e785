/**
 * Rows on their way into a plan, stored on disk: only the last row shows whether an earlier one is a duplicate, and a
 * million rows are too many for memory.
 *
 *   filling ── seal() ──► sealed: the rows can be read
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { LeftOutState, PlanRow, TaskChange } from './format.ts';

/** A plan row with its line in the source; lines rise with the rows. */
export interface StagedRow {
  readonly line: number;
  readonly row: PlanRow;
  /** The status of its task, if known. */
  readonly status?: string;
  /** Why its configuration must not be set, as passed to `refuse`. */
  readonly refusal?: string;
}

/** Memory for the database's page cache, in KiB. */
const CACHE_KIB = 4_000;
/** Rows read before the event loop gets a pause. */
const PAUSE_ROWS = 500;
/** Configuration ids read at once. */
const ID_PAGE = 500;

export class Staging {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  #sealed = false;

  /** An unnamed database: SQLite keeps it in a file that is deleted when the process ends (SQLITE_TMPDIR, TMPDIR). */
  constructor() {
    this.#db = new DatabaseSync('');
    this.#db.exec(`
      PRAGMA journal_mode = OFF;
      PRAGMA synchronous = OFF;
      PRAGMA temp_store = FILE;
      PRAGMA cache_size = -${CACHE_KIB};
      CREATE TABLE rows (
        number INTEGER PRIMARY KEY, line INTEGER NOT NULL, Identifier TEXT,
        Description TEXT, TaskConfigurationId TEXT,
        formerDescription TEXT, formerTaskConfigurationId TEXT,
        leftOut TEXT, reason TEXT, status TEXT
      );
      CREATE TABLE configurations (id TEXT PRIMARY KEY, refusal TEXT) WITHOUT ROWID;
      BEGIN`);
    this.#insert = this.#db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  }

  add({ line, row, status }: Omit<StagedRow, 'refusal'>): void {
    const { Row, Identifier = null, Description = null, TaskConfigurationId = null } = row;
    const former = 'LeftOut' in row ? undefined : row.Former;
    const [leftOut, reason] = 'LeftOut' in row ? [row.LeftOut, row.Reason ?? null] : [null, null];
    this.#insert.run(
      Row,
      line,
      Identifier,
      Description,
      TaskConfigurationId,
      former?.Description ?? null,
      former?.TaskConfigurationId ?? null,
      leftOut,
      reason,
      status ?? null,
    );
  }

  /**
   * Ends filling, and finds the duplicates. Takes about a second for a million rows.
   * @returns how many Identifiers have duplicates.
   */
  seal(): { readonly rows: number; readonly identifiers: number } {
    this.#sealed = true;
    this.#db.exec(`
      CREATE INDEX by_identifier ON rows (Identifier) WHERE leftOut IS NULL;
      CREATE TABLE duplicates (number INTEGER PRIMARY KEY, Identifier TEXT NOT NULL, last INTEGER NOT NULL);
      INSERT INTO duplicates
        SELECT rows.number, rows.Identifier, repeated.last
        FROM (SELECT Identifier, max(line) AS last FROM rows WHERE leftOut IS NULL
          GROUP BY Identifier HAVING count(*) > 1) AS repeated
        JOIN rows ON rows.Identifier = repeated.Identifier AND rows.leftOut IS NULL AND rows.line <> repeated.last;
      INSERT INTO configurations
        SELECT DISTINCT TaskConfigurationId, NULL FROM rows
        WHERE leftOut IS NULL AND TaskConfigurationId IS NOT NULL
          AND number NOT IN (SELECT number FROM duplicates)`);
    const { rows, identifiers } = this.#db
      .prepare('SELECT count(*) AS rows, count(DISTINCT Identifier) AS identifiers FROM duplicates')
      .get() as { rows: number; identifiers: number };
    return { rows, identifiers };
  }

  /** Number of configurations that the rows to change set. */
  get configurationCount(): number {
    const { count } = this.#db.prepare('SELECT count(*) AS count FROM configurations').get() as {
      count: number;
    };
    return count;
  }

  /** Their ids, each once. */
  async *configurations(): AsyncGenerator<string, undefined> {
    const page = this.#db.prepare('SELECT id FROM configurations WHERE id > ? ORDER BY id LIMIT ?');
    let last = '';
    for (;;) {
      const ids = page.all(last, ID_PAGE) as unknown as readonly { readonly id: string }[];
      for (const { id } of ids) yield id;
      last = ids.at(-1)?.id ?? '';
      if (ids.length < ID_PAGE) return;
    }
  }

  /** Gives the reason to every row that sets this configuration. */
  refuse(id: string, reason: string): void {
    this.#db.prepare('UPDATE configurations SET refusal = ? WHERE id = ?').run(reason, id);
  }

  /** All rows in order. Of rows that name the same task, the last counts and the others are left out as duplicates. */
  async *rows(): AsyncGenerator<StagedRow, undefined> {
    if (!this.#sealed) throw new Error('the rows are not complete');
    const rows = this.#db.prepare(
      `SELECT rows.*, duplicates.last, configurations.refusal FROM rows
        LEFT JOIN duplicates USING (number)
        LEFT JOIN configurations ON configurations.id = rows.TaskConfigurationId
        ORDER BY rows.number`,
    );
    let read = 0;
    for (const row of rows.iterate()) {
      // SQLite never yields to the event loop: without this pause, signals would be handled only after the last row.
      if (++read % PAUSE_ROWS === 0) await setImmediate();
      yield toStagedRow(row as unknown as StoredRow);
    }
  }

  close(): void {
    this.#db.close();
  }
}

/** A row as SQLite stores it. */
interface StoredRow {
  readonly number: number;
  readonly line: number;
  readonly Identifier: string | null;
  readonly Description: string | null;
  readonly TaskConfigurationId: string | null;
  readonly formerDescription: string | null;
  readonly formerTaskConfigurationId: string | null;
  readonly leftOut: LeftOutState | null;
  readonly reason: string | null;
  /** The line of the row that counts instead. */
  readonly last: number | null;
  readonly status: string | null;
  readonly refusal: string | null;
}

function toStagedRow(stored: StoredRow): StagedRow {
  const { number: Row, line, Identifier, leftOut, reason, last } = stored;
  const change = toChange(stored.Description, stored.TaskConfigurationId);
  if (leftOut !== null || Identifier === null) {
    const said = {
      ...change,
      ...(Identifier !== null && { Identifier }),
      ...(reason !== null && { Reason: reason }),
    };
    return { line, row: { Row, LeftOut: leftOut ?? 'refused', ...said } };
  }
  if (last !== null) {
    const Reason = `line ${last} names the same task and counts instead`;
    return { line, row: { Row, LeftOut: 'duplicate', Identifier, ...change, Reason } };
  }
  const Former = toChange(stored.formerDescription, stored.formerTaskConfigurationId);
  const known = Object.keys(Former).length > 0;
  return {
    line,
    row: { Row, Identifier, ...change, ...(known && { Former }) },
    ...(stored.status !== null && { status: stored.status }),
    ...(stored.refusal !== null && { refusal: stored.refusal }),
  };
}

function toChange(description: string | null, configuration: string | null): TaskChange {
  return {
    ...(description !== null && { Description: description }),
    ...(configuration !== null && { TaskConfigurationId: configuration }),
  };
}
