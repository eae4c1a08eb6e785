/** Checks that settings for different queues name different queues, by asking SQS. */
import { isTransient } from './errors.ts';
import type { Queue } from './queue.ts';
import type { QueueAttributes } from './types.ts';
import { type NamedQueue, sameQueueFault } from './urls.ts';

interface AskedQueue extends NamedQueue {
  readonly redrivePolicy: string | undefined;
}

/**
 * Asks SQS for the ARN of each queue, because a queue has several URLs. A queue that does not exist, or that this user may not
 * ask about, is identified by its URL.
 * @param urls by their settings; undefined ones are not set.
 * @param open returns the queue of a URL.
 * @param own the setting of the queue that the command takes messages from.
 * @returns a sentence that names both settings of the first two that are one queue, or that are swapped; undefined if nothing
 * shows either.
 * @throws the error of a request that may succeed later; if several fail, that of `own`.
 */
export async function findSameQueue(
  urls: Readonly<Record<string, string | undefined>>,
  open: (url: string) => Pick<Queue, 'attributes'>,
  own: string,
): Promise<string | undefined> {
  const named = Object.entries(urls).flatMap(([setting, url]) =>
    url === undefined ? [] : [{ setting, url }],
  );
  const byUrl = sameQueueFault(named);
  if (byUrl !== undefined) return byUrl;
  const asked = named.map(async ({ setting, url }): Promise<AskedQueue> => {
    const { arn, redrivePolicy } = await open(url).attributes().catch(unlessTransient);
    return { setting, url, arn, redrivePolicy };
  });
  const ofOwn = asked[named.findIndex(({ setting }) => setting === own)];
  await Promise.allSettled(asked);
  await ofOwn;
  const queues = await Promise.all(asked);
  return sameQueueFault(queues) ?? swappedFault(queues);
}

/** SQS's own redrive policy leads from the updates to the dead letters, never back. */
function swappedFault(queues: readonly AskedQueue[]): string | undefined {
  const [updates, letters] = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL'].map((setting) =>
    queues.find((queue) => queue.setting === setting),
  );
  if (updates?.arn === undefined || letters?.redrivePolicy?.includes(JSON.stringify(updates.arn)) !== true)
    return undefined;
  return 'QUEUE_URL and DEAD_LETTER_QUEUE_URL are swapped: the redrive policy moves messages from the second to the first. Exchange their values.';
}

function unlessTransient(error: unknown): Partial<Pick<QueueAttributes, 'arn' | 'redrivePolicy'>> {
  if (isTransient(error)) throw error;
  return {};
}
