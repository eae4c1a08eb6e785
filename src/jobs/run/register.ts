/** A plan's rows into the ledger: all of them before the first is sent; gone on with where a killed process stopped. */
import { InputFault } from '../../input/faults.ts';
import { printable } from '../../text/printable.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord } from '../ledger/types.ts';
import type { Plan } from '../plan/reader.ts';
import type { PlanLine } from '../plan/types.ts';

/** Rows to a transaction. */
const BATCH_ROWS = 1_000;

/**
 * Enters the plan's job, without its rows.
 * @throws InputFault when the ledger has another plan under that name.
 */
export function enterJob(ledger: Ledger, { header, footer }: Plan, path: string): JobRecord {
  const { JobId: jobId, Source: source } = header;
  const { Digest: digest, Counts } = footer;
  const { toChange: _, ...leftOut } = Counts;
  const job = ledger.addJob({ jobId, path, source, digest, leftOut });
  if (job.plan?.digest === footer.Digest) return job;
  throw new InputFault(
    `The ledger has another plan of job ${printable(jobId)}. Make this one anew with another --job-id.`,
  );
}

/**
 * Enters the rows that are not there yet.
 * @returns whether all are in; false when `signal` aborted first.
 */
export async function enterRows(
  ledger: Ledger,
  { key }: JobRecord,
  plan: Plan,
  signal: AbortSignal,
): Promise<boolean> {
  const have = ledger.lastRow(key);
  let batch: PlanLine[] = [];
  for await (const row of plan.rows()) {
    if (signal.aborted) return false;
    if (row.Row <= have) continue;
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    ledger.addRows(key, batch);
    batch = [];
  }
  ledger.addRows(key, batch);
  ledger.completeJob(key);
  return true;
}
