/** What the queue saw of a job: which row was sent when and by whom, derived from the exchanges recorded by the proxies. PURE. */
import type { Exchange } from '../../testing/faults/exchange.ts';
import { type FleetRecord, succeeded } from '../harness/holds.ts';

/** One message of a row that the queue accepted. Times are epoch milliseconds. */
export interface Sending {
  /** Its RequestId, which belongs to one try of one row. */
  readonly name: string;
  readonly identifier: string;
  readonly body: string;
  readonly sender: string;
  readonly arrivedAt: number;
  readonly takenAt: number;
  /** Whether the sender got the complete and correct answer. */
  readonly delivered: boolean;
  readonly fault: string | undefined;
}

/** A process took the right to send the job. */
export interface Taking {
  readonly sender: string;
  readonly at: number;
}

/**
 * All messages that the queue accepted, in order.
 * @param queue the last part of its URL.
 */
export function sendingsOf(exchanges: readonly Exchange[], queue: string): Sending[] {
  return exchanges
    .flatMap((exchange): Sending[] => {
      const { action, effectAt: takenAt, status, sender, arrivedAt, delivered, fault } = exchange;
      const taken = action === 'SendMessageBatch' && status === 200 && exchange.body.includes(`/${queue}"`);
      if (!taken || takenAt === undefined) return [];
      return succeeded<{ Id: string; MessageBody: string }>(exchange).map(({ MessageBody: body }) => {
        const { RequestId, Identifier } = JSON.parse(body) as { RequestId: string; Identifier: string };
        return {
          name: RequestId,
          identifier: Identifier,
          body,
          sender,
          arrivedAt,
          takenAt,
          delivered,
          fault,
        };
      });
    })
    .sort((a, b) => a.takenAt - b.takenAt);
}

/** The sendings of each row that was sent, by its RequestId. */
export function byRow(sendings: readonly Sending[]): ReadonlyMap<string, readonly Sending[]> {
  return Map.groupBy(sendings, ({ name }) => name);
}

/** For each sending of a row after the first, why the previous one was not the last. */
export function whySentAgain(
  sendings: readonly Sending[],
  takings: readonly Taking[],
  { ends }: Pick<FleetRecord, 'ends'>,
): readonly string[] {
  return sendings.slice(1).map((next, i) => {
    const first = sendings[i];
    if (first === undefined) return 'unexplained';
    const { how = 'running', endedAt } = ends.get(first.sender) ?? {};
    const ended = how !== 'running' && endedAt !== undefined && endedAt < next.arrivedAt;
    if (!first.delivered) return `answer lost (${first.fault ?? 'the sender gave up'})`;
    if (first.fault === 'checksum') return 'answer not believed (checksum)';
    if (ended) return `${how} before it was recorded`;
    const takenOver = takings.some(({ at }) => at > first.arrivedAt && at < next.arrivedAt);
    return takenOver ? 'the lease was lost before it was recorded' : 'unexplained';
  });
}

/** Logs are read, and requests arrive, slightly after they were written; milliseconds. */
const SLACK_MS = 1_000;

/** Messages that a process sent after another one had taken the right to send the job. */
export function sentWithoutLease(
  sendings: readonly Sending[],
  takings: readonly Taking[],
): readonly Sending[] {
  return sendings.filter(({ sender, arrivedAt }) => {
    const own = Math.max(...takings.filter((taking) => taking.sender === sender).map(({ at }) => at));
    return takings.some(
      (other) => other.sender !== sender && other.at > own && other.at < arrivedAt - SLACK_MS,
    );
  });
}
