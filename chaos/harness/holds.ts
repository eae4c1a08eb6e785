/** Which worker held which message, and when, derived from the exchanges recorded by the proxy in front of SQS. PURE. */
import type { Exchange } from '../../testing/faults/exchange.ts';

/** One receive of one message. Times are epoch milliseconds. */
export interface Hold {
  readonly messageId: string;
  readonly body: string;
  readonly handle: string;
  /** Its receive count. */
  readonly number: number;
  /** The receiver. */
  readonly sender: string;
  readonly from: number;
  /** Whether the messages reached the receiver. */
  readonly delivered: boolean;
  /** When it was deleted, visible to others again, or received by another worker. */
  until: number;
  ended: 'deleted' | 'released' | 'deferred' | 'lapsed';
  /** When its holder deleted or released it; undefined: never. */
  settledAt: number | undefined;
}

interface Received {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly Attributes?: { readonly ApproximateReceiveCount?: string };
}

interface BatchEntry {
  readonly Id: string;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout?: number;
}

/**
 * All holds of the source queue, in the order in which they began.
 * @param queue the last part of its URL.
 * @param visibilitySeconds the lease that workers request: a change to any other length is a deferral.
 */
export function holdsOf(
  exchanges: readonly Exchange[],
  queue: string,
  visibilitySeconds: number,
): readonly Hold[] {
  const holds = new Map<string, Hold>();
  const current = new Map<string, Hold>();
  const inOrder = exchanges
    .filter(
      ({ effectAt, status, body }) => effectAt !== undefined && status === 200 && body.includes(`/${queue}"`),
    )
    .sort((a, b) => (a.effectAt ?? 0) - (b.effectAt ?? 0));
  for (const exchange of inOrder) {
    const at = exchange.effectAt ?? 0;
    if (exchange.action === 'ReceiveMessage') {
      for (const received of messagesOf(exchange)) receive(received, exchange, at);
    } else if (exchange.action === 'DeleteMessageBatch') {
      for (const { ReceiptHandle } of succeeded(exchange)) end(ReceiptHandle, 'deleted', at, at);
    } else if (exchange.action === 'ChangeMessageVisibilityBatch') {
      for (const { ReceiptHandle, VisibilityTimeout = 0 } of succeeded(exchange)) {
        change(ReceiptHandle, VisibilityTimeout, at);
      }
    }
  }
  return [...holds.values()];

  function receive(
    { MessageId, ReceiptHandle, Body, Attributes }: Received,
    { sender, delivered, damaged }: Exchange,
    at: number,
  ) {
    const before = current.get(MessageId);
    if (before !== undefined && before.until > at) before.until = at;
    const hold: Hold = {
      messageId: MessageId,
      body: Body,
      handle: ReceiptHandle,
      number: Number(Attributes?.ApproximateReceiveCount ?? 0),
      sender,
      from: at,
      // The receiver drops a message with a wrong checksum.
      delivered: delivered && ReceiptHandle !== damaged,
      until: at + visibilitySeconds * 1_000,
      ended: 'lapsed',
      settledAt: undefined,
    };
    holds.set(ReceiptHandle, hold);
    current.set(MessageId, hold);
  }

  function change(handle: string, seconds: number, at: number): void {
    if (seconds === 0) end(handle, 'released', at, at);
    else if (seconds !== visibilitySeconds) end(handle, 'deferred', at + seconds * 1_000, at);
    else {
      const hold = holds.get(handle);
      if (hold !== undefined && current.get(hold.messageId) === hold) hold.until = at + seconds * 1_000;
    }
  }

  function end(handle: string, how: Hold['ended'], until: number, at: number): void {
    const hold = holds.get(handle);
    if (hold === undefined) return;
    hold.settledAt ??= at;
    // Received by another worker since: a request with the old handle changes nothing.
    if (current.get(hold.messageId) !== hold) return;
    hold.until = until;
    hold.ended = how;
  }
}

function messagesOf({ answer }: Exchange): readonly Received[] {
  return (JSON.parse(answer) as { Messages?: Received[] }).Messages ?? [];
}

/** The entries of a batch that SQS carried out. */
export function succeeded<Entry extends { readonly Id: string } = BatchEntry>({
  body,
  answer,
}: Exchange): Entry[] {
  const { Successful = [] } = JSON.parse(answer) as { Successful?: { Id: string }[] };
  const ids = new Set(Successful.map(({ Id }) => Id));
  return (JSON.parse(body) as { Entries: Entry[] }).Entries.filter(({ Id }) => ids.has(Id));
}

/** Whether and how a worker process ended. */
export interface ProcessEnd {
  readonly endedAt: number | undefined;
  /** `killed`: by us. `stopped`: it drained and ended. `died`: by itself. */
  readonly how: 'running' | 'killed' | 'stopped' | 'died';
}

/** What is known about the workers of a run. */
export interface FleetRecord {
  readonly ends: ReadonlyMap<string, ProcessEnd>;
  /** By {@link leaseKey}: when the worker reported the loss of the lease. */
  readonly leasesLost: ReadonlyMap<string, number>;
}

/** A receive as named in a worker's log. */
export function leaseKey({
  sender,
  messageId,
  number,
}: Pick<Hold, 'sender' | 'messageId' | 'number'>): string {
  return `${sender} ${messageId} ${number}`;
}

/** Why no worker held a message that was invisible. */
export type Cause = 'killed' | 'stopped' | 'died' | 'answer lost' | 'lease lost' | 'deferred';

/** The longest time, in milliseconds, that a message was invisible while no worker held it, by cause. */
export function longestUnattended(holds: readonly Hold[], record: FleetRecord): Record<Cause, number> {
  const longest: Record<Cause, number> = {
    killed: 0,
    stopped: 0,
    died: 0,
    'answer lost': 0,
    'lease lost': 0,
    deferred: 0,
  };
  for (const hold of holds) {
    const found = attendedUntil(hold, record);
    if (found === undefined) continue;
    longest[found.cause] = Math.max(longest[found.cause], hold.until - found.at);
  }
  return longest;
}

function attendedUntil(hold: Hold, record: FleetRecord): { at: number; cause: Cause } | undefined {
  if (!hold.delivered) return { at: hold.from, cause: 'answer lost' };
  if (hold.ended === 'deferred') return { at: hold.settledAt ?? hold.until, cause: 'deferred' };
  const { endedAt, how } = record.ends.get(hold.sender) ?? { endedAt: undefined, how: 'running' as const };
  if (endedAt !== undefined && endedAt < hold.until && how !== 'running') return { at: endedAt, cause: how };
  const lostAt = record.leasesLost.get(leaseKey(hold));
  if (lostAt !== undefined && lostAt > hold.from && lostAt < hold.until)
    return { at: lostAt, cause: 'lease lost' };
  return undefined;
}

/** How often two workers held a message: one received it while the other held it and did not know that its lease had ended. */
export function heldByTwo(holds: readonly Hold[], record: FleetRecord): number {
  let count = 0;
  const byMessage = new Map<string, Hold>();
  for (const hold of holds) {
    if (!hold.delivered) continue;
    const before = byMessage.get(hold.messageId);
    if (before !== undefined && heldUntil(before, record) > hold.from) count++;
    byMessage.set(hold.messageId, hold);
  }
  return count;
}

function heldUntil(hold: Hold, { ends, leasesLost }: FleetRecord): number {
  const lostAt = leasesLost.get(leaseKey(hold));
  return Math.min(
    hold.settledAt ?? Number.POSITIVE_INFINITY,
    ends.get(hold.sender)?.endedAt ?? Number.POSITIVE_INFINITY,
    lostAt !== undefined && lostAt > hold.from ? lostAt : Number.POSITIVE_INFINITY,
  );
}
