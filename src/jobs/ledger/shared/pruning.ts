/** What is deleted of jobs that are over, in both databases. */
import type { JobRecord } from '../job.ts';
import type { PruneStep } from '../ledger.ts';
import { type Raw, toJob } from './records.ts';

/**
 * Whether nothing of a job has happened since then, and nothing can by itself: it is done, cancelled or elsewhere, or there are
 * only outcomes that named it. PURE.
 * @param before epoch milliseconds.
 */
export function isOverSince({ plan, updatedAt }: JobRecord, before: number): boolean {
  if (updatedAt >= before) return false;
  if (plan === undefined) return true;
  const { name, since } = plan.state;
  return (name === 'done' || name === 'cancelled' || name === 'elsewhere') && since < before;
}

/** What may be as large as the job. A step deletes of the first of them that has anything. */
const inParts = ['rows', 'left_out', 'parked'] as const;
export type PrunedInParts = (typeof inParts)[number];

/** With `job`: what is left. The counts go last, so that they are those of the whole job until it is gone. */
const atOnce = [
  'DELETE FROM runs WHERE job = :job',
  'DELETE FROM files WHERE job = :job',
  'DELETE FROM notices WHERE job = :job',
  'DELETE FROM tallies WHERE job = :job',
  'DELETE FROM jobs WHERE key = :job',
] as const;

/**
 * What another ledger's records take the place of: all that a ledger has of `:job` but the job itself, its notices, its lines in the
 * audit, and parked outcomes, which only this ledger may have.
 */
export const clearStatements = ['rows', 'left_out', 'runs', 'files', 'tallies'].map(
  (table) => `DELETE FROM ${table} WHERE job = :job`,
);

export const prunedJob = 'SELECT * FROM jobs WHERE key = :job';

/** What is deleted that is of no job: of `table`, the records that are found by `which`, at most `:max`. */
export const prunedBesides = {
  audit: {
    table: 'audit',
    which: 'at < :before AND seq <= (SELECT max(seq) FROM audit) - :keep ORDER BY seq LIMIT :max',
  },
  // When it was stored nobody knows: `at` is when it ended, by the clock of its worker.
  outcomes: { table: 'parked', which: 'job = 0 AND at < :before ORDER BY seq LIMIT :max' },
} as const;

/** Runs a statement in the transaction of the step. @returns how many rows it has deleted. */
type Run<Result> = (text: string, values: Readonly<Record<string, number>>) => Result;

/**
 * The statements of one step in their order, for databases that answer at once and for those that do not.
 * @param someOf deletes `:max` rows of `:job`, whatever the size of the job in about the same time.
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
  // What is left of it, if this comes to no end, is not whole.
  if (over.plan?.complete === true) yield ['UPDATE jobs SET complete = 0 WHERE key = :job', { job }];
  for (const name of inParts) if ((yield [someOf(name), { job, max }]) > 0) return 'more';
  for (const text of atOnce) yield [text, { job }];
  return 'gone';
}
