/** What a worker is made of. Everything with effects outside the process is passed in. */
import type { Config } from '../config.ts';
import type { Bounds } from '../limits/bounds.ts';
import type { OtaApi } from '../ota/client.ts';
import { defaultProbeSchedules, type ProbeSchedules } from '../ota/gate.ts';
import type { Newest } from '../ota/newest/newest.ts';
import type { RateLimiter } from '../ota/rate/limiter.ts';
import type { RateControl } from '../ota/rate/rate-control.ts';
import type { Queue } from '../queue/queue.ts';
import type { BackoffSettings } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import type { QueueTime } from '../time/queue-time.ts';
import type { Conditions } from './conditions.ts';
import type { WorkerListener } from './events.ts';
import type { Tracing } from './tracing.ts';
import { TRIAL_MS } from './trials.ts';

export interface WorkerOptions {
  readonly config: Config;
  readonly source: Queue;
  readonly deadLetterQueue: Queue;
  /** Where the outcome of every update is published. */
  readonly outcomeQueue?: Queue;
  readonly api: OtaApi;
  readonly limiter: RateLimiter;
  readonly rate: RateControl;
  /**
   * The environment's limits, and what may lower them at run time. Their creator must apply each change to the rate.
   */
  readonly bounds: Bounds;
  readonly newest: Newest;
  /** Also raised and cleared by code outside the worker. */
  readonly conditions: Conditions;
  readonly clock: Clock;
  /** For the ages of messages, and for timestamps in records. */
  readonly queueTime: QueueTime;
  readonly random: () => number;
  readonly listeners: readonly WorkerListener[];
  /** Omitted: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly timings?: WorkerTimings;
}

/** The worker's fixed times. Not configurable: the contract states them. Passed in so that tests need not wait. */
export interface WorkerTimings {
  readonly trialMs: number;
  readonly probes: ProbeSchedules;
  /** Between tries to find the queues at the start. */
  readonly findQueuesBackoff: BackoffSettings;
  /** How long to wait for a claim that another worker holds. Omitted: a little longer than a claim can last. */
  readonly claimWaitMs?: number;
  /** How long a permit may be waited for before it is overdue. Omitted: the permits' own default. */
  readonly permitOverdueMs?: number;
  /** Between two reads of the queues' attributes, in milliseconds. */
  readonly readQueuesEveryMs: number;
  /** Between tries to reach the dead-letter queue. Omitted: the outbox's own default. */
  readonly deadLetterBackoff?: BackoffSettings;
  /** Between tries to reach the outcome queue. Omitted: the outbox's own default. */
  readonly outcomeBackoff?: BackoffSettings;
}

export const defaultTimings: WorkerTimings = {
  trialMs: TRIAL_MS,
  probes: defaultProbeSchedules,
  findQueuesBackoff: { baseMs: 1_000, maxMs: 30_000 },
  readQueuesEveryMs: 30_000,
};
