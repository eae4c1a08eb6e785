/** Whether settings that must name different queues do, by what SQS says the queues are. */
import { isTransient } from './errors.ts';
import type { Queue } from './queue.ts';
import { type NamedQueue, sameQueueFault } from './urls.ts';

/**
 * Asks SQS for the ARN of each queue: a queue has several URLs. One that does not exist, or that this user may not ask about,
 * is told by its URL.
 * @param urls by their settings; undefined ones are not set.
 * @param open the queue of a URL.
 * @returns a sentence that names both settings of the first two that are one queue; undefined where each has its own.
 * @throws the error of a request that may succeed later.
 */
export async function findSameQueue(
  urls: Readonly<Record<string, string | undefined>>,
  open: (url: string) => Pick<Queue, 'attributes'>,
): Promise<string | undefined> {
  const named = Object.entries(urls).flatMap(([setting, url]) =>
    url === undefined ? [] : [{ setting, url }],
  );
  const byUrl = sameQueueFault(named);
  if (byUrl !== undefined) return byUrl;
  const asked = named.map(async ({ setting, url }): Promise<NamedQueue> => {
    const { arn } = await open(url).attributes().catch(unlessTransient);
    return { setting, url, arn };
  });
  return sameQueueFault(await Promise.all(asked));
}

function unlessTransient(error: unknown): { readonly arn: undefined } {
  if (isTransient(error)) throw error;
  return { arn: undefined };
}
