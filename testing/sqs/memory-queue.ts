/** A queue in memory, for whole workers in virtual time (`vi.useFakeTimers`): a worker's waits are then exact. */
import type { Message } from '../../src/message/message.ts';
import type { Queue } from '../../src/queue/queue.ts';
import type {
  OutgoingMessage,
  QueueAttributes,
  ReceiveOptions,
  SendAnswer,
  VisibilityChange,
} from '../../src/queue/types.ts';

/** What can happen to a request: it fails, or is never answered. */
export type Treatment = 'fail' | 'hang';

export type QueueRequest = 'receive' | 'delete' | 'changeVisibility' | 'send' | 'attributes';

interface StoredMessage {
  readonly body: string;
  readonly id: string;
  visibleAt: number;
  receives: number;
}

/** Time between two looks of a poll at the queue, in milliseconds. */
const LOOK_MS = 100;

/** SQS as far as a worker needs it. Requests take 5 ms; attributes are read at once. */
export class MemoryQueue implements Pick<Queue, keyof Queue> {
  readonly url: string;
  readonly fifo = false;
  readonly sent: { readonly body: string }[] = [];
  /** What happens to requests; default: they are answered. */
  readonly treatments: Partial<Record<QueueRequest, Treatment>> = {};
  /** Requests so far. */
  readonly counts: Record<QueueRequest, number> = {
    receive: 0,
    delete: 0,
    changeVisibility: 0,
    send: 0,
    attributes: 0,
  };
  /** Polls in progress. */
  polls = 0;

  readonly #messages: StoredMessage[] = [];
  #puts = 0;

  constructor(name: string) {
    this.url = `https://sqs.eu-west-1.amazonaws.com/123456789012/${name}`;
  }

  /** Numbers of its messages that can be received now, and that cannot. */
  get left(): { readonly ready: number; readonly inFlight: number } {
    const ready = this.#messages.filter(({ visibleAt }) => visibleAt <= performance.now()).length;
    return { ready, inFlight: this.#messages.length - ready };
  }

  /** All requests so far, except reads of its attributes. */
  get requests(): number {
    const { receive, delete: deletes, changeVisibility, send } = this.counts;
    return receive + deletes + changeVisibility + send;
  }

  put(body: string): void {
    this.#messages.push({ body, id: String(this.#puts++), visibleAt: 0, receives: 0 });
  }

  async receive({ max, waitSeconds, visibilitySeconds = 30, signal }: ReceiveOptions): Promise<Message[]> {
    this.polls++;
    try {
      const until = performance.now() + waitSeconds * 1_000;
      await this.#requested('receive', signal);
      for (;;) {
        const now = performance.now();
        const visible = this.#messages.filter(({ visibleAt }) => visibleAt <= now).slice(0, max);
        if (visible.length > 0 || now >= until)
          return visible.map((each) => this.#give(each, visibilitySeconds));
        await elapsed(LOOK_MS, signal);
      }
    } finally {
      this.polls--;
    }
  }

  async delete(handles: readonly string[]): Promise<[]> {
    await this.#requested('delete');
    for (const handle of handles) {
      const index = this.#messages.findIndex(({ id }) => handle === id);
      if (index >= 0) this.#messages.splice(index, 1);
    }
    return [];
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<[]> {
    await this.#requested('changeVisibility');
    for (const { receiptHandle, seconds } of changes) {
      const index = this.#messages.findIndex(({ id }) => receiptHandle === id);
      const [message] = index < 0 ? [] : this.#messages.splice(index, 1);
      // Moves to the end: messages not received yet come first.
      if (message) this.#messages.push({ ...message, visibleAt: performance.now() + seconds * 1_000 });
    }
    return [];
  }

  async send(messages: readonly OutgoingMessage[]): Promise<[]> {
    await this.#requested('send');
    this.sent.push(...messages);
    return [];
  }

  async sendForIds(messages: readonly OutgoingMessage[]): Promise<SendAnswer> {
    return { failed: await this.send(messages), messageIds: new Map() };
  }

  async attributes(signal?: AbortSignal): Promise<QueueAttributes> {
    // Synchronously, so that a start can be awaited without time passing.
    if (this.treatments.attributes !== undefined) await this.#requested('attributes', signal);
    const unread = undefined;
    return {
      arn: this.url,
      fifo: false,
      retentionSeconds: 4 * 86_400,
      visibilitySeconds: 30,
      maximumMessageBytes: unread,
      redrivePolicy: unread,
      visible: unread,
      notVisible: unread,
      delayed: unread,
      contentBasedDeduplication: false,
      createdAt: unread,
      kmsKeyId: unread,
    };
  }

  onNotice(): void {}

  /** Takes 5 ms, or does what the treatment of such requests says. */
  async #requested(request: QueueRequest, signal?: AbortSignal): Promise<void> {
    this.counts[request]++;
    const treatment = this.treatments[request];
    await elapsed(treatment === 'hang' ? undefined : 5, signal);
    if (treatment === 'fail') throw Object.assign(new Error('made to fail'), { name: 'InternalFailure' });
  }

  #give(message: StoredMessage, seconds: number): Message {
    message.visibleAt = performance.now() + seconds * 1_000;
    message.receives++;
    return {
      messageId: message.id,
      receiptHandle: message.id,
      body: message.body,
      attributes: {},
      sentAt: Date.now(),
      receiveCount: message.receives,
    };
  }
}

/** Resolves after `ms` milliseconds, or never; rejects when the signal aborts. */
function elapsed(ms: number | undefined, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (ms !== undefined) setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
}
