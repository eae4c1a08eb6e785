/** The worker's fixed times. Not configuration: the contract states them; passed in so that tests need not wait. */

import { defaultProbeSchedules, type ProbeSchedules } from '../ota/gate.ts';
import type { BackoffSettings } from '../time/backoff.ts';
import { TRIAL_MS } from './trials.ts';

export interface WorkerTimings {
  readonly trialMs: number;
  readonly probes: ProbeSchedules;
  /** Between tries to find the queues at start. */
  readonly findQueuesBackoff: BackoffSettings;
  /** Between tries to reach the dead-letter queue; the outbox's own when omitted. */
  readonly deadLetterBackoff?: BackoffSettings;
  /** Between tries to reach the outcome queue; the outbox's own when omitted. */
  readonly outcomeBackoff?: BackoffSettings;
}

export const defaultTimings: WorkerTimings = {
  trialMs: TRIAL_MS,
  probes: defaultProbeSchedules,
  findQueuesBackoff: { baseMs: 1_000, maxMs: 30_000 },
};
