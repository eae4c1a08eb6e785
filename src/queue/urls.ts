/** What a queue's URL says of the queue. PURE. */

/** Whether a URL is that of a FIFO queue: SQS requires the ending. */
export function isFifoUrl(queueUrl: string): boolean {
  return (URL.parse(queueUrl)?.pathname ?? queueUrl).endsWith('.fifo');
}

/** What a queue is known by. */
export interface QueueIdentity {
  readonly url: string;
  readonly arn?: string | undefined;
}

/** Whether they are one queue: by ARN where both are known, for one queue has several URLs; else as far as URLs tell. */
export function sameQueue(a: QueueIdentity, b: QueueIdentity): boolean {
  if (a.arn !== undefined && b.arn !== undefined) return a.arn === b.arn;
  return sameQueueUrl(a.url, b.url);
}

/**
 * Whether two URLs are of one queue, as far as URLs tell: SQS has several hosts for each queue, so account, name and
 * region count. Texts that are not URLs are compared as they are.
 */
export function sameQueueUrl(a: string, b: string): boolean {
  const [first, second] = [URL.parse(a), URL.parse(b)];
  if (first === null || second === null) return a === b;
  const region = (host: string): string | undefined => /(?:^|\.)([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(host)?.[1];
  const path = (url: URL): string => url.pathname.replace(/\/+$/, '');
  return path(first) === path(second) && region(first.host) === region(second.host);
}
