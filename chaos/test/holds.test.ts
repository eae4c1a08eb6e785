/** Who held which message, derived from the traffic with SQS. */
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../testing/faults/exchange.ts';
import { heldByTwo, holdsOf, longestUnattended, type ProcessEnd } from '../harness/holds.ts';

const LEASE = 4;

function exchange(
  sender: string,
  action: string,
  at: number,
  input: object,
  answer: object,
  delivered = true,
) {
  const body = JSON.stringify({ QueueUrl: 'http://sqs/000000000000/updates', ...input });
  const made: Exchange = {
    ...{ sender, action, path: '/', body, arrivedAt: at, fault: undefined },
    ...{ effectAt: at, status: 200, answer: JSON.stringify(answer), delivered },
  };
  return made;
}

const receive = (sender: string, at: number, handle: string, delivered = true): Exchange =>
  exchange(
    sender,
    'ReceiveMessage',
    at,
    {},
    { Messages: [{ MessageId: 'm', ReceiptHandle: handle, Body: 'b' }] },
    delivered,
  );

const settle = (sender: string, at: number, handle: string, seconds?: number, done = true): Exchange =>
  exchange(
    sender,
    seconds === undefined ? 'DeleteMessageBatch' : 'ChangeMessageVisibilityBatch',
    at,
    { Entries: [{ Id: '0', ReceiptHandle: handle, VisibilityTimeout: seconds }] },
    done ? { Successful: [{ Id: '0' }] } : { Failed: [{ Id: '0' }] },
  );

function look(
  exchanges: readonly Exchange[],
  ends: Record<string, ProcessEnd> = {},
  lost: Record<string, number> = {},
) {
  const holds = holdsOf(exchanges, 'updates', LEASE);
  const record = { ends: new Map(Object.entries(ends)), leasesLost: new Map(Object.entries(lost)) };
  return { holds, longest: longestUnattended(holds, record), heldByTwo: heldByTwo(holds, record) };
}

describe('a message', () => {
  test('that is held and deleted was never unattended', () => {
    const { holds, longest } = look([
      receive('A', 0, 'h'),
      settle('A', 3_000, 'h', LEASE),
      settle('A', 6_000, 'h'),
    ]);
    expect(holds).toMatchObject([{ from: 0, until: 6_000, ended: 'deleted', settledAt: 6_000 }]);
    expect(Object.values(longest).every((ms) => ms === 0)).toBe(true);
  });

  test('whose holder is killed is unattended until its lease, as extended, ends', () => {
    const killed: ProcessEnd = { endedAt: 3_500, how: 'killed' };
    const { longest } = look([receive('A', 0, 'h'), settle('A', 3_000, 'h', LEASE)], { A: killed });
    expect(longest.killed).toBe(3_500);
  });

  test('that was extended after its holder was killed is reported', () => {
    const killed: ProcessEnd = { endedAt: 1_000, how: 'killed' };
    const { longest } = look([receive('A', 0, 'h'), settle('A', 3_000, 'h', LEASE)], { A: killed });
    expect(longest.killed).toBe(6_000);
  });

  test('whose answer did not reach the receiver is unattended from the start', () => {
    expect(look([receive('A', 0, 'h', false)]).longest['answer lost']).toBe(4_000);
  });

  test('that is released is not unattended, and one that is deferred is so on purpose', () => {
    const released = look([receive('A', 0, 'h'), settle('A', 1_000, 'h', 0)], {
      A: { endedAt: 1_001, how: 'stopped' },
    });
    expect(released.longest.stopped).toBe(0);
    expect(look([receive('A', 0, 'h'), settle('A', 1_000, 'h', 9)]).longest.deferred).toBe(9_000);
  });

  test('whose lease its holder lost is unattended until the lease ends', () => {
    const { longest } = look([receive('A', 0, 'h')], {}, { 'A m 0': 1_500 });
    expect(longest['lease lost']).toBe(2_500);
  });

  test('is not held longer by a settlement that SQS did not carry out, nor by one with an old handle', () => {
    const { holds } = look([
      receive('A', 0, 'h1'),
      settle('A', 1_000, 'h1', LEASE, false),
      receive('B', 4_000, 'h2'),
      settle('A', 5_000, 'h1'),
    ]);
    expect(holds).toMatchObject([
      { until: 4_000, ended: 'lapsed', settledAt: 5_000 },
      { until: 8_000, ended: 'lapsed' },
    ]);
  });

  test('is held by two workers when the first does not know that its lease has ended', () => {
    const both = [receive('A', 0, 'h1'), receive('B', 4_000, 'h2'), settle('A', 5_000, 'h1')];
    expect(look(both).heldByTwo).toBe(1);
    expect(look(both, {}, { 'A m 0': 3_900 }).heldByTwo).toBe(0);
    expect(look(both, { A: { endedAt: 2_000, how: 'killed' } }).heldByTwo).toBe(0);
  });
});
