/** Converts updates to messages for the queue. */
import { hash } from 'node:crypto';
import type { Update } from '../message/update.ts';
import type { OutgoingMessage } from '../queue/types.ts';

/** SQS's limit on a message group's id, in characters. */
const MAX_GROUP_ID_LENGTH = 128;

export interface MessageOptions {
  /** Identifies the update within the run. */
  readonly key: string;
  readonly fifo: boolean;
  /**
   * Identifies the run. Within a run an update is sent once, however often its request is tried; another run resends it.
   */
  readonly run: string;
}

/**
 * The message for an update.
 *
 * FIFO: the group is the Identifier (its SHA-256 when too long). The deduplication id is a hash of run, key and body:
 * SQS drops a message whose id was used within five minutes, so two identical updates need two ids. Standard: the group
 * is the job, so that SQS's fair queues keep a large job from starving a small one.
 */
export function toMessage(update: Update, { key, fifo, run }: MessageOptions): OutgoingMessage {
  const body = JSON.stringify(update);
  const { Identifier, JobId } = update;
  if (!fifo) return { key, body, ...(JobId !== undefined && { groupId: JobId }) };
  const groupId = Identifier.length <= MAX_GROUP_ID_LENGTH ? Identifier : hash('sha256', Identifier, 'hex');
  const deduplicationId = hash('sha256', `${run}\n${key}\n${body}`, 'hex');
  return { key, body, groupId, deduplicationId };
}
