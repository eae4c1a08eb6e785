/** What is deleted of jobs that are over; the same for both databases. */
import type { JobRecord } from '../job.ts';
import type { PruneStep } from '../ledger.ts';
import { type Raw, toJob } from './records.ts';

/**
 * Whether nothing has happened to a job since `before`, and nothing can happen by itself: it is done, cancelled or elsewhere, or
 * the ledger has only outcomes that named it. PURE.
 * @param before epoch milliseconds.
 */
export function isOverSince({ plan, updatedAt }: JobRecord, before: number): boolean {
  if (updatedAt >= before) return false;
  if (plan === undefined) return true;
  const { name, since } = plan.state;
  return (name === 'done' || name === 'cancelled' || name === 'elsewhere') && since < before;
}

/** Tables that may be as large as the job. A step deletes from the first of them that has any rows. */
const inParts = ['rows', 'left_out', 'parked'] as const;
export type PrunedInParts = (typeof inParts)[number];

/** The rest, deleted together with `job`. The counts go last, so they cover the whole job until it is gone. */
const atOnce = [
  'DELETE FROM runs WHERE job = :job',
  'DELETE FROM files WHERE job = :job',
  'DELETE FROM notices WHERE job = :job',
  'DELETE FROM tallies WHERE job = :job',
  'DELETE FROM jobs WHERE key = :job',
] as const;

/**
 * Clears the way for another ledger's records: deletes everything about `:job` except the job itself, its notices, its lines in the
 * audit, and parked outcomes, which only this ledger may have.
 */
export const clearStatements = ['rows', 'left_out', 'runs', 'files', 'tallies'].map(
  (table) => `DELETE FROM ${table} WHERE job = :job`,
);

export const prunedJob = 'SELECT * FROM jobs WHERE key = :job';

/** Deletions that belong to no job: from `table`, at most `:max` of the records that match `which`. */
export const prunedBesides = {
  audit: {
    table: 'audit',
    which: 'at < :before AND seq <= (SELECT max(seq) FROM audit) - :keep ORDER BY seq LIMIT :max',
  },
  // Nobody knows when the outcome was stored: `at` is when the update ended, by its worker's clock.
  outcomes: { table: 'parked', which: 'job = 0 AND at < :before ORDER BY seq LIMIT :max' },
} as const;

/** Runs a statement in the transaction of the step. @returns how many rows it deleted. */
type Run<Result> = (text: string, values: Readonly<Record<string, number>>) => Result;

/**
 * The statements of one step in order, for synchronous and asynchronous databases alike.
 * @param someOf deletes `:max` rows of `:job`, in about the same time for a job of any size.
 */
export function* pruneSteps(
  raw: Raw | undefined,
  job: number,
  before: number,
  max: number,
  someOf: (table: PrunedInParts) => string,
): Generator<Parameters<Run<number>>, PruneStep, number> {
  if (raw === undefined) return 'gone';
  const over = toJob(raw);
  if (!isOverSince(over, before)) return 'kept';
  // If pruning is interrupted, the rest of the job is incomplete.
  if (over.plan?.complete === true) yield ['UPDATE jobs SET complete = 0 WHERE key = :job', { job }];
  for (const name of inParts) if ((yield [someOf(name), { job, max }]) > 0) return 'more';
  for (const text of atOnce) yield [text, { job }];
  return 'gone';
}
