/** Files that `enqueue` sends under a job's name; the same for both databases. PURE. */
import type { EnqueuedFile, NewFile } from '../ledger.ts';
import type { Raw } from './records.ts';

/** Rows of `:job` after row `:before` up to `:last`: how many there are, and how many of them are still to be sent. */
export const rowsOfFile = `SELECT count(*) AS there, count(CASE WHEN state IN ('planned', 'sending') THEN 1 END) AS open
  FROM rows WHERE job = :job AND row > :before AND row <= :last`;

/**
 * Whether all rows of a file were sent, including those it has now: with --from-line, a file may have been sent to its
 * end, but not the rows before that line.
 * @param known its record. @param there the result of {@link rowsOfFile}.
 */
export function isWholeFile({ rows }: Pick<NewFile, 'rows'>, known: Raw, there: Raw | undefined): boolean {
  return (
    known.complete === 1 &&
    rows <= Number(known.rows) &&
    Number(there?.there) >= Number(known.rows) &&
    Number(there?.open) === 0
  );
}

/** The place of a file's rows in the job, from the file's record. */
export function placeOf(file: Raw): Pick<EnqueuedFile, 'before' | 'issuedAt'> {
  return { before: Number(file.before), issuedAt: String(file.issued_at) };
}
