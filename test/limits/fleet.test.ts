import { expect, test } from 'vitest';
import type { Limits } from '../../src/limits/bounds.ts';
import { FleetFollower } from '../../src/limits/fleet.ts';
import { type FleetLimits, FleetLimitsError } from '../../src/ota/fleet-limits.ts';

const said = { by: 'ann@host', reason: 'slow', at: '2026-11-29T07:00:00.000Z' };

function setUp(answers: readonly (FleetLimits | Error)[]) {
  const words: Limits[] = [];
  const faults: (string | undefined)[] = [];
  let connections = 0;
  let closed = 0;
  const left = [...answers];
  const ended = new AbortController();
  const follower = new FleetFollower({
    connect: async () => {
      connections++;
      return {
        read: async () => {
          const next = left.shift() ?? new Error('no more');
          if (next instanceof Error) throw next;
          return next;
        },
        close: () => {
          closed++;
        },
      };
    },
    say: (limits) => words.push(limits),
    onFault: (fault) => faults.push(fault?.message),
    sleep: async () => {
      if (left.length === 0) ended.abort();
    },
  });
  return { follower, words, faults, ended, counts: () => ({ connections, closed }) };
}

test('says what Redis holds; a limit that was lifted has who lifted it', async () => {
  const { follower, words, ended, counts } = setUp([
    { rate: { ...said, value: 20 }, concurrency: undefined },
    { rate: { ...said, value: null }, concurrency: undefined },
  ]);
  let first = 0;
  await follower.follow(ended.signal, () => first++);
  expect(words).toEqual([
    { rate: { value: 20, by: 'ann@host', reason: 'slow' }, concurrency: {} },
    { rate: { value: undefined, by: 'ann@host', reason: 'slow' }, concurrency: {} },
  ]);
  expect([first, counts()]).toEqual([1, { connections: 1, closed: 1 }]);
});

test('what Redis holds and is no limit is a fault; a Redis that is away is none, and is asked anew', async () => {
  const none = { rate: undefined, concurrency: undefined };
  const { follower, words, faults, ended, counts } = setUp([
    new FleetLimitsError('no limit'),
    new Error('connection lost'),
    none,
  ]);
  await follower.follow(ended.signal, () => {});
  expect(words).toHaveLength(1);
  expect(faults).toEqual(['no limit', undefined]);
  expect(counts()).toEqual({ connections: 2, closed: 2 });
});

test('a fault is said once, and another one as well', async () => {
  const { follower, faults, ended } = setUp(['one', 'one', 'two'].map((text) => new FleetLimitsError(text)));
  await follower.follow(ended.signal, () => {});
  expect(faults).toEqual(['one', 'two']);
});
