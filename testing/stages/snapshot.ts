/** The snapshot of a worker to which nothing has happened. */
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';

export const well: WorkerSnapshot = {
  state: 'running',
  gate: 'open',
  gateReason: undefined,
  queuesFound: true,
  receiving: true,
  deadLetterQueueReachable: true,
  refusedLetters: 0,
  outcomeQueueReachable: true,
  refusedOutcomes: 0,
  pollStalledMs: 0,
  held: 0,
  inFlight: 0,
  onTrial: 0,
  settling: 0,
  oldestHeldMs: 0,
  rate: 10,
};
