/** What a worker is made of: everything that touches the world is passed in. */
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
  /** The environment's, and what may lower them while it runs. Whoever makes them sets the rate by them. */
  readonly bounds: Bounds;
  readonly newest: Newest;
  /** Raised and cleared also by what stands around the worker. */
  readonly conditions: Conditions;
  readonly clock: Clock;
  /** For the ages of messages, and for records. */
  readonly queueTime: QueueTime;
  readonly random: () => number;
  readonly listeners: readonly WorkerListener[];
  /** Default: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly timings?: WorkerTimings;
}

/** The worker's fixed times. Not configuration: the contract states them. Passed in so that tests need not wait. */
export interface WorkerTimings {
  readonly trialMs: number;
  readonly probes: ProbeSchedules;
  /** Between tries to find the queues at start. */
  readonly findQueuesBackoff: BackoffSettings;
  /** How long a claim of another worker is waited for; a little longer than it can last when omitted. */
  readonly claimWaitMs?: number;
  /** How long a permit is wanted before it is overdue; the permits' own when omitted. */
  readonly permitOverdueMs?: number;
  /** Between two looks at the queues' attributes, in milliseconds. */
  readonly readQueuesEveryMs: number;
  /** Between tries to reach the dead-letter queue; the outbox's own when omitted. */
  readonly deadLetterBackoff?: BackoffSettings;
  /** Between tries to reach the outcome queue; the outbox's own when omitted. */
  readonly outcomeBackoff?: BackoffSettings;
}

export const defaultTimings: WorkerTimings = {
  trialMs: TRIAL_MS,
  probes: defaultProbeSchedules,
  findQueuesBackoff: { baseMs: 1_000, maxMs: 30_000 },
  readQueuesEveryMs: 30_000,
};
