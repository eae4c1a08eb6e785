/** The outbox of dead letters: a message is deleted only when its letter is confirmed. */

import { attributesBytes, buildDeadLetter, type DeadLetter } from '../../message/dead-letter.ts';
import type { DeadLetterRecord } from '../../message/dead-letter-record.ts';
import type { Disposition } from '../../message/disposition.ts';
import type { Message } from '../../message/message.ts';
import type { OutgoingMessage } from '../../queue/types.ts';
import type { Delivery } from '../delivery.ts';
import { Outbox } from './outbox.ts';
import type { OutboxOptions, Parcel } from './parcel.ts';

export type DeadLetterDisposition = Extract<Disposition, { action: 'dead-letter' }>;

export interface DeadLetterOutboxOptions
  extends Omit<
    OutboxOptions<DeadLetterDisposition, LetterParcel>,
    'pack' | 'amend' | 'parallel' | 'lingerMs'
  > {
  readonly record: (delivery: Delivery, disposition: DeadLetterDisposition) => DeadLetterRecord;
  /** The size limit of the dead-letter queue, and whether it is FIFO. */
  readonly target: () => { readonly maximumMessageBytes: number; readonly fifo: boolean };
}

interface LetterParcel extends Parcel {
  readonly letter: DeadLetter;
}

export class DeadLetterOutbox extends Outbox<DeadLetterDisposition, LetterParcel> {
  constructor({ record, target, ...options }: DeadLetterOutboxOptions) {
    const toParcel = (message: Message, letter: DeadLetter): LetterParcel => ({
      letter,
      message: toOutgoing(message, letter, target().fifo),
      bytes: Buffer.byteLength(letter.body) + attributesBytes(letter.attributes),
    });
    super({
      ...options,
      // Letters are few, and the work never waits for them.
      parallel: 1,
      lingerMs: 0,
      pack: (delivery, disposition) => {
        const { message } = delivery;
        const letter = buildDeadLetter(message, record(delivery, disposition), target().maximumMessageBytes);
        return toParcel(message, letter);
      },
      // Once more without the record, which then is only in the log.
      amend: ({ message }, { letter }) =>
        letter.fit === 'left-off' ? undefined : toParcel(message, buildDeadLetter(message, letter.record, 0)),
    });
  }
}

function toOutgoing(message: Message, letter: DeadLetter, fifo: boolean): OutgoingMessage {
  return {
    key: message.receiptHandle,
    body: letter.body,
    attributes: letter.attributes,
    ...(message.traceHeader !== undefined && { traceHeader: message.traceHeader }),
    ...(message.groupId !== undefined && { groupId: message.groupId }),
    // SQS must not drop a message dead-lettered again within five minutes: the receive count makes the id unique.
    ...(fifo && {
      groupId: message.groupId ?? message.messageId,
      deduplicationId: `${message.messageId}.${message.receiveCount}`,
    }),
  };
}
