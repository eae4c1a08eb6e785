import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import { Turns } from '../../src/worker/turns.ts';

/** A delivery for an Identifier, in a message group. `undefined`: not valid. */
function delivery(identifier: string | undefined, groupId = 'g'): Delivery {
  const body = identifier === undefined ? '{}' : `{"Identifier":"${identifier}","Description":"new"}`;
  const message = { messageId: 'm', receiptHandle: 'r', body, attributes: {}, sentAt: 0, receiveCount: 1 };
  return new Delivery({ ...message, receivedAt: 0, groupId }, parseBody(body, 0));
}

/** Joins its line and notes in `started` when its turn comes. */
async function join(turns: Turns, each: Delivery, started: Delivery[], line: 'group' | 'identifier') {
  const turn = line === 'group' ? turns.joinGroup(each) : turns.joinIdentifier(each);
  if (turn !== undefined) await turn.promise;
  started.push(each);
}

describe('on a standard queue', () => {
  test('one at a time per Identifier, in order of arrival, different ones in parallel', async () => {
    const turns = new Turns(false);
    const started: Delivery[] = [];
    const [a1, a2, b1] = [delivery('a'), delivery('a'), delivery('b')];
    const joined = [a1, a2, b1].map((each) => join(turns, each, started, 'identifier'));
    expect([started, turns.waiting]).toEqual([[a1, b1], 1]);
    turns.leaveIdentifier(a1);
    await Promise.all(joined);
    expect([started, turns.waiting]).toEqual([[a1, b1, a2], 0]);
    turns.leaveIdentifier(a2);
    expect(turns.joinIdentifier(delivery('a'))).toBeUndefined();
  });

  test('what is not valid has its turn at once, and no message has a group', () => {
    const turns = new Turns(false);
    expect(turns.joinIdentifier(delivery(undefined))).toBeUndefined();
    expect(turns.joinIdentifier(delivery(undefined))).toBeUndefined();
    const [first, second] = [delivery('a'), delivery('a')];
    expect([turns.joinGroup(first), turns.joinGroup(second)]).toEqual([undefined, undefined]);
    expect([turns.behind(first), turns.isBehind(second)]).toEqual([[], false]);
  });

  test('whoever leaves before its turn comes is passed over', async () => {
    const turns = new Turns(false);
    const [first, second, third] = [delivery('a'), delivery('a'), delivery('a')];
    const started: Delivery[] = [];
    const joined = [first, second, third].map((each) => join(turns, each, started, 'identifier'));
    turns.leaveIdentifier(second);
    expect(turns.waiting).toBe(1);
    turns.leaveIdentifier(first);
    await joined[2];
    expect(started).toEqual([first, third]);
  });
});

describe('on a FIFO queue', () => {
  test('one at a time per group, until it leaves; groups are independent', async () => {
    const turns = new Turns(true);
    const started: Delivery[] = [];
    const [a1, a2, b1] = [delivery('x', 'a'), delivery(undefined, 'a'), delivery('y', 'b')];
    const joined = [a1, a2, b1].map((each) => join(turns, each, started, 'group'));
    expect(started).toEqual([a1, b1]);
    turns.leaveIdentifier(a1);
    expect(started).toEqual([a1, b1]);
    turns.leaveGroup(a1);
    await Promise.all(joined);
    expect(started).toEqual([a1, b1, a2]);
  });

  test('whoever stops waiting keeps the place until it leaves', async () => {
    const turns = new Turns(true);
    const [first, second, third] = [delivery('a'), delivery('b'), delivery('c')];
    turns.joinGroup(first);
    turns.joinGroup(second)?.resolve();
    const started: Delivery[] = [];
    const joined = join(turns, third, started, 'group');
    turns.leaveGroup(first);
    expect(turns.isBehind(third)).toBe(true);
    turns.leaveGroup(second);
    await joined;
    expect(started).toEqual([third]);
  });

  test('tells who is behind whom', () => {
    const turns = new Turns(true);
    const [first, second, third, other] = [delivery('a'), delivery('b'), delivery('c'), delivery('d', 'h')];
    for (const each of [first, second, third]) turns.joinGroup(each);
    expect([turns.behind(first), turns.behind(third), turns.behind(other)]).toEqual([
      [second, third],
      [],
      [],
    ]);
    expect([first, second, other].map((each) => turns.isBehind(each))).toEqual([false, true, false]);
    turns.leaveGroup(first);
    expect(turns.isBehind(second)).toBe(false);
  });
});

test.each(['constructor', '__proto__', ''])('takes %j for a group like any other', async (group) => {
  const turns = new Turns(true);
  const [first, second] = [delivery('a', group), delivery('b', group)];
  turns.joinGroup(first);
  const started: Delivery[] = [];
  const joined = join(turns, second, started, 'group');
  turns.leaveGroup(first);
  turns.leaveGroup(first);
  await joined;
  expect(started).toEqual([second]);
});

test('keeps order, exclusion and count through any sequence of arrivals and departures', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('join'), key: fc.constantFrom('k', 'l', 'm') }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constant('leave'), at: fc.nat() }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const turns = new Turns(false);
      const model = new Map<string, Delivery[]>();
      const started: Delivery[] = [];
      const expected = new Set<Delivery>();
      for (const now of steps) {
        const all = [...model.values()].flat();
        if ('key' in now) {
          const each = delivery(now.key);
          model.set(now.key, [...(model.get(now.key) ?? []), each]);
          void join(turns, each, started, 'identifier');
        } else {
          const each = all[now.at % Math.max(1, all.length)];
          if (each === undefined) continue;
          const key = each.ids.identifier ?? '';
          model.set(
            key,
            (model.get(key) ?? []).filter((other) => other !== each),
          );
          turns.leaveIdentifier(each);
        }
        await Promise.resolve();
        for (const line of model.values()) if (line[0] !== undefined) expected.add(line[0]);
        expect(new Set(started)).toEqual(expected);
        expect(started).toHaveLength(expected.size);
        expect(turns.waiting).toBe([...model.values()].flatMap((line) => line.slice(1)).length);
      }
    }),
  );
});
