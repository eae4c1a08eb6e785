/** Enters a plan into the ledger: all its rows before the first is sent, even if a process was killed in between. */
import { misuse } from '../../errors.ts';
import type { SourceOptions } from '../../input/source.ts';
import { printable } from '../../text/printable.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PlanRow } from '../plan/format.ts';
import { type Plan, readPlan } from '../plan/reader.ts';
import type { Deed } from '../steer/deed.ts';

/** Rows per transaction. */
const BATCH_ROWS = 1_000;

/** @throws CommandError if the ledger has another plan under this name. */
export function refuseOtherPlan(
  { header, footer }: Pick<Plan, 'header' | 'footer'>,
  job: JobRecord | undefined,
): void {
  if (job?.plan === undefined || job.plan.digest === footer.Digest) return;
  throw misuse(
    `The ledger has another plan of job ${printable(header.JobId)}. Make this one again with another --job.`,
  );
}

/**
 * Enters the plan's job, without its rows.
 * @param deed who begins it, and why.
 * @throws CommandError if the ledger has another plan under that name.
 */
export async function enterJob(
  ledger: Ledger,
  { header, footer }: Plan,
  path: string,
  { who, why }: Deed,
): Promise<PlannedJob> {
  const { JobId: jobId, Source: source, Undoes: undoes } = header;
  const { Digest: digest, Counts } = footer;
  const { toChange: rows, ...leftOut } = Counts;
  const job = await ledger.begin({
    jobId,
    path,
    source,
    digest,
    rows,
    leftOut,
    who,
    why,
    ...(undoes !== undefined && { undoes }),
  });
  // Another process may have begun such a job meanwhile.
  refuseOtherPlan({ header, footer }, job);
  return job;
}

/**
 * Enters the rows that are not in the ledger yet.
 * @returns whether all rows are in; false if `signal` aborted first.
 */
export async function enterRows(
  ledger: Ledger,
  job: PlannedJob,
  plan: Plan,
  signal: AbortSignal,
): Promise<boolean> {
  if (job.plan.complete) return true;
  const { key } = job;
  const last = await ledger.lastRow(key);
  let batch: PlanRow[] = [];
  for await (const row of plan.rows()) {
    if (signal.aborted) return false;
    if (row.Row <= last) continue;
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    await ledger.enter(key, batch);
    batch = [];
  }
  await ledger.enter(key, batch);
  await ledger.complete(key);
  return true;
}

/**
 * Enters rows that are missing because a process died, from the plan file at its path from the first apply.
 * @returns whether all rows are in; false if interrupted.
 * @throws CommandError if the file is not the plan that the job began with.
 */
export async function enterRest(
  ledger: Ledger,
  job: PlannedJob,
  options: Omit<SourceOptions, 'format'>,
): Promise<boolean> {
  const { complete, path, digest, enqueued, source } = job.plan;
  if (complete) return true;
  if (enqueued) {
    throw misuse(
      `Job ${job.jobId} was not sent completely: enqueue ${printable(source)} with --job ${job.jobId} again; sending continues where it stopped.`,
    );
  }
  const plan = await readPlan(path, options);
  try {
    if (plan.footer.Digest === digest) return await enterRows(ledger, job, plan, options.signal);
    throw misuse(
      `${printable(path)} is not the plan that job ${job.jobId} began with. Apply the right one: the job continues where it stopped.`,
    );
  } finally {
    await plan.close();
  }
}
