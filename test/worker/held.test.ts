import { describe, expect, test, vi } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import { Held } from '../../src/worker/held.ts';

const newDelivery = (): Delivery =>
  new Delivery(
    {
      messageId: 'm',
      receiptHandle: 'r',
      body: '',
      attributes: {},
      sentAt: 0,
      receiveCount: 1,
    },
    parseBody('', 0),
  );
const turnOfTheLoop = () => new Promise(setImmediate);

describe('the deliveries held', () => {
  test('stand in the order of their receipt, each once', () => {
    const held = new Held();
    const [first, second] = [newDelivery(), newDelivery()];
    for (const each of [first, second, first]) held.add(each);
    expect([[...held], held.size, held.oldest]).toEqual([[first, second], 2, first]);
  });

  test('are deleted once, and that is announced to whoever waits for it', async () => {
    const held = new Held();
    const each = newDelivery();
    held.add(each);
    const deletion = held.nextDeletion();
    expect([held.delete(each), held.delete(each), held.has(each)]).toEqual([true, false, false]);
    await deletion;
    expect(held.oldest).toBeUndefined();
  });
});

describe('what is gathered for shared requests', () => {
  test('is flushed once everything held is being settled, and not before', async () => {
    const held = new Held();
    const flush = vi.fn();
    held.flushWhenAllSettling({ flush });
    const [first, second] = [newDelivery(), newDelivery()];
    held.add(first);
    held.add(second);
    held.settle(first);
    await turnOfTheLoop();
    expect([flush.mock.calls.length, held.settling]).toEqual([0, 1]);
    held.settle(second);
    held.settle(second);
    await turnOfTheLoop();
    expect([flush.mock.calls.length, held.settling]).toEqual([1, 2]);
  });

  test('is flushed when the last one that is not being settled goes', async () => {
    const held = new Held();
    const flush = vi.fn();
    held.flushWhenAllSettling({ flush });
    const [first, second] = [newDelivery(), newDelivery()];
    held.add(first);
    held.add(second);
    held.settle(first);
    held.delete(second);
    await turnOfTheLoop();
    expect(flush).toHaveBeenCalledTimes(1);
  });

  test('waits for nothing any more in a hurry', async () => {
    const held = new Held();
    const flush = vi.fn();
    held.flushWhenAllSettling({ flush });
    const [first, second] = [newDelivery(), newDelivery()];
    held.add(first);
    held.add(second);
    held.hurry();
    await turnOfTheLoop();
    held.settle(first);
    await turnOfTheLoop();
    expect(flush).toHaveBeenCalledTimes(2);
  });

  test('is sent at once while memory is short, others or not', async () => {
    const held = new Held(100);
    const gathering = { flush: vi.fn() };
    held.flushWhenAllSettling(gathering);
    const large = Delivery.read({ ...newDelivery().message, body: ' '.repeat(30) });
    for (const each of [large, newDelivery()]) held.add(each);
    held.settle(large);
    await turnOfTheLoop();
    expect(gathering.flush).toHaveBeenCalledTimes(1);
  });
});
