/** What the queue saw of a job, from the proxy's records. */
import { expect, test } from 'vitest';
import type { Exchange } from '../../testing/faults/exchange.ts';
import { byRow, sendingsOf, sentWithoutLease, whySentAgain } from '../jobs/sends.ts';

function sent(row: number, parts: Partial<Exchange> & { readonly taken?: boolean } = {}): Exchange {
  const { taken = true, arrivedAt = 1_000, ...rest } = parts;
  const name = `r00000${row}.1`;
  return {
    sender: 'SENDER1',
    action: 'SendMessageBatch',
    path: '/',
    body: JSON.stringify({
      QueueUrl: 'http://sqs/000000000000/updates',
      Entries: [{ Id: '0', MessageBody: JSON.stringify({ RequestId: name, Identifier: `task${row}` }) }],
    }),
    arrivedAt,
    fault: undefined,
    effectAt: arrivedAt + 10,
    status: 200,
    answer: JSON.stringify(taken ? { Successful: [{ Id: '0' }] } : { Failed: [{ Id: '0' }] }),
    delivered: true,
    ...rest,
  };
}

const running = { ends: new Map() };

test('a row is sent as often as the queue took it, whatever the sender was told', () => {
  const sendings = sendingsOf(
    [
      sent(2, { arrivedAt: 3_000 }),
      sent(1),
      sent(1, { taken: false }),
      sent(1, { effectAt: undefined, status: undefined, answer: '', fault: 'reset', delivered: false }),
      { ...sent(1), body: sent(1).body.replace('/updates', '/dead') },
      sent(1, { arrivedAt: 2_000 }),
    ],
    'updates',
  );
  expect(sendings.map(({ name, takenAt }) => [name, takenAt])).toEqual([
    ['r000001.1', 1_010],
    ['r000001.1', 2_010],
    ['r000002.1', 3_010],
  ]);
  expect([...byRow(sendings)].map(([name, some]) => [name, some.length])).toEqual([
    ['r000001.1', 2],
    ['r000002.1', 1],
  ]);
});

test.each([
  ['answer lost (half)', { fault: 'half', delivered: false }, []],
  ['answer lost (the sender gave up)', { delivered: false }, []],
  ['answer not believed (checksum)', { fault: 'checksum' }, []],
  ['killed before it was recorded', { sender: 'KILLED' }, []],
  ['the lease was lost before it was recorded', {}, [{ sender: 'SENDER2', at: 1_500 }]],
  ['unexplained', {}, [{ sender: 'SENDER2', at: 500 }]],
] as const)('%s: why a row was sent again', (why, first, takings) => {
  const sendings = sendingsOf([sent(1, first), sent(1, { arrivedAt: 2_000 })], 'updates');
  const ends = new Map([['KILLED', { how: 'killed', endedAt: 1_200 } as const]]);
  expect(whySentAgain(sendings, takings, { ends })).toEqual([why]);
});

test('a row that was sent once needs no reason', () => {
  expect(whySentAgain(sendingsOf([sent(1)], 'updates'), [], running)).toEqual([]);
});

test.each([
  ['by the process that has it', [{ sender: 'SENDER1', at: 0 }], 0],
  [
    'by one that has taken it back',
    [
      { sender: 'SENDER1', at: 0 },
      { sender: 'SENDER2', at: 1_000 },
      { sender: 'SENDER1', at: 4_000 },
    ],
    0,
  ],
  [
    'after another has taken it',
    [
      { sender: 'SENDER1', at: 0 },
      { sender: 'SENDER2', at: 3_000 },
    ],
    1,
  ],
  [
    'about when another takes it',
    [
      { sender: 'SENDER1', at: 0 },
      { sender: 'SENDER2', at: 4_900 },
    ],
    0,
  ],
] as const)('sent %s', (_, takings, count) => {
  const sendings = sendingsOf([sent(1, { arrivedAt: 5_000 })], 'updates');
  expect(sentWithoutLease(sendings, takings)).toHaveLength(count);
});
