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

/**
 * Watches the answers of `client` from now on.
 * @returns reads how far this machine's clock is ahead of SQS's, in milliseconds. It asks for the queue's attributes where
 * there was no answer yet; a refusal tells the time too. undefined: SQS does not tell.
 */
export function clockSkewReader(
  client: SQSClient,
  clock: Clock,
): (queue: Pick<Queue, 'attributes'>) => Promise<number | undefined> {
  const skewMs = watchClockSkew(client, clock);
  return async (queue) => {
    if (skewMs() === undefined) await queue.attributes().catch(() => undefined);
    return skewMs();
  };
}
