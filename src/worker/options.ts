/** What a worker is made of: everything that touches the world is passed in. */
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { OtaApi } from '../ota/client.ts';
import type { RateLimiter } from '../ota/limiter.ts';
import type { Newest } from '../ota/newest.ts';
import type { RateControl } from '../ota/rate.ts';
import type { Queue } from '../queue/queue.ts';
import type { WorkerListener } from './events.ts';
import type { WorkerTimings } from './timings.ts';

export interface WorkerOptions {
  readonly config: Config;
  readonly source: Queue;
  readonly deadLetterQueue: Queue;
  /** Where the outcome of every update is published. */
  readonly outcomeQueue?: Queue;
  readonly api: OtaApi;
  readonly limiter: RateLimiter;
  readonly rate: RateControl;
  readonly newest: Newest;
  readonly clock: Clock;
  readonly random: () => number;
  readonly listeners: readonly WorkerListener[];
  readonly timings?: WorkerTimings;
}
