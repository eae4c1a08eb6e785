/**
 * The collector: moves outcomes of every job from their queue into the ledger.
 *
 * Messages that are no outcomes stay on the queue. So do, for a while, outcomes of jobs that the ledger does not know: another
 * ledger that collects from the same queue may have those jobs.
 *
 *   idle      polls of one second, one after the other
 *   backlog   each poll that returns a full batch starts another one in parallel, up to MAX_POLLS
 *   failing   a poll failed: the next one follows after a jittered backoff; reported once, and once more when it is over
 *   stopped   waits for the polls, and aborts them only if SQS does not answer: messages of an aborted poll are
 *             invisible for a visibility timeout, and the next command would have to wait for them
 *
 * What parallel polls return at about the same time is stored in one transaction, and deleted only then: at least once.
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

/** Maximum number of parallel polls. */
const MAX_POLLS = 8;
/** Short, so that a command ends soon after its job. */
const POLL_SECONDS = 1;
/** How much longer a stop waits for polls, in milliseconds. */
const STOP_PATIENCE_MS = 2_000;
/** Enough to store and delete; short, because messages of a killed process reappear only after it. */
const VISIBILITY_SECONDS = 5;
const backoff: BackoffSettings = { baseMs: 500, maxMs: 10_000 };

export interface CollectorOptions {
  readonly queue: Pick<Queue, 'url' | 'receive' | 'delete' | 'changeVisibility'>;
  readonly store: (outcomes: readonly ReceivedOutcome[]) => Promise<EndResult>;
  /** Epoch milliseconds, comparable with the times of SQS. */
  readonly now: () => number;
  /** Resolves after `ms`, or immediately when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Called after every transaction; with undefined if the ledger fails. */
  readonly onStored: (stored: EndResult | undefined) => void;
  /** One sentence without its full stop, for the user. */
  readonly onTrouble: (sentence: string) => void;
}

export class Collector {
  readonly #options: CollectorOptions;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #polls = new Set<Promise<void>>();
  /** Polls that will continue. `#polls` may also contain polls that have decided to end but still run. */
  #width = 0;
  #waiting: ReceivedOutcome[] = [];
  #flush: Promise<EndResult> | undefined;
  /** Resolves or rejects when the last transaction is over. */
  #storing: Promise<unknown> = Promise.resolve();
  readonly #left = new LeftMessages();
  #failures = 0;
  #broken: unknown;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** The error that ended collecting: from the ledger, or for too many messages that are no outcomes. SQS errors never end it. */
  get broken(): unknown {
    return this.#broken;
  }

  /**
   * Takes what is on the queue now, without waiting for more. It makes at least two requests, and thus proves that the
   * queue can be read.
   * @param maxMs time limit: workers may fill the queue faster than it is emptied.
   * @returns whether it reached the end of the queue.
   * @throws OutcomesUnreadable if the queue cannot be read; CommandError for messages that are no outcomes.
   */
  async collectWaiting(signal: AbortSignal, maxMs?: number): Promise<boolean> {
    const done = new AbortController();
    const late = new AbortController();
    const timer =
      maxMs === undefined ? undefined : this.#options.sleep(maxMs, done.signal).then(() => late.abort());
    const stop = AbortSignal.any([signal, late.signal, this.#stop.signal]);
    try {
      let polls = 1;
      // A short poll queries only some SQS servers: one empty answer proves little.
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

  /** Polls until stopped. Further calls have no effect. */
  start(): void {
    if (this.#width === 0) this.#addPoll();
  }

  /** Resolves when the last poll has ended, its messages are stored, and messages that are no outcomes are visible again. */
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

  /** Polls again and again, until the other polls suffice. */
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

  /** Whether this poll may end. Decided and counted synchronously, so that one poll always continues. */
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
   * Stores the messages, deletes those that were stored, and leaves the rest on the queue.
   * @returns how many messages were new: stored, or left for the first time.
   * @throws CommandError if too many are no outcomes.
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

  /** A failed request does no harm: the stored messages come again, and storing them again changes nothing. */
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
    // Results of other polls in this turn of the event loop, and until the last transaction is over, go into one transaction.
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

/** The variable and the permission that sentences about this queue mention. */
const outcomeHints = {
  setting: 'OUTCOME_QUEUE_URL',
  permission: 'sqs:ReceiveMessage',
  does: 'receive',
} as const;

/**
 * Parses the body of a message on the outcome queue: an outcome, bare or in an envelope (a CloudEvent; an SNS notification). Gives
 * the outcome, or what is wrong with it. Never throws. PURE.
 */
export function parseOutcome(body: string): { readonly outcome: Outcome } | { readonly fault: string } {
  const payload = readPayload(body);
  if (!payload.ok) return { fault: payload.message };
  const parsed = outcomeSchema.safeParse(payload.value);
  if (parsed.success) return { outcome: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return { fault: faults.slice(0, 3).join('; ').slice(0, 500) };
}
