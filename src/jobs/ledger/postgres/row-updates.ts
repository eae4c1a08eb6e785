/**
 * Rows that are named by their numbers, many in one statement. Each is looked for by itself (LATERAL with a LIMIT), in the index of job and
 * row: left to itself, PostgreSQL chooses by what it knows of the table, and of a job that has just been entered it knows nothing. Then it
 * reads all rows of the job to change a few.
 */

interface Named {
  /** The arrays that are unnested: `:row::bigint[]`, and others beside it. */
  readonly arrays: string;
  /** What their elements are called, as `g.NAME`; one is `row`. */
  readonly names: string;
  /** The job of a row: `:job`, or one of the names. */
  readonly job?: string;
  /** What else a row must be. */
  readonly where?: string;
}

function place({ job = ':job', where = 'true' }: Named): string {
  return `job = ${job} AND row = g.row AND ${where} LIMIT 1`;
}

/** @param set may use the names. Rows are locked by their job. */
export function updateNamed(set: string, named: Named): string {
  return `UPDATE rows SET ${set} FROM (
      SELECT g.*, found.place FROM unnest(${named.arrays}) AS g (${named.names})
        CROSS JOIN LATERAL (SELECT ctid AS place FROM rows WHERE ${place(named)}) AS found) AS g
    WHERE rows.ctid = g.place`;
}

/** @param columns of the rows. */
export function selectNamed(columns: string, named: Named): string {
  return `SELECT found.* FROM unnest(${named.arrays}) AS g (${named.names})
    CROSS JOIN LATERAL (SELECT ${columns} FROM rows WHERE ${place(named)}) AS found`;
}

/** Rows by their numbers alone: `:rows`. */
export const byNumber = { arrays: ':rows::bigint[]', names: 'row' } as const;
