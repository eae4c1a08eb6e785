import { expect, test } from 'vitest';
import { Rotation } from '../../src/aws/rotation.ts';

const make = (most: number) => {
  let opened = 0;
  return new Rotation({ most, open: () => opened++ });
};

/** Calls of 50 ms at a rate, and which connections they took. */
function connectionsOf(rotation: Rotation<number>, calls: number, everyMs: number, from = 0): number[] {
  return Array.from({ length: calls }, (_, i) => {
    const begins = from + i * everyMs;
    const connection = rotation.take(begins);
    rotation.put(connection, begins + 50);
    return connection;
  });
}

const uses = (connections: readonly number[]): number[] =>
  [...Map.groupBy(connections, (connection) => connection).values()].map(({ length }) => length);

test('a connection makes about a call a second: there are as many as calls a second', () => {
  const connections = connectionsOf(make(50), 220, 100);
  expect(uses(connections)).toEqual(Array.from({ length: 11 }, () => 20));
});

test('where there may be no more, they take calls in turn', () => {
  const connections = connectionsOf(make(50), 2_000, 5);
  expect(uses(connections)).toEqual(Array.from({ length: 50 }, () => 40));
});

test('a slow caller keeps to one connection, also after a fast time: the others are closed when unused', () => {
  const rotation = make(50);
  expect(uses(connectionsOf(rotation, 10, 2_000))).toEqual([10]);
  connectionsOf(rotation, 1_000, 5, 30_000);
  expect(uses(connectionsOf(rotation, 10, 2_000, 40_000))).toEqual([10]);
});

test('connections that are open are used before they are closed, and before others are opened', () => {
  const rotation = make(50);
  const first = [0, 10, 20].map((now) => rotation.take(now));
  for (const [i, connection] of first.entries()) rotation.put(connection, 100 + 10 * i);
  expect(connectionsOf(rotation, 30, 800, 1_200)).toEqual(Array.from({ length: 30 }, (_, i) => i % 3));
});

test('a call never waits for a connection', () => {
  const rotation = make(2);
  const taken = [0, 0, 0].map((now) => rotation.take(now));
  expect(new Set(taken).size).toBe(3);
});

test('where the machine has room for no more, free ones are taken, and more only when none is free', () => {
  const rotation = make(50);
  const [one, two] = [rotation.take(0), rotation.take(0)];
  rotation.take(0);
  rotation.full(10);
  rotation.put(one, 20);
  rotation.put(two, 30);
  expect(connectionsOf(rotation, 4, 40, 40)).toEqual([one, two, one, two]);
  const busy = [rotation.take(300), rotation.take(300), rotation.take(300)];
  expect(busy).toEqual([one, two, 3]);
});

test('a machine that had room for no more may have some a minute later', () => {
  const rotation = make(50);
  rotation.put(rotation.take(0), 20);
  rotation.take(100);
  rotation.full(120);
  expect(uses(connectionsOf(rotation, 600, 100, 200))).toEqual([600]);
  expect(uses(connectionsOf(rotation, 220, 100, 60_200)).length).toBeGreaterThan(10);
});
