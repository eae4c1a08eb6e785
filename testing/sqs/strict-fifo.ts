/**
 * A FIFO queue like AWS's, in memory: a receive gets as many messages of a group as there are, in order, and none of the
 * group while one is in flight; deduplication for five minutes; a handle is valid until its lease expires.
 */
import { hash, randomUUID } from 'node:crypto';
import { extensionFault, type Flight, type Refusal, type SentMessage } from './strict-sqs-rules.ts';

const DEDUPLICATION_MS = 5 * 60_000;

interface Stored {
  readonly sent: SentMessage;
  readonly id: string;
  readonly sequence: string;
  readonly deduplicationId: string;
  readonly sentAt: number;
  receives: number;
  firstReceivedAt: number;
  handle: string | undefined;
  flight: Flight | undefined;
}

export interface SendReceipt {
  readonly MessageId: string;
  readonly SequenceNumber: string;
  readonly MD5OfMessageBody: string;
}

export class StrictFifo {
  readonly #now: () => number;
  readonly #groups = new Map<string, Stored[]>();
  /** Including those of deleted messages. */
  readonly #handles = new Map<string, Stored>();
  readonly #sent = new Map<string, { readonly at: number; readonly receipt: SendReceipt }>();
  readonly #waiters = new Set<() => void>();
  #sequence = 0;

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Accepts a message, or only answers as if, when its deduplication id was used within five minutes. */
  send(sent: SentMessage, deduplicationId: string): SendReceipt {
    const now = this.#now();
    const former = this.#sent.get(deduplicationId);
    const body = sent.MessageBody ?? '';
    const MD5OfMessageBody = hash('md5', body, 'hex');
    if (former !== undefined && now - former.at < DEDUPLICATION_MS)
      return { ...former.receipt, MD5OfMessageBody };
    const receipt: SendReceipt = {
      MessageId: randomUUID(),
      SequenceNumber: String(++this.#sequence).padStart(20, '0'),
      MD5OfMessageBody,
    };
    const groupId = sent.MessageGroupId ?? '';
    const group = this.#groups.get(groupId) ?? [];
    this.#groups.set(groupId, group);
    group.push({
      sent,
      id: receipt.MessageId,
      sequence: receipt.SequenceNumber,
      deduplicationId,
      sentAt: now,
      receives: 0,
      firstReceivedAt: 0,
      handle: undefined,
      flight: undefined,
    });
    this.#sent.set(deduplicationId, { at: now, receipt });
    this.#wake();
    return receipt;
  }

  /** Up to `max` messages, in SQS's own format. */
  receive(max: number, visibilitySeconds: number): object[] {
    const now = this.#now();
    const received: Stored[] = [];
    for (const [groupId, group] of [...this.#groups]) {
      if (received.length === max) break;
      if (group.some(({ flight }) => flight !== undefined && flight.until > now)) continue;
      received.push(...group.slice(0, max - received.length));
      // Next time other groups come first.
      this.#groups.delete(groupId);
      this.#groups.set(groupId, group);
    }
    return received.map((message) => {
      message.receives++;
      message.firstReceivedAt ||= now;
      message.handle = randomUUID();
      message.flight = { since: now, until: now + visibilitySeconds * 1_000 };
      this.#handles.set(message.handle, message);
      return toSqs(message);
    });
  }

  /** Deletes by handle; a handle already used is accepted again, an expired one is refused. */
  delete(handle: string): Refusal | undefined {
    const message = this.#handles.get(handle);
    if (message === undefined)
      return { code: 'ReceiptHandleIsInvalid', message: 'The receipt handle is invalid.' };
    const group = this.#groups.get(message.sent.MessageGroupId ?? '');
    const index = group?.indexOf(message) ?? -1;
    if (group === undefined || index < 0) return undefined;
    if (message.handle !== handle || message.flight === undefined || message.flight.until <= this.#now())
      return { code: 'InvalidParameterValue', message: 'Reason: The receipt handle has expired.' };
    group.splice(index, 1);
    if (group.length === 0) this.#groups.delete(message.sent.MessageGroupId ?? '');
    this.#wake();
    return undefined;
  }

  changeVisibility(handle: string, seconds: number): Refusal | undefined {
    const message = this.#handles.get(handle);
    const here =
      message !== undefined && this.#groups.get(message.sent.MessageGroupId ?? '')?.includes(message);
    const flight = here && message.handle === handle ? message.flight : undefined;
    const now = this.#now();
    const fault = extensionFault(flight, seconds, now);
    if (fault !== undefined || message === undefined || flight === undefined) return fault;
    if (seconds === 0) message.flight = undefined;
    else flight.until = now + seconds * 1_000;
    this.#wake();
    return undefined;
  }

  purge(): void {
    this.#groups.clear();
  }

  /** Messages that could be received if their groups were free, and those in flight. */
  counts(): { readonly visible: number; readonly inFlight: number } {
    const all = [...this.#groups.values()].flat();
    const inFlight = all.filter(({ flight }) => flight !== undefined && flight.until > this.#now()).length;
    return { visible: all.length - inFlight, inFlight };
  }

  /** Resolves when something has changed, or after `ms`: leases expire without an event. */
  async changed(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#waiters.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiters.delete(resolve);
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }
}

function toSqs(message: Stored): object {
  const { sent, id, handle, sequence, deduplicationId, sentAt, receives, firstReceivedAt } = message;
  const trace = sent.MessageSystemAttributes?.AWSTraceHeader?.StringValue;
  return {
    MessageId: id,
    ReceiptHandle: handle,
    Body: sent.MessageBody,
    MD5OfBody: hash('md5', sent.MessageBody ?? '', 'hex'),
    ...(sent.MessageAttributes !== undefined && { MessageAttributes: sent.MessageAttributes }),
    Attributes: {
      SenderId: '000000000000',
      SentTimestamp: String(sentAt),
      ApproximateReceiveCount: String(receives),
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
      MessageGroupId: sent.MessageGroupId,
      MessageDeduplicationId: deduplicationId,
      SequenceNumber: sequence,
      ...(trace !== undefined && { AWSTraceHeader: trace }),
    },
  };
}
