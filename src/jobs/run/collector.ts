/**
 * The collector: takes outcomes off their queue and puts them into the ledger, those of every job.
 *
 *   idle      one poll of a second after the other
 *   backlog   polls that come back full bring others with them, up to MAX_POLLS
 *   failing   a poll failed: the next after a jittered backoff; said once, and once more when it has passed
 *   stopped   polls are waited for, and cut only when SQS is silent: what a cut poll was bringing is invisible to
 *             everyone for a visibility timeout, and the next command would wait for it
 *
 * What several polls bring at about the same time is stored in one transaction, and deleted only then: at least once.
 * Any number of processes may collect into one ledger.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EnqueueFailure } from '../../input/faults.ts';
import type { Message } from '../../message/message.ts';
import { BATCH_SIZE } from '../../queue/batch.ts';
import { explainSqsError } from '../../queue/explain.ts';
import type { Queue } from '../../queue/queue.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import type { Arrival, StoreResult } from '../ledger/outcome-store.ts';
import { readOutcome } from './outcome-message.ts';

/** Polls side by side at most. */
export const MAX_POLLS = 8;
/** Short, so that a command whose job has ended need not be waited for. */
const POLL_SECONDS = 1;
/** How long a stop waits for polls beyond that, in milliseconds. */
const STOP_PATIENCE_MS = 2_000;
/** Ample to store and delete; short, for what a dead process held comes back only then. */
const VISIBILITY_SECONDS = 5;
const backoff: BackoffSettings = { baseMs: 500, maxMs: 10_000 };

export interface CollectorOptions {
  readonly queue: Pick<Queue, 'url' | 'receive' | 'delete'>;
  readonly store: (arrivals: readonly Arrival[]) => StoreResult;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Called after every transaction. */
  readonly onStored: (result: StoreResult) => void;
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
  #waiting: Arrival[] = [];
  #flush: Promise<void> | undefined;
  #failures = 0;
  #broken: unknown;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Why it ended by itself: the ledger failed. Whatever SQS does, it goes on. */
  get broken(): unknown {
    return this.#broken;
  }

  /**
   * Takes what is on the queue now, without waiting for more; asks at least twice, so that it shows that the queue can
   * be read.
   * @param signal ends it: workers may fill the queue faster than it is emptied.
   * @returns whether it came to the queue's end.
   * @throws EnqueueFailure when the queue cannot be read.
   */
  async drain(signal: AbortSignal): Promise<boolean> {
    let width = 1;
    // SQS looks at some of its servers only when it does not wait: one empty answer proves little.
    for (let empty = 0; empty < 2; ) {
      if (signal.aborted || this.#stop.signal.aborted) return false;
      const took = await Promise.all(Array.from({ length: width }, () => this.#drainSome()));
      empty = took.every((count) => count === 0) ? empty + 1 : 0;
      width = took.includes(BATCH_SIZE) ? MAX_POLLS : 1;
    }
    return true;
  }

  async #drainSome(): Promise<number> {
    const messages = await this.#receive(0).catch((error: unknown) => {
      throw this.#unreadable(error);
    });
    await this.#take(messages);
    return messages.length;
  }

  start(): void {
    this.#addPoll();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const patience = setTimeout(() => this.#cut.abort(), STOP_PATIENCE_MS);
    await Promise.all(this.#polls);
    clearTimeout(patience);
  }

  #addPoll(): void {
    this.#width++;
    const poll = this.#poll()
      .catch((error: unknown) => {
        this.#broken ??= error;
        this.#stop.abort();
        this.#options.onStored({ rows: 0, nothingNew: 0, parked: 0, strays: 0 });
      })
      .finally(() => this.#polls.delete(poll));
    this.#polls.add(poll);
  }

  /** One poll after the other, until there is nothing to do for this one beside the others. */
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

  /** Whether this poll is one too many; decided and counted in one turn, so that one always goes on. */
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
    const { queue, onTrouble, random, sleep } = this.#options;
    this.#failures++;
    if (this.#failures === 1) {
      onTrouble(`Outcomes cannot be read (${explainSqsError(error, queue.url, outcomeHints)}); trying again`);
    }
    await sleep(100 + fullJitter(backoff, this.#failures, random), this.#stop.signal);
  }

  #unreadable(error: unknown): EnqueueFailure {
    const reason = explainSqsError(error, this.#options.queue.url, outcomeHints);
    return new EnqueueFailure(`Outcomes cannot be read: ${reason}. Nothing was sent.`);
  }

  /** Stores, then deletes. */
  async #take(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    this.#waiting.push(...messages.map(readOutcome));
    this.#flush ??= this.#store();
    await this.#flush;
    // What cannot be deleted comes again, and storing it again changes nothing.
    await this.#options.queue.delete(messages.map((message) => message.receiptHandle)).catch(() => []);
  }

  async #store(): Promise<void> {
    // What other polls bring in this turn of the loop goes into the same transaction.
    await nextTurn();
    const arrivals = this.#waiting;
    this.#waiting = [];
    this.#flush = undefined;
    this.#options.onStored(this.#options.store(arrivals));
  }
}

/** How sentences about this queue name its variable and the permission it takes. */
const outcomeHints = { setting: 'OUTCOME_QUEUE_URL', permission: 'sqs:ReceiveMessage' };
