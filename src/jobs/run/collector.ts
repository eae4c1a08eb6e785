/**
 * The collector: takes outcomes from their queue into the ledger, those of every job.
 *
 * What is no outcome is left on the queue. So are, for a while, outcomes of jobs that the ledger does not know: another
 * ledger that collects from the same queue may have them.
 *
 *   idle      one poll of a second after the other
 *   backlog   a poll that comes back full starts another beside it, up to MAX_POLLS
 *   failing   a poll failed: the next follows after a jittered backoff; reported once, and once more when it is over
 *   stopped   polls are waited for, and cut only when SQS does not answer: messages that a cut poll was bringing are
 *             invisible for a visibility timeout, and the next command would have to wait for them
 *
 * What several polls bring at about the same time is stored in one transaction and deleted only then: at least once.
 * Any number of processes may collect into one ledger.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CommandError } from '../../errors.ts';
import { readPayload } from '../../message/envelopes.ts';
import type { Message } from '../../message/message.ts';
import { type Outcome, outcomeSchema } from '../../message/outcome.ts';
import { BATCH_SIZE, packRequests } from '../../queue/batch.ts';
import { explainSqsError } from '../../queue/explain.ts';
import type { Queue } from '../../queue/queue.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import type { EndResult, ReceivedOutcome } from '../ledger/ledger.ts';
import { isAbandoned, LeftMessages, secondsLeft } from './left-messages.ts';
import { OutcomesUnreadable } from './unreadable.ts';

/** Polls side by side at most. */
const MAX_POLLS = 8;
/** Short, so that a command need not wait long when its job has ended. */
const POLL_SECONDS = 1;
/** How long a stop waits for polls beyond that, in milliseconds. */
const STOP_PATIENCE_MS = 2_000;
/** Ample to store and delete; short, because messages of a killed process come back only after it. */
const VISIBILITY_SECONDS = 5;
const backoff: BackoffSettings = { baseMs: 500, maxMs: 10_000 };

export interface CollectorOptions {
  readonly queue: Pick<Queue, 'url' | 'receive' | 'delete' | 'changeVisibility'>;
  readonly store: (outcomes: readonly ReceivedOutcome[]) => Promise<EndResult>;
  /** Epoch milliseconds, as SQS has them. */
  readonly now: () => number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Called after every transaction, and with undefined when the ledger fails. */
  readonly onStored: (stored: EndResult | undefined) => void;
  /** One sentence without its full stop, for the user. */
  readonly onTrouble: (sentence: string) => void;
}

export class Collector {
  readonly #options: CollectorOptions;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #polls = new Set<Promise<void>>();
  /** Polls that will go on. Those in `#polls` may have decided to end and not have ended yet. */
  #width = 0;
  #waiting: ReceivedOutcome[] = [];
  #flush: Promise<EndResult> | undefined;
  /** Settles when the last transaction is over. */
  #storing: Promise<unknown> = Promise.resolve();
  readonly #left = new LeftMessages();
  #failures = 0;
  #broken: unknown;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** What ended it: the ledger's error, or messages that are no outcomes. No answer of SQS does. */
  get broken(): unknown {
    return this.#broken;
  }

  /**
   * Takes what is on the queue now, without waiting for more. It makes two requests at least, and so proves that the
   * queue can be read.
   * @param maxMs ends it: workers may fill the queue faster than it is emptied.
   * @returns whether it came to the queue's end.
   * @throws OutcomesUnreadable when the queue cannot be read; CommandError for messages that are no outcomes.
   */
  async collectWaiting(signal: AbortSignal, maxMs?: number): Promise<boolean> {
    const done = new AbortController();
    const late = new AbortController();
    const timer =
      maxMs === undefined ? undefined : this.#options.sleep(maxMs, done.signal).then(() => late.abort());
    const stop = AbortSignal.any([signal, late.signal, this.#stop.signal]);
    try {
      let polls = 1;
      // Without waiting, SQS looks at some of its servers only: one empty answer proves little.
      for (let empty = 0; empty < 2; ) {
        if (stop.aborted) return false;
        const taken = await Promise.all(Array.from({ length: polls }, () => this.#takeWaiting()));
        empty = taken.every(({ news }) => news === 0) ? empty + 1 : 0;
        polls = taken.some(({ received }) => received === BATCH_SIZE) ? MAX_POLLS : 1;
      }
      return true;
    } finally {
      done.abort();
      await timer;
    }
  }

  async #takeWaiting(): Promise<{ received: number; news: number }> {
    const messages = await this.#receive(0).catch((error: unknown) => {
      throw new OutcomesUnreadable(`${this.#unreadable(error)}. Nothing was sent.`);
    });
    return { received: messages.length, news: await this.#take(messages) };
  }

  /** Polls until it is stopped; once started it goes on. */
  start(): void {
    if (this.#width === 0) this.#addPoll();
  }

  /** Resolves when the last poll has ended, its messages are stored, and what is no outcome is visible again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const patience = setTimeout(() => this.#cut.abort(), STOP_PATIENCE_MS);
    await Promise.all(this.#polls);
    clearTimeout(patience);
    const { queue } = this.#options;
    const changes = this.#left.strays.map((receiptHandle) => ({ receiptHandle, seconds: 0 }));
    const batches = packRequests(changes);
    await Promise.all(Array.from(batches, (batch) => queue.changeVisibility(batch).catch(() => [])));
  }

  #addPoll(): void {
    this.#width++;
    const poll = this.#poll()
      .catch((error: unknown) => {
        this.#broken ??= error;
        this.#stop.abort();
        this.#options.onStored(undefined);
      })
      .finally(() => this.#polls.delete(poll));
    this.#polls.add(poll);
  }

  /** One poll after the other, until others suffice. */
  async #poll(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let messages: Message[];
      try {
        messages = await this.#receive(POLL_SECONDS);
      } catch (error) {
        if (signal.aborted) return;
        await this.#failed(error);
        if (this.#mayEnd()) return;
        continue;
      }
      if (this.#failures > 0) {
        this.#failures = 0;
        this.#options.onTrouble('The outcome queue answers again');
      }
      if (messages.length === BATCH_SIZE && this.#width < MAX_POLLS) this.#addPoll();
      await this.#take(messages);
      if (messages.length < BATCH_SIZE && this.#mayEnd()) return;
    }
  }

  /** Whether this poll may end; decided and counted in one turn, so that one always goes on. */
  #mayEnd(): boolean {
    if (this.#width === 1) return false;
    this.#width--;
    return true;
  }

  async #receive(waitSeconds: number): Promise<Message[]> {
    const { signal } = this.#cut;
    const visibilitySeconds = VISIBILITY_SECONDS;
    return await this.#options.queue.receive({ max: BATCH_SIZE, waitSeconds, visibilitySeconds, signal });
  }

  async #failed(error: unknown): Promise<void> {
    const { onTrouble, random, sleep } = this.#options;
    this.#failures++;
    if (this.#failures === 1) onTrouble(`${this.#unreadable(error)}; trying again`);
    await sleep(100 + fullJitter(backoff, this.#failures, random), this.#stop.signal);
  }

  #unreadable(error: unknown): string {
    return `Outcomes cannot be read: ${explainSqsError(error, this.#options.queue.url, outcomeHints)}`;
  }

  /**
   * Stores, then deletes what was stored, and leaves the rest.
   * @returns how many messages are news: stored, or left for the first time.
   * @throws CommandError when too many are no outcomes.
   */
  async #take(messages: readonly Message[]): Promise<number> {
    const { now } = this.#options;
    const outcomes = new Map<ReceivedOutcome, Message>();
    const left: Message[] = [];
    let tooMany: CommandError | undefined;
    for (const message of messages) {
      const parsed = parseOutcome(message.body);
      if ('fault' in parsed) {
        left.push(message);
        tooMany ??= this.#left.addStray(message, parsed.fault);
      } else outcomes.set({ ...parsed, abandoned: isAbandoned(message, now()) }, message);
    }
    if (outcomes.size > 0) {
      this.#waiting.push(...outcomes.keys());
      this.#flush ??= this.#store();
      for (const one of (await this.#flush).left) {
        const message = outcomes.get(one);
        if (message !== undefined) left.push(message);
        outcomes.delete(one);
      }
    }
    await this.#settle([...outcomes.values()], left);
    if (tooMany !== undefined) throw tooMany;
    return outcomes.size + left.filter((message) => this.#left.add(message)).length;
  }

  /** A request that fails costs nothing: what was stored comes again, and storing it again changes nothing. */
  async #settle(stored: readonly Message[], left: readonly Message[]): Promise<void> {
    const { queue, random } = this.#options;
    const changes = left.map((message) => ({
      receiptHandle: message.receiptHandle,
      seconds: secondsLeft(message, random),
    }));
    await Promise.all([
      stored.length > 0 && queue.delete(stored.map((message) => message.receiptHandle)).catch(() => []),
      changes.length > 0 && queue.changeVisibility(changes).catch(() => []),
    ]);
  }

  async #store(): Promise<EndResult> {
    // What other polls bring in this turn of the event loop, and while the last transaction is not over, goes into one.
    await Promise.all([nextTurn(), this.#storing]);
    const outcomes = this.#waiting;
    this.#waiting = [];
    this.#flush = undefined;
    const storing = this.#options.store(outcomes);
    this.#storing = storing.catch(() => undefined);
    const stored = await storing;
    this.#options.onStored(stored);
    return stored;
  }
}

/** How sentences about this queue name its variable and the permission it takes. */
const outcomeHints = {
  setting: 'OUTCOME_QUEUE_URL',
  permission: 'sqs:ReceiveMessage',
  does: 'receive',
} as const;

/**
 * The body of a message of the outcome queue: an outcome, bare or in an envelope (a CloudEvent; a notification of SNS), or what is wrong
 * with it. Never throws. PURE.
 */
export function parseOutcome(body: string): { readonly outcome: Outcome } | { readonly fault: string } {
  const payload = readPayload(body);
  if (!payload.ok) return { fault: payload.message };
  const parsed = outcomeSchema.safeParse(payload.value);
  if (parsed.success) return { outcome: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return { fault: faults.slice(0, 3).join('; ').slice(0, 500) };
}
