/** Deletes data that is no longer needed from the ledger's file. Opens no transaction: the caller does. */
import type { PruneStep } from '../ledger.ts';
import { type PrunedInParts, prunedBesides, prunedJob, pruneSteps } from '../shared/pruning.ts';
import type { Database } from './database.ts';

function someOf(name: PrunedInParts): string {
  const key = name === 'parked' ? 'seq' : 'row';
  return `DELETE FROM ${name} WHERE job = :job AND ${key} IN (SELECT ${key} FROM ${name} WHERE job = :job LIMIT :max)`;
}

function deleteBesides({ table, which }: (typeof prunedBesides)[keyof typeof prunedBesides]): string {
  return `DELETE FROM ${table} WHERE seq IN (SELECT seq FROM ${table} WHERE ${which})`;
}

export function pruneJob(db: Database, job: number, before: number, max: number): PruneStep {
  const steps = pruneSteps(db.prepare(prunedJob).get({ job }), job, before, max, someOf);
  let step = steps.next();
  while (step.done !== true) {
    const [text, values] = step.value;
    step = steps.next(db.prepare(text).run(values));
  }
  return step.value;
}

export function pruneAudit(db: Database, before: number, keep: number, max: number): number {
  return db.prepare(deleteBesides(prunedBesides.audit)).run({ before, keep, max });
}

export function pruneOutcomes(db: Database, before: number, max: number): number {
  return db
    .prepare(deleteBesides(prunedBesides.outcomes))
    .run({ before: new Date(before).toISOString(), max });
}
