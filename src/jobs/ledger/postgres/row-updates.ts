/**
 * Changes and reads rows by number, many in one statement. Each row is looked up by itself (LATERAL with a LIMIT) in the index of job
 * and row. Left to itself, PostgreSQL plans by its statistics, and it has none for a job that has just been entered: it would read all
 * rows of the job to change a few.
 */

interface Named {
  /** The arrays that are unnested: `:row::bigint[]`, and others beside it. */
  readonly arrays: string;
  /** The names of their elements, as `g.NAME`; one is `row`. */
  readonly names: string;
  /** The job of a row: `:job`, or one of the names. */
  readonly job?: string;
  /** A further condition on the row. */
  readonly where?: string;
}

function place({ job = ':job', where = 'true' }: Named): string {
  return `job = ${job} AND row = g.row AND ${where} LIMIT 1`;
}

/** @param set may use the names. Rows are locked through their job. */
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

/** Selects rows by number alone: `:rows`. */
export const byNumber = { arrays: ':rows::bigint[]', names: 'row' } as const;
