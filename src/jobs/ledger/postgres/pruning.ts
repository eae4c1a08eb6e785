/** Deletes data that is no longer needed from the ledger in PostgreSQL. */
import type { PruneStep } from '../ledger.ts';
import { type PrunedInParts, prunedBesides, prunedJob, pruneSteps } from '../shared/pruning.ts';
import type { Transaction } from './database.ts';
import { lockJob } from './lock.ts';

/** Deletes by ctid (place in the file): by key, PostgreSQL would read the whole table each time. */
function deleteFound(table: string, which: string): string {
  return `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${which}))`;
}

function someOf(name: PrunedInParts): string {
  return deleteFound(name, 'job = :job LIMIT :max');
}

const besides = {
  audit: deleteFound(prunedBesides.audit.table, prunedBesides.audit.which),
  outcomes: deleteFound(prunedBesides.outcomes.table, prunedBesides.outcomes.which),
} as const;

export async function pruneJob(
  transaction: Transaction,
  job: number,
  before: number,
  max: number,
): Promise<PruneStep> {
  await lockJob(transaction, job);
  const [raw] = await transaction.all(prunedJob, { job });
  const steps = pruneSteps(raw, job, before, max, someOf);
  let step = steps.next();
  while (step.done !== true) {
    const [text, values] = step.value;
    step = steps.next(await transaction.run(text, values));
  }
  return step.value;
}

export async function pruneAudit(
  transaction: Transaction,
  before: number,
  keep: number,
  max: number,
): Promise<number> {
  return await transaction.run(besides.audit, { before, keep, max });
}

export async function pruneOutcomes(transaction: Transaction, before: number, max: number): Promise<number> {
  return await transaction.run(besides.outcomes, { before: new Date(before).toISOString(), max });
}
