/** What a queue's URL shows about the queue, and about where to send requests for it. PURE. */
import { isAwsHost } from '../aws/endpoints.ts';

/** Whether a URL belongs to a FIFO queue: SQS requires the suffix. */
export function isFifoUrl(queueUrl: string): boolean {
  return (URL.parse(queueUrl)?.pathname ?? queueUrl).endsWith('.fifo');
}

/** What identifies a queue. */
export interface QueueIdentity {
  readonly url: string;
  readonly arn?: string | undefined;
}

/** Whether both are one queue: by ARN if both are known, because a queue has several URLs; else by URL. */
export function sameQueue(a: QueueIdentity, b: QueueIdentity): boolean {
  if (a.arn !== undefined && b.arn !== undefined) return a.arn === b.arn;
  return sameQueueUrl(a.url, b.url);
}

export interface NamedQueue extends QueueIdentity {
  /** The variable that names the queue. */
  readonly setting: string;
}

/** A sentence on the first two settings that name one queue; undefined if all differ. */
export function sameQueueFault(queues: readonly NamedQueue[]): string | undefined {
  for (const [i, queue] of queues.entries()) {
    const other = queues.slice(0, i).find((before) => sameQueue(before, queue));
    if (other === undefined) continue;
    const arn = queue.arn === undefined ? '' : ` (${queue.arn})`;
    return `${queue.setting} is the same queue as ${other.setting}${arn}: use a different queue.`;
  }
  return undefined;
}

/**
 * Whether two URLs name one queue, as far as URLs show: SQS has several hosts for each queue, so account, name and region
 * count. Texts that are not URLs are compared as they are.
 */
export function sameQueueUrl(a: string, b: string): boolean {
  const [first, second] = [URL.parse(a), URL.parse(b)];
  if (first === null || second === null) return a === b;
  const region = (host: string): string | undefined =>
    /(?:^|\.)([a-z]{2,4}(?:-[a-z]+)+-\d)\./.exec(host)?.[1];
  const path = (url: URL): string => url.pathname.replace(/\/+$/, '');
  return path(first) === path(second) && region(first.host) === region(second.host);
}

/** The SDK's switches (`AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, and a profile's keys of these names). */
export interface EndpointSwitches {
  readonly fips: boolean;
  readonly dualStack: boolean;
}

/** SQS's public hosts, in the current and the legacy form: not those of VPC endpoints. */
const PUBLIC = /^(?:sqs(?:-fips)?\.[a-z\d-]+|(?:[a-z\d-]+\.)?queue)\.(?!vpce\.)/;

/**
 * The origin for a request if no endpoint is configured: that of the queue's URL, as emulators and VPC endpoints need. If a
 * switch requires another kind of endpoint than the URL's host, it is the region's origin.
 * @param regional the region's origin, by the SDK's rules for these switches.
 */
export function originFor(queueUrl: string, regional: string, { fips, dualStack }: EndpointSwitches): string {
  const url = URL.parse(queueUrl);
  if (url === null) return regional;
  const { hostname, origin } = url;
  if (!isAwsHost(hostname)) return origin;
  // Rather no answer than one from an endpoint that is not FIPS.
  if (fips && !hostname.includes('fips')) return regional;
  return dualStack && PUBLIC.test(hostname) ? regional : origin;
}
