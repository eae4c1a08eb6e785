/** Files that `enqueue` sends under a job's name, in both databases. PURE. */
import type { EnqueuedFile, NewFile } from '../ledger.ts';
import type { Raw } from './records.ts';

/** Rows of `:job` behind row `:before` up to `:last`: all that are there, and those that are still to be sent. */
export const rowsOfFile = `SELECT count(*) AS there, count(CASE WHEN state IN ('planned', 'sending') THEN 1 END) AS open
  FROM rows WHERE job = :job AND row > :before AND row <= :last`;

/**
 * Whether all rows of a file were sent, those that it is given with now among them: with --from-line a file may have been sent to its
 * end, and rows before that line not.
 * @param known its record. @param there of {@link rowsOfFile}.
 */
export function isWholeFile({ rows }: Pick<NewFile, 'rows'>, known: Raw, there: Raw | undefined): boolean {
  return (
    known.complete === 1 &&
    rows <= Number(known.rows) &&
    Number(there?.there) >= Number(known.rows) &&
    Number(there?.open) === 0
  );
}

/** Where its rows are in the job, by its record. */
export function placeOf(file: Raw): Pick<EnqueuedFile, 'before' | 'issuedAt'> {
  return { before: Number(file.before), issuedAt: String(file.issued_at) };
}
