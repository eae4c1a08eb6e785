/** A message of the dead-letter queue with its record, checked. PURE. */
import { z } from 'zod';
import { DEAD_LETTER_ATTRIBUTE, readEarlierRecord } from '../../message/dead-letter.ts';
import { type DeadLetterReason, deadLetterReasons } from '../../message/dead-letter-record.ts';
import { parseInstant } from '../../message/instant.ts';
import type { Message } from '../../message/message.ts';
import { parseMessage } from '../../message/parse.ts';
import { type UpdateCheck, updateSchema } from '../../message/update.ts';
import { remoteName, remoteText } from '../../text/remote.ts';
import { epochMs } from '../../time/instant.ts';

/** Why a letter is there; `foreign`: it has no readable record of a worker. */
export type LetterReason = DeadLetterReason | 'foreign';

export const letterReasons: readonly LetterReason[] = [...deadLetterReasons, 'foreign'];

const instant = z.string().refine((text) => parseInstant(text) !== undefined);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const { JobId, RequestId } = updateSchema.shape;

/** Requires only the fields that the commands rely on: anyone may have written the record. */
const recordSchema = z.object({
  reason: z.enum(deadLetterReasons),
  error: z.object({
    name: z.string().transform(remoteName),
    status: z.number().optional(),
    message: z.string().catch('').transform(remoteText),
    requestId: z.string().transform(remoteName).optional().catch(undefined),
  }),
  attempts: count.catch(0),
  receiveCount: count.catch(0),
  sentAt: instant.optional().catch(undefined),
  deadLetteredAt: instant,
  sourceMessageId: z.string().catch('').transform(remoteName),
  sourceQueueUrl: z.string(),
  jobId: JobId.catch(undefined),
  requestId: RequestId.catch(undefined),
  redriveCount: count.catch(0),
});

/** A record, as far as it could be parsed. */
type LetterRecord = z.infer<typeof recordSchema>;

export interface Letter {
  readonly message: Message;
  readonly reason: LetterReason;
  /** The error's code; for a foreign letter, its origin. */
  readonly errorName: string;
  readonly errorStatus: number | undefined;
  readonly errorMessage: string;
  /** The worker's record; for a foreign letter, kept only if it was redriven and SQS moved it here again. */
  readonly record: LetterRecord | undefined;
  /**
   * When it arrived on the dead-letter queue, in epoch milliseconds; the sent time if nothing else is known.
   */
  readonly arrivedAt: number;
  readonly identifier: string | undefined;
  readonly jobId: string | undefined;
  readonly requestId: string | undefined;
  /** How often it was redriven. */
  readonly redriveCount: number;
  /** The result of validating the body now. */
  readonly update: UpdateCheck;
}

/** @param now epoch milliseconds: an update with a later `IssuedAt` is not valid yet. */
export function readLetter(message: Message, now: number): Letter {
  // The message was sent at that time, whatever the local clock says.
  const update = parseMessage(message, Math.max(now, message.sentAt));
  const text = message.attributes[DEAD_LETTER_ATTRIBUTE]?.stringValue;
  const record = text === undefined ? undefined : readRecord(text);
  // SQS moved the message after the worker wrote the record, so the record describes an earlier dead letter.
  const moved = message.deadLetterSourceArn !== undefined;
  const { Identifier, JobId: job, RequestId: request } = update.ok ? update.update : {};
  const { identifier, jobId, requestId } = update.ok ? {} : update.ids;
  const common = {
    message,
    record,
    update,
    identifier: Identifier ?? identifier,
    jobId: job ?? jobId ?? record?.jobId,
    requestId: request ?? requestId ?? record?.requestId,
  };
  if (record === undefined || moved) {
    return {
      ...common,
      reason: 'foreign',
      errorName: originOf(message, text),
      errorStatus: undefined,
      errorMessage: '',
      arrivedAt: message.sentAt,
      // A redrive writes a shorter record than a worker, but its count must be read all the same.
      redriveCount: moved ? redrivesSince(message) : 0,
    };
  }
  return {
    ...common,
    reason: record.reason,
    errorName: record.error.name,
    errorStatus: record.error.status,
    errorMessage: record.error.message,
    arrivedAt: epochMs(record.deadLetteredAt),
    redriveCount: record.redriveCount,
  };
}

/** How often a letter that SQS moved here was redriven, including the last time. */
function redrivesSince(message: Message): number {
  const { redriveCount } = readEarlierRecord(message);
  return redriveCount === undefined ? 0 : redriveCount + 1;
}

function originOf(message: Message, text: string | undefined): string {
  if (message.deadLetterSourceArn !== undefined) return 'MovedBySqs';
  return text === undefined ? 'NoRecord' : 'UnreadableRecord';
}

function readRecord(text: string): LetterRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
