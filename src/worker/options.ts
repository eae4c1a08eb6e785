/** What a worker is made of: everything that touches the world is passed in. */

import type { Config } from '../config.ts';
import type { OtaApi } from '../ota/client.ts';
import type { Newest } from '../ota/newest/newest.ts';
import type { RateLimiter } from '../ota/rate/limiter.ts';
import type { RateControl } from '../ota/rate/rate-control.ts';
import type { Queue } from '../queue/queue.ts';
import type { Clock } from '../time/clock.ts';
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
