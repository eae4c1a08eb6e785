import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Groups } from '../../src/worker/groups.ts';

function setUp() {
  const started: string[] = [];
  const groups = new Groups<string>((item) => started.push(item));
  return { groups, started };
}

describe('Groups', () => {
  test('starts the first of each group at once, the next when it has left', () => {
    const { groups, started } = setUp();
    for (const item of ['a1', 'a2', 'b1', 'a3']) groups.add(item.slice(0, 1), item);
    expect(started).toEqual(['a1', 'b1']);
    groups.leave('a1');
    expect(started).toEqual(['a1', 'b1', 'a2']);
    groups.leave('a2');
    groups.leave('a3');
    groups.add('a', 'a4');
    expect(started).toEqual(['a1', 'b1', 'a2', 'a3', 'a4']);
  });

  test('keeps the place of what was withdrawn until it leaves', () => {
    const { groups, started } = setUp();
    for (const item of ['a1', 'a2', 'a3']) groups.add('a', item);
    expect(groups.withdraw('a2')).toBe(true);
    groups.leave('a1');
    expect(started).toEqual(['a1']);
    groups.leave('a2');
    expect(started).toEqual(['a1', 'a3']);
  });

  test('withdraws once, and neither what has started nor what is not there', () => {
    const { groups } = setUp();
    groups.add('a', 'a1');
    groups.add('a', 'a2');
    expect(['a1', 'a2', 'a2', 'b1'].map((item) => groups.withdraw(item))).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });

  test('tells who is behind whom', () => {
    const { groups } = setUp();
    for (const item of ['a1', 'a2', 'a3']) groups.add('a', item);
    expect(groups.behind('a1')).toEqual(['a2', 'a3']);
    expect(groups.behind('a3')).toEqual([]);
    expect(groups.behind('b1')).toEqual([]);
    expect(['a1', 'a2', 'b1'].map((item) => groups.isBehind(item))).toEqual([false, true, false]);
    groups.leave('a1');
    expect(groups.isBehind('a2')).toBe(false);
  });

  test('takes any text for a group, and forgets one that is empty', () => {
    const { groups, started } = setUp();
    for (const key of ['__proto__', 'constructor', '']) {
      groups.add(key, `${key}1`);
      groups.leave(`${key}1`);
      groups.leave(`${key}1`);
      groups.add(key, `${key}2`);
    }
    expect(started).toHaveLength(6);
  });

  test('never has two of a group started, and starts in order, whatever comes, goes and is withdrawn', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'add', 'leave', 'withdraw'),
      group: fc.constantFrom('a', 'b'),
      pick: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const here: string[] = [];
        const running = new Set<string>();
        const order: number[] = [];
        const groups = new Groups<string>((item) => {
          expect([...running].filter((other) => other[0] === item[0])).toEqual([]);
          expect(here.find((other) => other[0] === item[0])).toBe(item);
          running.add(item);
          order.push(Number(item.slice(1)));
        });
        let count = 0;
        for (const { what, group, pick } of steps) {
          if (what === 'add') {
            const item = `${group}${count++}`;
            here.push(item);
            groups.add(group, item);
          } else {
            const item = here[pick % Math.max(1, here.length)];
            if (item === undefined) continue;
            if (what === 'withdraw') groups.withdraw(item);
            else {
              here.splice(here.indexOf(item), 1);
              running.delete(item);
              groups.leave(item);
            }
          }
        }
        expect(new Set(order).size).toBe(order.length);
      }),
    );
  });
});
