/** What the worker must know about its queues, derived from their attributes. PURE. */
import { MAX_PAYLOAD_BYTES } from '../../queue/batch.ts';
import type { Queue } from '../../queue/queue.ts';
import type { QueueAttributes } from '../../queue/types.ts';
import { sameQueue } from '../../queue/urls.ts';

export interface QueueFacts {
  readonly retentionSeconds: number;
  readonly deadLetter: { readonly maximumMessageBytes: number; readonly fifo: boolean };
  /** undefined: no outcomes are published. */
  readonly outcome?: { readonly fifo: boolean };
}

/** The settings that name the queues. */
export type QueueSetting = 'QUEUE_URL' | 'DEAD_LETTER_QUEUE_URL' | 'OUTCOME_QUEUE_URL';

/** One of the worker's queues, and its attributes as last read. */
export interface KnownQueue {
  readonly setting: QueueSetting;
  readonly queue: Pick<Queue, 'url' | 'fifo' | 'attributes'>;
  /** undefined until they could be read. */
  attributes: QueueAttributes | undefined;
  /** When the attributes were read, epoch milliseconds. */
  readAt: number | undefined;
}

/** About how many messages a queue has: SQS's counts lag by up to a minute. undefined where SQS gave no count. */
export interface QueueDepth {
  /** Messages that can be received. */
  readonly visible: number | undefined;
  /** Messages that a consumer received and has not deleted, or that are deferred. */
  readonly inFlight: number | undefined;
  /** Messages sent with a delay that is not over. */
  readonly delayed: number | undefined;
  /** When SQS gave these counts, epoch milliseconds. */
  readonly readAt: number;
}

/** @returns undefined for a queue that has not been read. */
export function depthOf({
  attributes,
  readAt,
}: Pick<KnownQueue, 'attributes' | 'readAt'>): QueueDepth | undefined {
  if (attributes === undefined || readAt === undefined) return undefined;
  const { visible, notVisible: inFlight, delayed } = attributes;
  return { visible, inFlight, delayed, readAt };
}

/** SQS's defaults, assumed if the queue's own attributes may not be read. */
const assumed = { retentionSeconds: 4 * 86_400, maximumMessageBytes: MAX_PAYLOAD_BYTES };

/** What follows from the known attributes; SQS's defaults replace the unknown ones. */
export function factsOf(queues: readonly KnownQueue[]): QueueFacts {
  const [source, deadLetter, outcome] = (
    ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'OUTCOME_QUEUE_URL'] as const
  ).map((setting) => queues.find((queue) => queue.setting === setting));
  return {
    retentionSeconds: positive(source?.attributes?.retentionSeconds) ?? assumed.retentionSeconds,
    deadLetter: {
      maximumMessageBytes:
        positive(deadLetter?.attributes?.maximumMessageBytes) ?? assumed.maximumMessageBytes,
      fifo: deadLetter?.queue.fifo === true,
    },
    ...(outcome !== undefined && { outcome: { fifo: outcome.queue.fifo } }),
  };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Each changed attribute with its old and its new value; null: the queue has no such value. */
export type QueueChanges = Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;

/** The attributes that are not counts. */
const settled = [
  'arn',
  'createdAt',
  'fifo',
  'retentionSeconds',
  'visibilitySeconds',
  'maximumMessageBytes',
  'redrivePolicy',
  'contentBasedDeduplication',
  'kmsKeyId',
] as const satisfies readonly (keyof QueueAttributes)[];

/** What has changed in a queue; if nothing was known before, what differs from the assumptions. */
export function changesOf(before: QueueAttributes | undefined, now: QueueAttributes): QueueChanges {
  const old: Readonly<Partial<Record<keyof QueueAttributes, unknown>>> = before ?? assumed;
  const names = before === undefined ? (['retentionSeconds', 'maximumMessageBytes'] as const) : settled;
  const changed = names.filter((name) => old[name] !== now[name]);
  return Object.fromEntries(changed.map((name) => [name, { from: shown(old[name]), to: shown(now[name]) }]));
}

function shown(value: unknown): unknown {
  return typeof value === 'string' ? value.slice(0, 500) : (value ?? null);
}

/** Two settings name one queue. */
export class SameQueueError extends Error {
  override readonly name = 'SameQueueError';
  /** The later of the two settings. */
  readonly setting: QueueSetting;

  constructor(setting: QueueSetting, other: QueueSetting, arn: string | undefined) {
    super(
      `${setting} is the same queue as ${other}${arn === undefined ? '' : ` (${arn})`}: use a different queue`,
    );
    this.setting = setting;
  }
}

/** One error for each queue that another setting also names. */
export function sameQueues(queues: readonly KnownQueue[]): SameQueueError[] {
  const identityOf = ({ queue, attributes }: KnownQueue) => ({ url: queue.url, arn: attributes?.arn });
  return queues.flatMap((queue, i) => {
    const other = queues.slice(0, i).find((each) => sameQueue(identityOf(each), identityOf(queue)));
    return other === undefined
      ? []
      : [new SameQueueError(queue.setting, other.setting, queue.attributes?.arn)];
  });
}
