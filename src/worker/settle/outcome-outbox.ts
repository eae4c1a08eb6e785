/** The outbox of outcomes: a message is deleted only when its outcome is confirmed. */
import { readEarlierRecord } from '../../message/dead-letter.ts';
import { type EndingDisposition, type Outcome, outcomeOf } from '../../message/outcome.ts';
import { toOutcomeEvent } from '../../message/outcome-event.ts';
import type { OutgoingMessage } from '../../queue/types.ts';
import { printableJson } from '../../text/printable.ts';
import type { Delivery } from '../delivery.ts';
import { Outbox } from './outbox.ts';
import type { OutboxOptions, Parcel } from './parcel.ts';

/** Requests in parallel: at 20 ms each they carry 4,000 outcomes a second. */
export const OUTCOME_REQUESTS = 8;
const LINGER_MS = 1_000;
/** SQS's limit on a group id. */
const MAX_GROUP_ID = 128;

export interface OutcomeOutboxOptions
  extends Omit<OutboxOptions<EndingDisposition, OutcomeParcel>, 'pack' | 'amend' | 'parallel' | 'lingerMs'> {
  /**
   * How long an outcome waits for others to share its request, in milliseconds; not at all when nothing else is held.
   */
  readonly lingerMs?: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Whether the outcome queue is a FIFO queue. */
  readonly fifo: () => boolean;
  /** undefined: outcomes are sent as they are; else as CloudEvents with this source. */
  readonly eventSource?: string | undefined;
}

interface OutcomeParcel extends Parcel {
  readonly outcome: Outcome;
}

export class OutcomeOutbox extends Outbox<EndingDisposition, OutcomeParcel> {
  constructor({ now, fifo, eventSource, lingerMs = LINGER_MS, ...options }: OutcomeOutboxOptions) {
    const toParcel = (delivery: Delivery, outcome: Outcome): OutcomeParcel => {
      const message = toOutgoing(delivery, outcome, fifo(), eventSource);
      return { outcome, message, bytes: Buffer.byteLength(message.body) };
    };
    super({
      ...options,
      parallel: OUTCOME_REQUESTS,
      lingerMs,
      pack: (delivery, disposition) => {
        const { message, check, ids, tally } = delivery;
        const facts = {
          messageId: message.messageId,
          originalMessageId: readEarlierRecord(message).originalMessageId,
          ids,
          update: check.ok ? check.update : undefined,
          attempts: tally.attempts,
          now: now(),
        };
        return toParcel(delivery, outcomeOf(facts, disposition));
      },
      // The queue has a low size limit: once more without the text, which is also in the dead letter and the log.
      amend: (delivery, { outcome }) =>
        outcome.Error === undefined || outcome.Error.message === ''
          ? undefined
          : toParcel(delivery, { ...outcome, Error: { ...outcome.Error, message: '' } }),
    });
  }
}

function toOutgoing(
  { message }: Delivery,
  outcome: Outcome,
  fifo: boolean,
  eventSource?: string,
): OutgoingMessage {
  const { JobId, Identifier, MessageId } = outcome;
  return {
    key: message.receiptHandle,
    body: printableJson(eventSource === undefined ? outcome : toOutcomeEvent(outcome, eventSource)),
    ...(message.traceHeader !== undefined && { traceHeader: message.traceHeader }),
    ...(fifo && {
      groupId: (JobId ?? Identifier ?? MessageId).slice(0, MAX_GROUP_ID),
      // After another delivery it is a different outcome; repeated for the same delivery it is the same.
      deduplicationId: `${message.messageId}.${message.receiveCount}`,
    }),
  };
}
