/** Entries of SQS's batch requests: made from our messages, and their results in the answer. PURE. */
import type { SendMessageBatchCommandOutput, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import { remoteName, remoteText } from '../text/remote.ts';
import { toSqsAttributes } from './convert.ts';
import { sqsNameKind } from './errors.ts';
import type { BatchFailure, OutgoingMessage, SendAnswer } from './types.ts';

/** @param index its place in the request, by which the answer identifies it. */
export function toEntry(message: OutgoingMessage, index: number): SendMessageBatchRequestEntry {
  return {
    Id: String(index),
    MessageBody: message.body,
    ...(message.attributes !== undefined && { MessageAttributes: toSqsAttributes(message.attributes) }),
    ...(message.groupId !== undefined && { MessageGroupId: message.groupId }),
    ...(message.deduplicationId !== undefined && { MessageDeduplicationId: message.deduplicationId }),
    ...(message.traceHeader !== undefined && {
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: message.traceHeader } },
    }),
  };
}

interface FailedEntry {
  Id: string | undefined;
  SenderFault: boolean | undefined;
  /** The SDK does not check whether it is text. */
  Code?: unknown;
  Message?: unknown;
}

interface BatchOutput {
  readonly Successful?: readonly { Id: string | undefined }[] | undefined;
  readonly Failed?: readonly FailedEntry[] | undefined;
}

/** The items in one part of an answer that are entries at all. */
export function entriesIn<Entry extends object>(part: readonly Entry[] | undefined): readonly Entry[] {
  return Array.isArray(part) ? part.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}

/** The result of each message according to the answer to a send. */
export function sendAnswerOf(
  output: Partial<SendMessageBatchCommandOutput>,
  messages: readonly OutgoingMessage[],
): SendAnswer {
  const ids = new Map(entriesIn(output.Successful).map(({ Id, MessageId = '' }) => [Id, MessageId]));
  const keys = messages.map(({ key }) => key);
  const messageIds = new Map(keys.map((key, i) => [key, ids.get(String(i)) ?? '']));
  return { failed: failures(output as BatchOutput, keys), messageIds };
}

const UNCONFIRMED = 'Unconfirmed';

/** Whether the answer does not mention the entry, so that it may have been carried out. */
export function isUnconfirmed({ code }: BatchFailure): boolean {
  return code === UNCONFIRMED;
}

/**
 * Only entries that the answer lists as successful, and only as successful, are: an answer of `{}` confirms nothing.
 */
export function failures({ Successful, Failed }: BatchOutput, keys: readonly string[]): BatchFailure[] {
  const succeeded = new Set(entriesIn(Successful).map(({ Id }) => Id));
  const failed = new Map(entriesIn(Failed).map((entry) => [entry.Id, entry]));
  return keys.flatMap((key, i) => {
    const entry = failed.get(String(i));
    const success = succeeded.has(String(i));
    if (entry === undefined && success) return [];
    if (entry === undefined || success) {
      const message = success
        ? 'the answer names the entry as done and as failed'
        : 'the answer does not name the entry';
      return [{ key, senderFault: false, code: UNCONFIRMED, message }];
    }
    const code = remoteName(entry.Code);
    return [
      {
        key,
        // AWS also sets the flag for faults of its own, such as throttling and KMS.
        senderFault: entry.SenderFault === true && sqsNameKind(code) === 'parcel',
        code: code || 'Unknown',
        message: remoteText(entry.Message),
      },
    ];
  });
}
