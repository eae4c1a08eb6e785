/**
 * Reads the attributes of the worker's queues, then again every 30 s and after every gap: anybody may change them, and a
 * queue may be deleted and created again.
 *
 *   created ── find ─► finding ── each is there, or may not be read ─► found ── watch ─► watching
 *
 * The retention counts as unknown from the moment when receives begin to fail, or when a look fails in a gap, until it is
 * read again. It may have been raised meanwhile, and dead-lettering a message as expiring cannot be undone.
 */
import { isTransient, sqsErrorKind } from '../../queue/errors.ts';
import type { QueueAttributes } from '../../queue/types.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import { sleep } from '../../time/clock.ts';
import type { ConditionName, Conditions } from '../conditions.ts';
import type { WorkerListener } from '../events.ts';
import type { Retention } from './prefetch.ts';
import {
  changesOf,
  depthOf,
  factsOf,
  type KnownQueue,
  type QueueDepth,
  type QueueFacts,
  type QueueSetting,
  sameQueues,
} from './queue-facts.ts';

export interface QueueWatchOptions {
  readonly queues: readonly Omit<KnownQueue, 'attributes' | 'readAt'>[];
  readonly conditions: Conditions;
  /** Of the source queue; kept up to date. */
  readonly retention: Retention;
  /** Called after `retention` has changed. */
  readonly onRetention: () => void;
  /** Between tries to find the queues. */
  readonly backoff: BackoffSettings;
  /** Between two looks, in milliseconds; up to a quarter of jitter is added. */
  readonly everyMs: number;
  readonly random: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Aborted when the worker stops. */
  readonly stopping: AbortSignal;
  readonly emit: WorkerListener;
}

/** The least wait between two tries to find the queues, whatever the jitter, in milliseconds. */
const MIN_BACKOFF_MS = 250;
/** While one of these is raised, something is wrong with SQS or with the connection to it: a gap. */
const gaps: readonly ConditionName[] = ['receiving', 'dead-lettering', 'publishing', 'deleting', 'extending'];

export class QueueWatch {
  readonly #options: QueueWatchOptions;
  readonly #queues: readonly KnownQueue[];
  #facts: QueueFacts | undefined;
  #looking = false;
  #lookAgain = false;
  #inGap = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: QueueWatchOptions) {
    this.#options = options;
    this.#queues = options.queues.map((queue) => ({ ...queue, attributes: undefined, readAt: undefined }));
  }

  /** undefined until all queues are found. */
  get facts(): QueueFacts | undefined {
    return this.#facts;
  }

  /** The message counts of a queue, as last read; undefined if none were read, or no such queue is set. */
  depth(setting: QueueSetting): QueueDepth | undefined {
    const queue = this.#queues.find((each) => each.setting === setting);
    return queue && depthOf(queue);
  }

  /**
   * Looks for the queues until all are found, or the worker stops.
   * @throws SameQueueError when two settings name one queue.
   */
  async find(): Promise<void> {
    const { backoff, random, stopping } = this.#options;
    for (let failures = 1; !stopping.aborted; failures++) {
      const missing = await this.#read();
      if (stopping.aborted) return;
      if (missing.size === 0) {
        const [same] = sameQueues(this.#queues);
        if (same !== undefined) throw same;
        // A policy may take effect seconds late, so no retention is assumed before the next look.
        this.#conclude(
          this.#queues.some((each) => each.setting === 'QUEUE_URL' && each.attributes === undefined),
        );
        return;
      }
      await sleep(Math.max(MIN_BACKOFF_MS, fullJitter(backoff, failures, random)), stopping);
    }
  }

  /** Looks at the queues again and again from now on, until the worker stops. */
  watch(): void {
    const { conditions, stopping } = this.#options;
    conditions.watch(() => this.#onCondition());
    stopping.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
    this.#plan();
  }

  #plan(): void {
    const { everyMs, random, stopping } = this.#options;
    clearTimeout(this.#timer);
    if (!stopping.aborted) this.#timer = setTimeout(() => void this.#look(), everyMs * (1 + random() / 4));
  }

  #onCondition(): void {
    const { conditions, retention, stopping } = this.#options;
    if (conditions.has('receiving')) retention.seconds = Number.POSITIVE_INFINITY;
    const inGap = gaps.some((name) => conditions.has(name));
    if (inGap === this.#inGap) return;
    this.#inGap = inGap;
    if (!inGap && !stopping.aborted) void this.#look();
  }

  /** One look at a time. A look that is asked for meanwhile follows. */
  async #look(): Promise<void> {
    this.#lookAgain = this.#looking;
    if (this.#looking) return;
    this.#looking = true;
    const missing = await this.#read();
    this.#looking = false;
    const { conditions, stopping } = this.#options;
    if (stopping.aborted) return;
    const same = sameQueues(this.#queues);
    for (const { setting } of this.#queues) {
      const error = same.find((each) => each.setting === setting);
      if (error === undefined) conditions.clear('same-queue', setting);
      else conditions.raise('same-queue', error, setting);
    }
    this.#conclude(missing.has('QUEUE_URL'));
    if (this.#lookAgain) await this.#look();
    else this.#plan();
  }

  /**
   * @param unread the source queue was not read. The retention known before then stays in force; in a gap it may have
   * changed, and counts as unknown.
   */
  #conclude(unread: boolean): void {
    const { retention, onRetention } = this.#options;
    this.#facts = factsOf(this.#queues);
    let { retentionSeconds } = this.#facts;
    if (unread) retentionSeconds = this.#inGap ? Number.POSITIVE_INFINITY : retention.seconds;
    if (retention.seconds === retentionSeconds) return;
    retention.seconds = retentionSeconds;
    onRetention();
  }

  /**
   * Reads every queue. Never throws. @returns the queues not found; one whose attributes may not be read counts as found.
   */
  async #read(): Promise<ReadonlySet<QueueSetting>> {
    const { stopping } = this.#options;
    const results = await Promise.allSettled(this.#queues.map(({ queue }) => queue.attributes(stopping)));
    const missing = new Set<QueueSetting>();
    if (stopping.aborted) return missing;
    for (const [i, queue] of this.#queues.entries()) {
      const result = results[i];
      if (result?.status === 'fulfilled') this.#note(queue, result.value);
      else if (!this.#noteFailure(queue, result?.reason)) missing.add(queue.setting);
    }
    return missing;
  }

  #note(queue: KnownQueue, attributes: QueueAttributes): void {
    const { conditions, emit, now } = this.#options;
    const { setting } = queue;
    conditions.clear('finding-queues', setting);
    conditions.clear('queue-attributes', setting);
    const first = this.#facts === undefined;
    const changes = changesOf(queue.attributes, attributes);
    queue.attributes = attributes;
    queue.readAt = now();
    if (!first && Object.keys(changes).length > 0) emit({ type: 'queue-changed', setting, changes });
  }

  /** @returns true for a queue that exists. */
  #noteFailure({ setting }: KnownQueue, error: unknown): boolean {
    const { conditions } = this.#options;
    if (sqsErrorKind(error) === 'denied') {
      conditions.clear('finding-queues', setting);
      conditions.raise('queue-attributes', error, setting);
      return true;
    }
    // A transient fault does not mean that a queue once found is lost.
    if (this.#facts === undefined || !isTransient(error)) conditions.raise('finding-queues', error, setting);
    return false;
  }
}
