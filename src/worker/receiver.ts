/**
 * The receiver: asks SQS for messages while there are slots for them.
 *
 *   idle      one long poll at a time
 *   backlog   a poll brought messages: more polls side by side, each for a whole batch
 *   doubtful  a poll begun under backlog waits: the queue is empty, or the poll hangs; one more tells which
 *   waiting   no slots, or not allowed to receive: no poll
 *   failing   a poll failed: none until a jittered backoff has passed, then one
 *   stopped   idle polls are cut, polls that may be bringing messages are waited for
 */

import type { Message } from '../message/message.ts';
import { MAX_WAIT_SECONDS, type Queue } from '../queue/queue.ts';
import { fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { RECEIVE_SIZE } from './slots.ts';

/** Polls side by side at most. */
export const MAX_POLLS = 10;
/** Messages that are there arrive within this time, in milliseconds; a poll that lasts longer is idle. */
const IDLE_AFTER_MS = 200;
const failureBackoff = { baseMs: 400, maxMs: 20_000 };
/** The least wait after a failed poll, whatever the jitter says, in milliseconds. */
const MIN_BACKOFF_MS = 100;

export interface ReceiverOptions {
  readonly queue: Queue;
  readonly visibilitySeconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Messages that could be taken now, those on their way not counted; 0 or less: none. */
  readonly free: () => number;
  /** The least worth asking for: 1-10. */
  readonly batch: () => number;
  /** Takes over what was received; called in the same turn. */
  readonly onMessages: (messages: Message[], durationMs: number) => void;
  readonly onFailed: (error: unknown, retryInMs: number) => void;
  readonly onRecovered: () => void;
}

interface Poll {
  readonly controller: AbortController;
  readonly startedAt: number;
  /** Begun when the queue had just been found empty. */
  readonly idle: boolean;
  readonly size: number;
  /** Another was filled while this one waited: it hangs, and holds up nobody. */
  overtaken: boolean;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #polls = new Set<Poll>();
  #running = false;
  #width = 1;
  #lastWasEmpty = false;
  #reserved = 0;
  #failures = 0;
  #backoff: NodeJS.Timeout | undefined;
  #lastPollEndedAt = 0;
  #wantedSince: number | undefined;
  #drained: (() => void) | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** True while polls fail. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** Milliseconds for which a poll has been wanted and none has ended; 0 when none is wanted. */
  get stalledMs(): number {
    if (!this.#running || this.#wantedSince === undefined) return 0;
    return this.#options.clock.monotonic() - Math.max(this.#wantedSince, this.#lastPollEndedAt);
  }

  start(): void {
    this.#running = true;
    this.wake();
  }

  /** Slots have become free, or receiving is allowed again. Cheap when there is nothing to do. */
  wake(): void {
    if (!this.#running) return;
    const { free, batch, clock } = this.#options;
    let room = free() - this.#reserved;
    const wanted = batch();
    if (room < wanted && this.#polls.size === 0) this.#wantedSince = undefined;
    if (this.#backoff !== undefined) return;
    while (room >= wanted && this.#mayPoll()) {
      this.#wantedSince ??= clock.monotonic();
      const size = Math.min(RECEIVE_SIZE, room);
      void this.#poll(size);
      room -= size;
    }
  }

  /** Begins no more polls; those under way go on. */
  close(): void {
    this.#running = false;
    clearTimeout(this.#backoff);
    this.#backoff = undefined;
  }

  /**
   * Ends the polls under way: idle ones are cut, those that may be bringing messages are waited for.
   * @param wait messages have just been released, which any poll may be bringing: none is idle.
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

  /** Few while the oldest poll is still waiting for messages: the queue is empty, as far as can be told. */
  #widthBeside(oldest: Poll | undefined): number {
    if (oldest === undefined || !this.#isWaiting(oldest)) return this.#width;
    return oldest.idle ? 1 : Math.min(2, this.#width);
  }

  #isWaiting(poll: Poll): boolean {
    return this.#options.clock.monotonic() - poll.startedAt > IDLE_AFTER_MS;
  }

  async #poll(size: number): Promise<void> {
    const { queue, visibilitySeconds, clock, onMessages } = this.#options;
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
    try {
      const messages = await queue.receive({
        max: size,
        waitSeconds: MAX_WAIT_SECONDS,
        visibilitySeconds,
        signal,
      });
      this.#ended(poll);
      this.#lastWasEmpty = messages.length === 0;
      this.#width = messages.length === 0 ? 1 : Math.min(MAX_POLLS, this.#width + 1);
      if (this.#failures > 0) {
        this.#failures = 0;
        this.#options.onRecovered();
      }
      if (messages.length > 0) {
        if (messages.length === size) this.#overtake();
        onMessages(messages, clock.monotonic() - poll.startedAt);
      }
    } catch (error) {
      this.#ended(poll);
      if (!signal.aborted) this.#failed(error);
    }
    this.wake();
  }

  /** A poll was filled: those that wait beside it would have been too. */
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
    if (!this.#running && this.#polls.size === 0) this.#drained?.();
  }

  #failed(error: unknown): void {
    this.#width = 1;
    if (!this.#running || this.#backoff !== undefined) return;
    this.#failures++;
    const retryInMs = Math.max(
      MIN_BACKOFF_MS,
      fullJitter(failureBackoff, this.#failures, this.#options.random),
    );
    this.#backoff = setTimeout(() => {
      this.#backoff = undefined;
      this.wake();
    }, retryInMs);
    this.#options.onFailed(error, retryInMs);
  }
}
