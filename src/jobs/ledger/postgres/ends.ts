/** Ends rows by outcomes, many rows in one statement. */
import { type End, endOfParked, takesEnd } from '../shared/matching.ts';
import type { Raw } from '../shared/records.ts';
import type { Transaction } from './database.ts';
import { byNumber, selectNamed, updateNamed } from './row-updates.ts';
import { columnsOf } from './statement.ts';

const endRows = updateNamed(
  `state = g.state, cause = g.cause, reason = g.reason, error = g.error, attempts = g.attempts, at = g.at,
    reconciled = 0`,
  {
    arrays: `:job::integer[], :row::bigint[], :state::text[], :cause::text[], :reason::text[], :error::text[],
      :attempts::integer[], :at::text[]`,
    names: 'job, row, state, cause, reason, error, attempts, at',
    job: 'g.job',
  },
);
// Looked up one by one, as rows are: otherwise everything parked for the job is compared with every message sent.
const parkedOfRows = `SELECT found.* FROM unnest(:row::bigint[], :messageId::text[]) AS s (row, message_id)
  CROSS JOIN LATERAL (SELECT * FROM parked WHERE job = :job AND md5(message_id) = md5(s.message_id)
    AND message_id = s.message_id AND row = s.row LIMIT 1) AS found`;
const anyParked = 'SELECT 1 AS found FROM parked WHERE job = :job AND row IS NOT NULL LIMIT 1';
const statesOf = selectNamed('row, state, try, at', byNumber);
const unpark = 'DELETE FROM parked WHERE seq = ANY(:seq::bigint[])';

/** A row and how it ends; each row occurs once. */
export interface RowEnds extends End {
  readonly job: number;
  readonly row: number;
}

export async function writeEnds(transaction: Transaction, ends: readonly RowEnds[]): Promise<void> {
  if (ends.length === 0) return;
  const names = ['job', 'row', 'state', 'cause', 'reason', 'error', 'attempts', 'at'] as const;
  await transaction.run(endRows, columnsOf(names, ends));
}

/** Ends rows by outcomes that arrived before their message ids were known. */
export async function adoptParked(
  transaction: Transaction,
  job: number,
  sent: readonly { readonly row: number; readonly messageId: string }[],
): Promise<void> {
  if (sent.length === 0 || (await transaction.all(anyParked, { job })).length === 0) return;
  const parked = await transaction.all(parkedOfRows, { job, ...columnsOf(['row', 'messageId'], sent) });
  if (parked.length === 0) return;
  const numbers = parked.map(({ row }) => Number(row));
  const rows = new Map<number, Raw>(
    (await transaction.all(statesOf, { job, rows: numbers })).map((raw) => [Number(raw.row), raw]),
  );
  const ends = new Map<number, RowEnds>();
  for (const one of parked) {
    const row = Number(one.row);
    const { attempt, ...end } = endOfParked(one);
    const raw = rows.get(row);
    if (raw === undefined || !takesEnd(raw, end, attempt)) continue;
    rows.set(row, { ...raw, ...end });
    ends.set(row, { ...end, job, row });
  }
  await writeEnds(transaction, [...ends.values()]);
  await transaction.run(unpark, { seq: parked.map(({ seq }) => Number(seq)) });
}
