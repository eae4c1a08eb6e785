/**
 * The receiver: asks SQS for messages while more may be held.
 *
 *   created ── start ─► polling ── a poll failed, or brought nothing that can be read ─► backing-off
 *   backing-off ── a jittered backoff has passed ─► polling
 *   any state ── close ─► closed: no poll begins any more
 *
 * How many polls run in parallel while polling (`width`):
 *   the queue is empty    one long poll
 *   under backlog         one more with each poll that brings messages, each for a whole batch
 *   in doubt              a poll begun under backlog waits: either the queue is empty, or the poll hangs; one more poll shows which
 */

import type { Message } from '../../message/message.ts';
import { MAX_WAIT_SECONDS, type Queue } from '../../queue/queue.ts';
import { fullJitter } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import type { Conditions } from '../conditions.ts';
import type { WorkerListener } from '../events.ts';
import type { Admission } from './admission.ts';

/** The most polls in parallel. */
export const MAX_POLLS = 10;
/** Messages in the queue arrive within this time, in milliseconds; a poll that lasts longer is idle. */
const IDLE_AFTER_MS = 200;
const failureBackoff = { baseMs: 400, maxMs: 20_000 };
/** The least wait after a failed poll, whatever the jitter, in milliseconds. */
const MIN_BACKOFF_MS = 100;

export interface ReceiverOptions {
  readonly queue: Queue;
  readonly visibilitySeconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly prefetch: {
    /** Messages that could be taken now, not counting those that open polls may bring; 0 or less: none. */
    readonly free: number;
    /** How many messages to ask for in one receive: 1-10. */
    readonly batch: number;
  };
  /** Decides when a large answer may be read. */
  readonly admission: Pick<Admission, 'admit' | 'done'>;
  readonly conditions: Conditions;
  /** Takes over the received messages; called in the same turn. */
  readonly onMessages: (messages: Message[], durationMs: number) => void;
  readonly emit: WorkerListener;
}

type ReceiverState = 'created' | 'polling' | 'backing-off' | 'closed';

const predecessors: Readonly<Record<ReceiverState, readonly ReceiverState[]>> = {
  created: [],
  polling: ['created', 'backing-off'],
  'backing-off': ['polling'],
  closed: ['created', 'polling', 'backing-off'],
};

interface Poll {
  readonly controller: AbortController;
  readonly startedAt: number;
  /** Begun when the queue had just been found empty. */
  readonly idle: boolean;
  readonly size: number;
  /** Another poll was filled while this one waited: this one hangs, and must not hold back further polls. */
  overtaken: boolean;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #polls = new Set<Poll>();
  #state: ReceiverState = 'created';
  #width = 1;
  #lastWasEmpty = false;
  #reserved = 0;
  #failures = 0;
  #spoiled = false;
  #backoff: NodeJS.Timeout | undefined;
  #lastPollEndedAt = 0;
  #wantedSince: number | undefined;
  #drained: (() => void) | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Milliseconds for which a poll has been wanted and none has ended; 0 when none is wanted. */
  get stalledMs(): number {
    if (!this.#open || this.#wantedSince === undefined) return 0;
    return this.#options.clock.monotonic() - Math.max(this.#wantedSince, this.#lastPollEndedAt);
  }

  start(): void {
    this.#enter('polling');
    this.wake();
  }

  /** More may be held, or receiving is allowed again. Cheap when there is nothing to do. */
  wake(): void {
    if (!this.#open) return;
    const { prefetch, clock } = this.#options;
    let room = prefetch.free - this.#reserved;
    // This runs with every message: without room the real batch size does not matter, and the least one is used.
    const wanted = room > 0 ? prefetch.batch : 1;
    if (room < wanted && this.#polls.size === 0) this.#wantedSince = undefined;
    if (this.#state === 'backing-off') return;
    while (room >= wanted && this.#mayPoll()) {
      this.#wantedSince ??= clock.monotonic();
      void this.#poll(wanted);
      room -= wanted;
    }
  }

  /**
   * The poll that is about to end brought messages, but none that can be read. Whatever alters them will alter the next
   * ones too, and each receive raises their receive counts.
   */
  noteSpoiled(): void {
    this.#spoiled = true;
  }

  /** Begins no more polls; those under way continue. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#enter('closed');
    clearTimeout(this.#backoff);
  }

  get #open(): boolean {
    return this.#state === 'polling' || this.#state === 'backing-off';
  }

  #enter(state: ReceiverState): void {
    if (!predecessors[state].includes(this.#state)) {
      throw new Error(`a receiver that is ${this.#state} cannot become ${state}`);
    }
    this.#state = state;
  }

  /**
   * Ends the polls under way: cuts idle ones, and waits for those that may be bringing messages.
   * @param wait messages have just been released, and any open poll may bring them: no poll counts as idle.
   */
  async stop(wait = false): Promise<void> {
    this.close();
    if (this.#polls.size === 0) return;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    const now = this.#options.clock.monotonic();
    for (const poll of this.#polls) {
      const busyUntil = wait ? now + IDLE_AFTER_MS : poll.idle ? now : poll.startedAt + IDLE_AFTER_MS;
      if (busyUntil <= now) poll.controller.abort();
      else setTimeout(() => poll.controller.abort(), busyUntil - now);
    }
    await drained;
  }

  #mayPoll(): boolean {
    if (this.#polls.size >= MAX_POLLS) return false;
    let trusted = 0;
    let oldest: Poll | undefined;
    for (const poll of this.#polls) {
      if (poll.overtaken) continue;
      oldest ??= poll;
      trusted++;
    }
    return trusted < this.#widthBeside(oldest);
  }

  /** Few polls while the oldest still waits for messages: as far as can be known, the queue is empty. */
  #widthBeside(oldest: Poll | undefined): number {
    if (oldest === undefined || !this.#isWaiting(oldest)) return this.#width;
    return oldest.idle ? 1 : Math.min(2, this.#width);
  }

  #isWaiting(poll: Poll): boolean {
    return this.#options.clock.monotonic() - poll.startedAt > IDLE_AFTER_MS;
  }

  async #poll(size: number): Promise<void> {
    const { queue, visibilitySeconds, clock, admission, onMessages } = this.#options;
    const poll: Poll = {
      controller: new AbortController(),
      startedAt: clock.monotonic(),
      idle: this.#lastWasEmpty,
      size,
      overtaken: false,
    };
    this.#polls.add(poll);
    this.#reserved += size;
    const { signal } = poll.controller;
    let admitted = false;
    try {
      const messages = await queue.receive({
        max: size,
        waitSeconds: MAX_WAIT_SECONDS,
        visibilitySeconds,
        signal,
        admit: async (bytes) => {
          await admission.admit(bytes, signal);
          admitted = this.#polls.has(poll);
          // The poll was given up meanwhile.
          if (!admitted) admission.done();
        },
      });
      this.#ended(poll);
      this.#lastWasEmpty = messages.length === 0;
      this.#width = messages.length === 0 ? 1 : Math.min(MAX_POLLS, this.#width + 1);
      const spoiled = this.#spoiled && messages.length === 0;
      this.#spoiled = false;
      if (spoiled) this.#backOff();
      else if (this.#failures > 0) {
        this.#failures = 0;
        this.#options.conditions.clear('receiving');
      }
      if (messages.length > 0) {
        if (messages.length === size) this.#overtake();
        onMessages(messages, clock.monotonic() - poll.startedAt);
      }
    } catch (error) {
      this.#ended(poll);
      if (!signal.aborted) this.#failed(error);
    }
    if (admitted) admission.done();
    this.wake();
  }

  /** A poll was filled: any poll that still waits would have been filled too, so it hangs. */
  #overtake(): void {
    for (const poll of this.#polls) {
      if (poll.overtaken || !this.#isWaiting(poll)) continue;
      poll.overtaken = true;
      this.#reserved -= poll.size;
    }
  }

  #ended(poll: Poll): void {
    if (!this.#polls.delete(poll)) return;
    if (!poll.overtaken) this.#reserved -= poll.size;
    this.#lastPollEndedAt = this.#options.clock.monotonic();
    if (!this.#open && this.#polls.size === 0) this.#drained?.();
  }

  #failed(error: unknown): void {
    const retryInMs = this.#backOff();
    if (retryInMs === undefined) return;
    this.#options.emit({ type: 'receive-failed', error, retryInMs });
    this.#options.conditions.raise('receiving', error);
  }

  /** @returns the length of the backoff in milliseconds; undefined when already backing off, or closed. */
  #backOff(): number | undefined {
    this.#width = 1;
    if (this.#state !== 'polling') return undefined;
    this.#failures++;
    const ms = Math.max(MIN_BACKOFF_MS, fullJitter(failureBackoff, this.#failures, this.#options.random));
    this.#enter('backing-off');
    this.#backoff = setTimeout(() => {
      this.#enter('polling');
      this.wake();
    }, ms);
    return ms;
  }
}
