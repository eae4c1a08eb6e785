/** SQS's clock, as far as its answers tell. */
import { watchClockSkew, watchServerTime } from '../aws/server-time.ts';
import type { Clock } from '../time/clock.ts';
import { QueueTime } from '../time/queue-time.ts';
import type { SQSClient } from './client.ts';
import type { Queue } from './queue.ts';

/** SQS's time by the answers to `client` from now on; what is received is to be told to it. */
export function watchQueueTime(client: SQSClient, clock: Clock): QueueTime {
  const queueTime = new QueueTime(clock);
  watchServerTime(client, clock, queueTime);
  return queueTime;
}

export interface ClockWatch {
  /**
   * How far this machine's clock is ahead of SQS's, in milliseconds. It asks for the queue's attributes where there was no answer
   * yet; a refusal tells the time too. undefined: SQS does not tell.
   */
  readonly skewMs: (queue: Pick<Queue, 'attributes'>) => Promise<number | undefined>;
  /** The earlier of what this machine's clock and SQS's latest answer say, in epoch milliseconds: what is old by it is old. */
  readonly earliest: () => number;
}

/** Watches the answers of `client` from now on. */
export function watchClocks(client: SQSClient, clock: Clock): ClockWatch {
  const skewMs = watchClockSkew(client, clock);
  return {
    skewMs: async (queue) => {
      if (skewMs() === undefined) await queue.attributes().catch(() => undefined);
      return skewMs();
    },
    earliest: () => clock.wall() - Math.max(0, skewMs() ?? 0),
  };
}
