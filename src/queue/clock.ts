/** SQS's clock, as known from its answers. */
import { watchClockSkew, watchServerTime } from '../aws/server-time.ts';
import type { Clock } from '../time/clock.ts';
import { QueueTime } from '../time/queue-time.ts';
import type { SQSClient } from './client.ts';
import type { Queue } from './queue.ts';

/** SQS's time, from the answers to `client` from now on. The caller must report the time stamps of received messages to it. */
export function watchQueueTime(client: SQSClient, clock: Clock): QueueTime {
  const queueTime = new QueueTime(clock);
  watchServerTime(client, clock, queueTime);
  return queueTime;
}

export interface ClockWatch {
  /**
   * How far this machine's clock is ahead of SQS's, in milliseconds. Asks for the queue's attributes if there was no answer yet;
   * even a refusal carries the time. undefined: SQS gives no time.
   */
  readonly skewMs: (queue: Pick<Queue, 'attributes'>) => Promise<number | undefined>;
  /** The earlier of this machine's time and that of SQS's latest answer, epoch milliseconds: what is old by it is old. */
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
