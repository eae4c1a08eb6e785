/**
 * One pass over the dead-letter queue: sees every letter once, and keeps it invisible until the pass ends or the letter
 * is deleted.
 *
 * SQS has no cursor. A pass receives until nothing new comes, and keeps what it has seen invisible. It has seen
 * everything when several rounds of polls give nothing new; it makes more rounds while the queue counts more letters
 * than were seen.
 */

import type { Message } from '../../message/message.ts';
import { BATCH_SIZE } from '../../queue/batch.ts';
import type { BatchFailure, QueueAttributes, ReceiveOptions, VisibilityChange } from '../../queue/types.ts';
import type { Clock } from '../../time/clock.ts';
import { type Letter, readLetter } from '../letters/letter.ts';
import { HeldLetters, LEASE_SECONDS } from './held.ts';
import { type RetrySurroundings, retryRequest } from './retry.ts';

/** The part of a queue that a pass needs. */
export interface LetterQueue {
  readonly url: string;
  receive(options: ReceiveOptions): Promise<Message[]>;
  changeVisibility(changes: readonly VisibilityChange[]): Promise<BatchFailure[]>;
  delete(receiptHandles: readonly string[]): Promise<BatchFailure[]>;
  attributes(): Promise<QueueAttributes>;
}

export interface PassSurroundings extends RetrySurroundings {
  readonly clock: Clock;
  /** Called with each message received. */
  readonly onReceived?: (message: Message) => void;
  /** Seconds that a poll waits for a message. Default 1: with 0, SQS queries only some of its servers. */
  readonly pollSeconds?: number;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
}

export interface PassBounds {
  /** Maximum number of letters to look at. */
  readonly limit: number;
  /** Time limit of the pass in seconds; Infinity for no limit. */
  readonly seconds: number;
}

/** Maximum number of messages in flight on one queue: SQS's limit. Letters that a pass holds are in flight. */
export const MAX_IN_FLIGHT = 120_000;

/** Concurrent polls per round. */
const POLLS = 4;
/**
 * A pass ends after this many rounds without a new letter: if at least as many were seen as the queue counted, and if
 * fewer.
 */
const QUIET_ROUNDS = { enough: 2, fewer: 5 } as const;

/** Why a pass ended. `through`: all letters were seen. `stopped`: by `OnLetters`. */
type PassEnd = 'through' | 'stopped' | 'limit' | 'time' | 'in-flight-limit' | 'interrupted';

export interface PassResult {
  /** Number of different letters looked at. */
  readonly seen: number;
  /** The queue's count when the pass began, including letters that others held. Approximate. */
  readonly about: number | undefined;
  /** The part of `about` that was invisible because others held it. */
  readonly heldByOthers: number | undefined;
  readonly fifo: boolean;
  readonly end: PassEnd;
  /** Letters that could not be made visible again: they will be within {@link LEASE_SECONDS}. */
  readonly notReleased: number;
}

/** Whether a pass that its user did not stop has seen every letter, as far as the queue's counts tell. */
export function isComplete({ end, seen, about, fifo }: PassResult): boolean {
  return end === 'through' && (about === undefined ? !fifo : seen >= about);
}

/** Receives the new letters of a round, and may delete some. false ends the pass. */
export type OnLetters = (letters: readonly Letter[], held: HeldLetters) => Promise<boolean>;

/**
 * Runs one pass. However it ends, the letters still held are made visible again.
 * @throws the error of a request whose retries are exhausted, or of `onLetters`.
 */
export async function passOver(
  queue: LetterQueue,
  bounds: PassBounds,
  surroundings: PassSurroundings,
  onLetters: OnLetters,
): Promise<PassResult> {
  const { clock, signal, pollSeconds = 1 } = surroundings;
  const counts = await retryRequest(() => queue.attributes(), surroundings, signal);
  const heldByOthers = counts.notVisible;
  const held = new HeldLetters({
    ...surroundings,
    monotonic: clock.monotonic,
    changeVisibility: (changes) => queue.changeVisibility(changes),
  });
  const endsAt = clock.monotonic() + bounds.seconds * 1_000;
  const seen = new Set<string>();
  const receiveRound = async (): Promise<Letter[]> => {
    const room = bounds.limit - seen.size;
    const polls = Math.min(POLLS, Math.ceil(room / BATCH_SIZE));
    const lengths = Array.from({ length: polls }, (_, i) => Math.min(BATCH_SIZE, room - BATCH_SIZE * i));
    const answers = await Promise.allSettled(
      lengths.map((max) =>
        // Without the signal: letters of an aborted receive would stay invisible to everybody.
        retryRequest(
          () => queue.receive({ max, waitSeconds: pollSeconds, visibilitySeconds: LEASE_SECONDS }),
          surroundings,
          signal,
        ),
      ),
    );
    const messages = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const fresh = messages.filter((message) => {
      surroundings.onReceived?.(message);
      held.hold(message.messageId, message.receiptHandle);
      if (seen.has(message.messageId)) return false;
      seen.add(message.messageId);
      return true;
    });
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (refused !== undefined) throw refused.reason;
    return fresh.map((message) => readLetter(message, clock.wall()));
  };
  const run = async (): Promise<PassEnd> => {
    for (let quiet = 0; ; ) {
      if (signal.aborted) return 'interrupted';
      if (seen.size >= bounds.limit) return 'limit';
      if (clock.monotonic() >= endsAt) return 'time';
      if (held.size + (heldByOthers ?? 0) >= MAX_IN_FLIGHT) return 'in-flight-limit';
      const letters = await receiveRound();
      if (letters.length > 0 && !(await onLetters(letters, held))) return 'stopped';
      quiet = letters.length > 0 ? 0 : quiet + 1;
      const enough = seen.size >= (counts.visible ?? 0);
      if (quiet >= (enough ? QUIET_ROUNDS.enough : QUIET_ROUNDS.fewer)) return 'through';
    }
  };
  let end: PassEnd;
  let notReleased: number;
  try {
    end = await run();
  } finally {
    notReleased = await held.releaseAll();
  }
  return {
    seen: seen.size,
    about: sum(counts.visible, counts.notVisible, counts.delayed),
    heldByOthers,
    fifo: counts.fifo,
    end,
    notReleased,
  };
}

function sum(...counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((n) => n !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0);
}
