/**
 * While calls are paused, or outcomes cannot be published, the worker receives few messages or none. The sweep finds
 * those that the queue would delete meanwhile because of their age.
 */
import type { Message } from '../../message/message.ts';
import { BATCH_SIZE } from '../../queue/batch.ts';
import type { Queue } from '../../queue/queue.ts';

export interface SweepOptions {
  readonly queue: Queue;
  readonly visibilitySeconds: number;
  readonly isExpiring: (message: Message) => boolean;
  /** Takes over an expiring message. */
  readonly take: (message: Message) => void;
  readonly onError: (error: unknown) => void;
  /** No more can be held: the rest waits for the next sweep. */
  readonly full: () => boolean;
}

/** Receives until a receive brings no expiring message; releases all other messages at once. Never throws. */
export async function sweepExpiring({
  queue,
  visibilitySeconds,
  isExpiring,
  take,
  onError,
  full,
}: SweepOptions): Promise<void> {
  try {
    for (let found = true; found && !full(); ) {
      const messages = await queue.receive({ max: BATCH_SIZE, waitSeconds: 0, visibilitySeconds });
      const others = messages.filter((message) => !isExpiring(message));
      found = others.length < messages.length;
      for (const message of messages) if (isExpiring(message)) take(message);
      if (others.length > 0) {
        await queue.changeVisibility(others.map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 })));
      }
    }
  } catch (error) {
    onError(error);
  }
}
