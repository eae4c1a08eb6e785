import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lanes } from '../../src/worker/lanes.ts';

/** Lanes of which every item ends when told. */
function setUp() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const lanes = new Lanes<string>((item) => {
    started.push(item);
    return new Promise((resolve) => {
      ends.set(item, resolve);
    });
  });
  const end = async (item: string) => {
    const resolve = ends.get(item);
    if (resolve === undefined) throw new Error(`${item} has not started`);
    ends.delete(item);
    resolve();
    await new Promise(setImmediate);
  };
  return { lanes, started, end, running: () => [...ends.keys()] };
}

describe('Lanes', () => {
  test('starts the first item of a lane at once', () => {
    const { lanes, started } = setUp();
    lanes.add('k', 'k1');
    expect(started).toEqual(['k1']);
    expect(lanes.waiting).toBe(0);
  });

  test('runs one item per key at a time, in order of arrival', async () => {
    const { lanes, started, end } = setUp();
    for (const item of ['k1', 'k2', 'k3']) lanes.add('k', item);
    expect(started).toEqual(['k1']);
    expect(lanes.waiting).toBe(2);
    await end('k1');
    expect(started).toEqual(['k1', 'k2']);
    await end('k2');
    expect(started).toEqual(['k1', 'k2', 'k3']);
    expect(lanes.waiting).toBe(0);
  });

  test('runs different keys side by side', async () => {
    const { lanes, started, end } = setUp();
    lanes.add('k', 'k1');
    lanes.add('l', 'l1');
    lanes.add('k', 'k2');
    lanes.add('l', 'l2');
    expect(started).toEqual(['k1', 'l1']);
    await end('l1');
    expect(started).toEqual(['k1', 'l1', 'l2']);
  });

  test('opens a lane again that had run empty', async () => {
    const { lanes, started, end } = setUp();
    lanes.add('k', 'k1');
    await end('k1');
    lanes.add('k', 'k2');
    expect(started).toEqual(['k1', 'k2']);
  });

  test.each(['constructor', '__proto__', ''])('takes %j for a key like any other', async (key) => {
    const { lanes, started, end } = setUp();
    lanes.add(key, 'one');
    lanes.add(key, 'two');
    expect(started).toEqual(['one']);
    await end('one');
    expect(started).toEqual(['one', 'two']);
  });

  test('withdraws an item that waits, and it never starts', async () => {
    const { lanes, started, end } = setUp();
    for (const item of ['k1', 'k2', 'k3']) lanes.add('k', item);
    expect(lanes.withdraw('k', 'k2')).toBe(true);
    expect(lanes.waiting).toBe(1);
    await end('k1');
    await end('k3');
    expect(started).toEqual(['k1', 'k3']);
  });

  test('does not withdraw what has started, has ended, is in another lane or was never there', async () => {
    const { lanes, end } = setUp();
    lanes.add('k', 'k1');
    lanes.add('k', 'k2');
    expect(lanes.withdraw('k', 'k1')).toBe(false);
    expect(lanes.withdraw('l', 'k2')).toBe(false);
    await end('k1');
    expect(lanes.withdraw('k', 'k1')).toBe(false);
    expect(lanes.withdraw('k', 'k2')).toBe(false);
    await end('k2');
    expect(lanes.withdraw('k', 'k2')).toBe(false);
    expect(lanes.waiting).toBe(0);
  });

  test('keeps order, exclusion and count through any sequence of arrivals, ends and withdrawals', async () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('k', 'l', 'm') }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), at: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), at: fc.nat() }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { lanes, started, end, running } = setUp();
        const model = new Map<string, string[]>();
        const expected: string[] = [];
        const keyOf = (item: string) => item.charAt(0);
        let count = 0;
        for (const now of steps) {
          if (now.do === 'add') {
            const item = `${now.key}${count++}`;
            const lane = model.get(now.key) ?? [];
            model.set(now.key, lane);
            if (lane.length === 0) expected.push(item);
            lane.push(item);
            lanes.add(now.key, item);
          } else if (now.do === 'end') {
            const item = running()[now.at % Math.max(1, running().length)];
            if (item === undefined) continue;
            const lane = model.get(keyOf(item));
            lane?.shift();
            if (lane?.[0] !== undefined) expected.push(lane[0]);
            await end(item);
          } else {
            const waiting = [...model.values()].flatMap((lane) => lane.slice(1));
            const item = waiting[now.at % Math.max(1, waiting.length)];
            if (item === undefined) continue;
            const lane = model.get(keyOf(item)) ?? [];
            lane.splice(lane.indexOf(item), 1);
            expect(lanes.withdraw(keyOf(item), item)).toBe(true);
          }
          expect(started).toEqual(expected);
          expect(new Set(running().map(keyOf)).size).toBe(running().length);
          expect(lanes.waiting).toBe([...model.values()].flatMap((lane) => lane.slice(1)).length);
        }
      }),
    );
  });
});
