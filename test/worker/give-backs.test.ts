import { describe, expect, test } from 'vitest';
import type { Disposition } from '../../src/message/disposition.ts';
import { parseBody } from '../../src/message/parse.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import { GiveBacks } from '../../src/worker/give-backs.ts';
import { Holdings } from '../../src/worker/holdings.ts';
import { Turns } from '../../src/worker/turns.ts';

function delivery(name: string): Delivery {
  const body = `{"Identifier":"${name}","Description":"new"}`;
  const message = { messageId: name, receiptHandle: name, body, attributes: {}, sentAt: 0, receiveCount: 1 };
  const groupId = name.slice(0, 1);
  return new Delivery({ ...message, receivedAt: 0, groupId }, parseBody(body, 0));
}

/** Deliveries `a1`, `a2`, `b1`, … in hand, each of the group that its first letter names; work never ends. */
function setUp(fifo: boolean, ...names: string[]) {
  const holdings = new Holdings();
  const turns = new Turns(fifo, () => new Promise(() => {}));
  const settled: string[] = [];
  const expiring = new Set<string>();
  const giveBacks: GiveBacks = new GiveBacks({
    holdings,
    turns,
    random: () => 0.5,
    processor: {
      giveUp: ({ interruption }): Disposition =>
        interruption.requested?.deferSeconds === undefined
          ? { action: 'release' }
          : { action: 'defer', seconds: interruption.requested.deferSeconds },
      secondsToExpiring: ({ messageId }) => (expiring.has(messageId) ? 0 : 1_000),
    },
    settle: (each, { action }) => {
      each.settling = true;
      settled.push(`${action} ${each.message.messageId}`);
      giveBacks.behind(each);
    },
  });
  const held = Object.fromEntries(names.map((name) => [name, delivery(name)]));
  for (const each of Object.values(held)) {
    holdings.add(each);
    turns.add(each);
  }
  /** Those told to give up, whether they were waiting for their turn or at work. */
  const told = (): string[] => names.filter((name) => held[name]?.interruption.requested !== undefined);
  return { giveBacks, held, settled, told, expiring };
}

const numbered = (group: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${group}${i + 1}`);

describe('on a FIFO queue', () => {
  test('those behind a delivery go in order, those before it and in other groups stay', () => {
    const { giveBacks, held, settled, told } = setUp(true, 'a1', 'a2', 'b1', 'b2', 'a3', 'a4');
    if (held.a2 !== undefined) giveBacks.behind(held.a2);
    expect(settled).toEqual(['release a3', 'release a4']);
    expect(told()).toEqual(['a3', 'a4']);
  });

  test('one given up while it waits takes along those behind it', () => {
    const { giveBacks, held, settled } = setUp(true, 'a1', 'a2', 'a3');
    if (held.a2 !== undefined) giveBacks.giveUp(held.a2, { deferSeconds: 7 });
    expect(settled).toEqual(['defer a2', 'release a3']);
  });

  test('while calls are paused none waits behind another: it could not be a probe', () => {
    const { giveBacks, settled, told } = setUp(true, 'a1', 'a2', 'b1', 'b2', 'b3');
    giveBacks.surplus();
    expect(settled).toEqual(['release a2', 'release b2', 'release b3']);
    expect(told()).not.toContain('a1');
  });

  test('when the rate falls the newest groups go as a whole, and only so many as wait for the rate', () => {
    const heads = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
    const names = heads.flatMap((group) => numbered(group, 2));
    const { giveBacks, told } = setUp(true, ...names);
    // Of 26 that wait for the rate 10 may, and 15 more are borne with: 25.
    giveBacks.late(26, 10);
    expect(told()).toEqual(['z1']);
  });

  test('what is expiring waits for its turn, which comes to the oldest first', () => {
    const { giveBacks, told, expiring } = setUp(true, 'a1', 'a2', 'b1', 'b2');
    for (const name of ['a1', 'a2', 'b2']) expiring.add(name);
    giveBacks.expiring();
    expect(told()).toEqual(['a1']);
  });
});

describe('on a standard queue', () => {
  test('nobody is behind anybody', () => {
    const { giveBacks, held, settled } = setUp(false, 'a1', 'a2');
    if (held.a1 !== undefined) giveBacks.behind(held.a1);
    giveBacks.surplus();
    expect(settled).toEqual([]);
  });

  test('the newest go when the rate falls, the expiring when it is time', () => {
    const { giveBacks, told, expiring } = setUp(false, ...numbered('a', 30));
    giveBacks.late(26, 10);
    expect(told()).toEqual(['a30']);
    expiring.add('a1');
    giveBacks.expiring();
    expect(told()).toEqual(['a1', 'a30']);
  });

  test('a call in flight is left alone by the expiring, and what is being settled by all', () => {
    const { giveBacks, held, told, expiring } = setUp(false, 'a1', 'a2');
    for (const name of ['a1', 'a2']) expiring.add(name);
    if (held.a1 !== undefined) held.a1.calling = true;
    if (held.a2 !== undefined) held.a2.settling = true;
    giveBacks.expiring();
    expect(told()).toEqual([]);
    giveBacks.all();
    expect(told()).toEqual(['a1']);
  });
});
