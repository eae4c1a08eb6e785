/** The snapshot of a worker to which nothing has happened. */
import { Activity } from '../../src/worker/activity.ts';
import { type ConditionName, Conditions } from '../../src/worker/conditions.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';

export const well: WorkerSnapshot = {
  at: 0,
  state: 'running',
  stateSince: 0,
  gate: 'open',
  gateReason: undefined,
  gateSince: undefined,
  callsHeld: undefined,
  queuesFound: true,
  conditions: conditionsAt(),
  refusedLetters: undefined,
  refusedOutcomes: undefined,
  pollStalledMs: 0,
  held: 0,
  inFlight: 0,
  onTrial: 0,
  awaitingClaim: 0,
  settling: 0,
  oldestHeldMs: 0,
  oldestAgeMs: 0,
  retentionSeconds: 345_600,
  bounds: {
    rate: { value: 10, source: 'environment', since: 0 },
    concurrency: { value: 50, source: 'environment', since: 0 },
  },
  rate: 10,
  rateCeiling: 10,
  rateFound: 10,
  rateFoundSince: undefined,
  apiLimit: undefined,
  rateFleet: 'none',
  rateBudget: 'none',
  rateBudgetSince: 0,
  queues: { source: undefined, deadLetter: undefined, outcome: undefined },
  ...new Activity({ wall: () => 0, monotonic: () => 0 }).now(),
};

/** All conditions; the given ones are raised at the epoch by an error of this name. */
export function conditionsAt(
  raised: Partial<Record<ConditionName, string>> = {},
): WorkerSnapshot['conditions'] {
  const conditions = new Conditions({ clock: { wall: () => 0, monotonic: () => 0 }, emit: () => {} });
  for (const [name, error] of Object.entries(raised))
    conditions.raise(name as ConditionName, Object.assign(new Error(), { name: error }));
  return conditions.list();
}
