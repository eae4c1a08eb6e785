import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import { Holdings } from '../../src/worker/holdings.ts';
import { closedSlots } from '../../src/worker/slots.ts';

type State = 'untried' | 'tried' | 'calling first' | 'calling again' | 'settling';

function delivery(name: string, state: State): Delivery {
  const body = '{"Identifier":"a1","Description":"new"}';
  const held = new Delivery(
    { messageId: name, receiptHandle: name, body, attributes: {}, sentAt: 0, receiveCount: 1, receivedAt: 0 },
    parseBody(body, 0),
  );
  if (state === 'tried') held.tally.attempts = 1;
  if (state === 'calling first' || state === 'calling again') held.calling = true;
  if (state === 'calling again') held.tally.attempts = 2;
  if (state === 'settling') held.settling = true;
  return held;
}

function holdingsOf(...states: State[]) {
  const holdings = new Holdings();
  const deliveries = states.map((state, i) => delivery(`${state} ${i}`, state));
  for (const each of deliveries) holdings.add(each);
  return { holdings, deliveries };
}

const names = (deliveries: readonly Delivery[]) => deliveries.map(({ message }) => message.messageId);
const many = (count: number, state: State): State[] => Array<State>(count).fill(state);

describe('Holdings', () => {
  test('keeps deliveries in the order they came, each once', () => {
    const { holdings, deliveries } = holdingsOf('untried', 'tried', 'untried');
    for (const each of deliveries) holdings.add(each);
    expect([...holdings]).toEqual(deliveries);
    expect(holdings.size).toBe(3);
    expect(holdings.oldest).toBe(deliveries[0]);
  });

  test('tells whether what is deleted was there', () => {
    const { holdings, deliveries } = holdingsOf('untried', 'untried');
    const [first, second] = deliveries;
    if (first === undefined || second === undefined) throw new Error('two were added');
    expect(holdings.delete(first)).toBe(true);
    expect(holdings.delete(first)).toBe(false);
    expect(holdings.oldest).toBe(second);
    holdings.delete(second);
    expect(holdings.oldest).toBeUndefined();
  });

  test('counts as untried neither what is being called nor what is being settled', () => {
    const { holdings } = holdingsOf(
      'untried',
      'untried',
      'tried',
      'calling first',
      'calling again',
      'settling',
    );
    expect(holdings.untried()).toBe(2);
  });
});

describe('the surplus while calls are paused', () => {
  test('is nothing when little is held', () => {
    const { holdings } = holdingsOf(...many(10, 'untried'), ...many(20, 'tried'));
    expect(holdings.surplus(closedSlots)).toEqual({ release: [], defer: [] });
  });

  test('is the newest of the untried', () => {
    const { holdings } = holdingsOf(...many(12, 'untried'));
    const { release, defer } = holdings.surplus(closedSlots);
    expect(names(release)).toEqual(['untried 10', 'untried 11']);
    expect(defer).toEqual([]);
  });

  test('is the oldest of the tried', () => {
    const { holdings } = holdingsOf(...many(22, 'tried'), 'untried');
    const { release, defer } = holdings.surplus(closedSlots);
    expect(release).toEqual([]);
    expect(names(defer)).toEqual(['tried 0', 'tried 1']);
  });

  test('is a receive’s worth of the tried when nothing else is in hand, so that other Identifiers come', () => {
    const { holdings } = holdingsOf(...many(20, 'tried'));
    expect(names(holdings.surplus(closedSlots).defer)).toEqual(
      Array.from({ length: 10 }, (_, i) => `tried ${i}`),
    );
  });

  test('never touches what is being called or settled', () => {
    const { holdings } = holdingsOf(
      ...many(40, 'calling again'),
      ...many(40, 'calling first'),
      ...many(40, 'settling'),
    );
    expect(holdings.surplus(closedSlots)).toEqual({ release: [], defer: [] });
  });

  test('leaves no more than may be held, whatever is in hand', () => {
    const count = fc.nat(120);
    fc.assert(
      fc.property(count, count, (untried, tried) => {
        const { holdings } = holdingsOf(...many(untried, 'untried'), ...many(tried, 'tried'));
        const { release, defer } = holdings.surplus(closedSlots);
        expect(untried + tried - release.length - defer.length).toBeLessThanOrEqual(closedSlots.held);
        expect(new Set([...release, ...defer]).size).toBe(release.length + defer.length);
      }),
      { examples: [[0, 100]] },
    );
  });
});
