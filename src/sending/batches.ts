/** Good rows to messages, and messages to send requests that SQS accepts. */
import { hash } from 'node:crypto';
import type { GoodRow } from '../input/validate.ts';
import { BATCH_SIZE, MAX_PAYLOAD_BYTES } from '../queue/batch.ts';
import type { OutgoingMessage } from '../queue/types.ts';

/** SQS's limit of a message group's id, in characters. */
const MAX_GROUP_ID_LENGTH = 128;

export interface OutgoingRow {
  readonly row: GoodRow;
  readonly message: OutgoingMessage;
}

/** Whether a URL is that of a FIFO queue: SQS demands the ending. */
export function isFifo(queueUrl: string): boolean {
  return new URL(queueUrl).pathname.endsWith('.fifo');
}

export interface Sending {
  readonly fifo: boolean;
  /** Names the run: within it a row is sent once however often its request is tried, and another run sends it anew. */
  readonly run: string;
}

/**
 * The message of a row; its `key` is the line.
 *
 * FIFO: the group is the Identifier (its SHA-256 when too long). The deduplication id is a hash of run, line and body: SQS
 * swallows what has an id that was used within five minutes, and neither two rows nor two runs may look like one, not
 * even when they say the same.
 * Standard: the group is the job, so that SQS's fair queues keep a large job from starving a small one.
 */
export function toOutgoing(row: GoodRow, { fifo, run }: Sending): OutgoingRow {
  const body = JSON.stringify(row.update);
  const key = String(row.line);
  const { Identifier, JobId } = row.update;
  if (!fifo) return { row, message: { key, body, ...(JobId !== undefined && { groupId: JobId }) } };
  const groupId = Identifier.length <= MAX_GROUP_ID_LENGTH ? Identifier : hash('sha256', Identifier, 'hex');
  const deduplicationId = hash('sha256', `${run}\n${key}\n${body}`, 'hex');
  return { row, message: { key, body, groupId, deduplicationId } };
}

export interface BatchOptions extends Sending {
  readonly maxBytes?: number;
}

/**
 * Batches in file order: at most ten, at most 1 MiB of bodies. On a FIFO queue a batch holds one message of a group
 * at most: else, when a batch fails in part, a later row could pass an earlier one of its group.
 */
export async function* batchRows(
  rows: AsyncIterable<GoodRow>,
  { fifo, run, maxBytes = MAX_PAYLOAD_BYTES }: BatchOptions,
): AsyncGenerator<OutgoingRow[], undefined> {
  let batch: OutgoingRow[] = [];
  let bytes = 0;
  const groups = new Set<string | undefined>();
  for await (const row of rows) {
    const outgoing = toOutgoing(row, { fifo, run });
    const { groupId, body } = outgoing.message;
    const size = Buffer.byteLength(body);
    const full = batch.length === BATCH_SIZE || bytes + size > maxBytes || (fifo && groups.has(groupId));
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
      groups.clear();
    }
    batch.push(outgoing);
    bytes += size;
    groups.add(groupId);
  }
  if (batch.length > 0) yield batch;
}
