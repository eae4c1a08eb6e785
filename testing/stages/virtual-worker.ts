/**
 * Whole workers with their own timings in virtual time: created, run and stopped under `vi.useFakeTimers()`.
 */
import { type Environment, readConfig } from '../../src/config.ts';
import { Bounds } from '../../src/limits/bounds.ts';
import type { OtaApi } from '../../src/ota/client.ts';
import { LocalNewest } from '../../src/ota/newest/newest.ts';
import { AdaptiveRate } from '../../src/ota/rate/adaptive-rate.ts';
import { LocalRateLimiter } from '../../src/ota/rate/limiter.ts';
import { FixedRate } from '../../src/ota/rate/rate-control.ts';
import type { Queue } from '../../src/queue/queue.ts';
import type { Clock } from '../../src/time/clock.ts';
import { QueueTime } from '../../src/time/queue-time.ts';
import { Conditions } from '../../src/worker/conditions.ts';
import type { WorkerListener } from '../../src/worker/events.ts';
import { Worker } from '../../src/worker/worker.ts';
import { seeded } from '../random.ts';
import { MemoryQueue } from '../sqs/memory-queue.ts';

/** The clock of the fake timers, looked up at each call. */
const clock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };

export interface VirtualWorker {
  readonly worker: Worker;
  readonly source: MemoryQueue;
  readonly dead: MemoryQueue;
  /** Where its outcomes go, if it publishes them. */
  readonly outcomes: MemoryQueue;
}

export interface VirtualWorkerOptions {
  /** Answers its calls of the API. */
  readonly call: OtaApi['updateOtaTask'];
  /** In addition to queues and region. */
  readonly env?: Environment;
  /** Whether its rate adapts; default: it is fixed at `RATE_LIMIT`. */
  readonly adaptive?: boolean;
  /** Whether it publishes outcomes; default: it does not. */
  readonly publishes?: boolean;
  readonly listener?: WorkerListener;
}

/** A worker on queues in memory, not started. */
export function makeVirtualWorker(options: VirtualWorkerOptions): VirtualWorker {
  const { call, env = {}, adaptive = false, publishes = false, listener } = options;
  const source = new MemoryQueue('updates');
  const dead = new MemoryQueue('dead');
  const outcomes = new MemoryQueue('outcomes');
  const config = readConfig({
    QUEUE_URL: source.url,
    DEAD_LETTER_QUEUE_URL: dead.url,
    ...(publishes && { OUTCOME_QUEUE_URL: outcomes.url }),
    AWS_REGION: 'eu-west-1',
    ...env,
  });
  const limiter = new LocalRateLimiter(config.rateLimit);
  const onChange = (perSecond: number): void => limiter.setRate(perSecond);
  const worker = new Worker({
    config,
    source: source as unknown as Queue,
    deadLetterQueue: dead as unknown as Queue,
    ...(publishes && { outcomeQueue: outcomes as unknown as Queue }),
    api: { updateOtaTask: call, destroy: () => {} },
    limiter,
    rate: adaptive
      ? new AdaptiveRate({ ceiling: config.rateLimit, onChange })
      : new FixedRate(config.rateLimit),
    bounds: new Bounds({ rate: config.rateLimit, concurrency: config.maxConcurrency, now: clock.wall }),
    newest: new LocalNewest(),
    conditions: new Conditions({ clock, emit: () => {} }),
    clock,
    queueTime: new QueueTime(clock),
    random: seeded(7),
    listeners: listener === undefined ? [] : [listener],
  });
  return { worker, source, dead, outcomes };
}
