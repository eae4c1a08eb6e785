import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import { PLACES, Turns } from '../../src/worker/turns.ts';

/** A delivery for an Identifier, in a message group. `undefined`: not valid. */
function delivery(identifier: string | undefined, groupId = 'g'): Delivery {
  const body = identifier === undefined ? '{}' : `{"Identifier":"${identifier}","Description":"new"}`;
  const message = { messageId: 'm', receiptHandle: 'r', body, attributes: {}, sentAt: 0, receiveCount: 1 };
  return new Delivery({ ...message, groupId }, parseBody(body, 0));
}

/** Lines in which nobody is to go without a place. */
const roomy = (fifo: boolean): Turns => new Turns(fifo, () => expect.unreachable());

/** Joins its line and notes in `started` when its turn comes. */
async function join(turns: Turns, each: Delivery, started: Delivery[], line: 'group' | 'identifier') {
  const turn = line === 'group' ? turns.joinGroup(each) : turns.joinIdentifier(each);
  if (turn !== undefined) await turn.promise;
  started.push(each);
}

describe('on a standard queue', () => {
  test('one at a time per Identifier, in order of arrival, different ones in parallel', async () => {
    const turns = roomy(false);
    const started: Delivery[] = [];
    const [a1, a2, b1] = [delivery('a'), delivery('a'), delivery('b')];
    const joined = [a1, a2, b1].map((each) => join(turns, each, started, 'identifier'));
    expect([started, [a1, a2, b1].map((each) => turns.isWaiting(each))]).toEqual([
      [a1, b1],
      [false, true, false],
    ]);
    turns.leaveIdentifier(a1);
    await Promise.all(joined);
    expect([started, turns.isWaiting(a2)]).toEqual([[a1, b1, a2], false]);
    turns.leaveIdentifier(a2);
    expect(turns.joinIdentifier(delivery('a'))).toBeUndefined();
  });

  test('what is not valid has its turn at once, and no message has a group', () => {
    const turns = roomy(false);
    expect(turns.joinIdentifier(delivery(undefined))).toBeUndefined();
    expect(turns.joinIdentifier(delivery(undefined))).toBeUndefined();
    const [first, second] = [delivery('a'), delivery('a')];
    expect([turns.joinGroup(first), turns.joinGroup(second)]).toEqual([undefined, undefined]);
    expect([turns.behind(first), turns.isBehind(second)]).toEqual([[], false]);
  });

  test('whoever leaves before its turn comes is passed over', async () => {
    const turns = roomy(false);
    const [first, second, third] = [delivery('a'), delivery('a'), delivery('a')];
    const started: Delivery[] = [];
    const joined = [first, second, third].map((each) => join(turns, each, started, 'identifier'));
    turns.leaveIdentifier(second);
    expect([turns.isWaiting(second), turns.isWaiting(third)]).toEqual([false, true]);
    turns.leaveIdentifier(first);
    await joined[2];
    expect(started).toEqual([first, third]);
  });
});

describe('in the line of an Identifier', () => {
  /** An update of the fields `D` and `T`, decided on at the time in its name: `D3`, `DT5`. */
  const named = (name: string): Delivery => {
    const fields = {
      ...(name.includes('D') && { Description: 'd' }),
      ...(name.includes('T') && { TaskConfigurationId: 't' }),
    };
    const body = JSON.stringify({ Identifier: 'a', ...fields });
    const message = { messageId: name, receiptHandle: name, body, attributes: {}, receiveCount: 1 };
    const sentAt = Number(name.replace(/\D/g, ''));
    return new Delivery({ ...message, sentAt, groupId: name }, parseBody(body, sentAt));
  };

  /** The order in which they have their turns, and who goes without a place. */
  async function runThrough(fifo: boolean, names: string) {
    const surplus: string[] = [];
    const turns = new Turns(fifo, ({ message }) => surplus.push(message.messageId));
    const waiting = names.split(' ').map(named);
    const started: Delivery[] = [];
    for (const each of waiting) void join(turns, each, started, 'identifier');
    for (let left = waiting.length - surplus.length; left > 0; left--) {
      await new Promise(setImmediate);
      const last = started.at(-1);
      if (last !== undefined) turns.leaveIdentifier(last);
    }
    return [started.map(({ message }) => message.messageId).join(' '), surplus.join(' ')];
  }

  test.each([
    ['the newest goes first, and next the newest of the rest', 'D1 D2 D4 D3', 'D1 D4 D3 D2', ''],
    ['one of other fields is not put off for ever', 'D1 T2 D3 D4 D5', 'D1 T2 D5 D4 D3', ''],
    [
      'one that newer ones supersede together waits for the first of them',
      'D1 DT2 D3 T4',
      'D1 D3 DT2 T4',
      '',
    ],
    ['those decided on at the same time keep their order', 'D7 D7 D7', 'D7 D7 D7', ''],
    [
      'an older one goes without a place when a newer one has come',
      'D1 D2 D3 D4 D5 D6 D7',
      'D1 D7 D6 D5 D4 D3',
      'D2',
    ],
    [
      'the last one goes without a place when none is superseded',
      'D9 D8 D8 D8 D8 D8 T1',
      'D9 D8 D8 D8 D8 D8',
      'T1',
    ],
  ])('%s', async (_, names, order, surplus) => {
    expect(await runThrough(false, names)).toEqual([order, surplus]);
  });

  test('a FIFO queue keeps its order, and the last one goes without a place', async () => {
    const names = 'D1 D2 D3 D4 D5 D6 D7';
    expect(await runThrough(true, names)).toEqual(['D1 D2 D3 D4 D5 D6', 'D7']);
  });
});

describe('on a FIFO queue', () => {
  test('one at a time per group, until it leaves; groups are independent', async () => {
    const turns = roomy(true);
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
    const turns = roomy(true);
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
    const turns = roomy(true);
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
  const turns = roomy(true);
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
      const surplus: Delivery[] = [];
      const turns = new Turns(false, (each) => surplus.push(each));
      const model = new Map<string, Delivery[]>();
      const started: Delivery[] = [];
      const expected = new Set<Delivery>();
      for (const now of steps) {
        const all = [...model.values()].flat();
        if ('key' in now) {
          const each = delivery(now.key);
          const line = model.get(now.key) ?? [];
          void join(turns, each, started, 'identifier');
          expect(surplus.includes(each)).toBe(line.length > PLACES);
          if (line.length <= PLACES) model.set(now.key, [...line, each]);
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
        for (const line of model.values()) {
          expect(line.map((each) => turns.isWaiting(each))).toEqual(line.map((_, i) => i > 0));
        }
      }
    }),
  );
});
