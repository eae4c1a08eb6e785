import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { Delivery, type DeliveryState, type Reach } from '../../src/worker/delivery.ts';

const body = '{"Identifier":"a1","Description":"new"}';
const newDelivery = (cut?: AbortController): Delivery =>
  new Delivery(
    { messageId: 'm', receiptHandle: 'r', body, attributes: {}, sentAt: 0, receiveCount: 1 },
    parseBody(body, 0),
    cut,
  );
const reaches: readonly Reach[] = ['waiting', 'publishing', 'call', 'everything'];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the states of a delivery', () => {
  test.each<DeliveryState[]>([
    ['calling', 'settling', 'settlement-sent', 'gone'],
    ['calling', 'backing-off', 'waiting', 'calling', 'backing-off', 'on-trial', 'publishing', 'settling'],
    ['publishing', 'gone'],
    ['settling', 'gone'],
    ['gone'],
  ])('follow %s', (...path) => {
    const delivery = newDelivery();
    for (const state of path) delivery.enter(state);
    expect(delivery.state).toBe(path.at(-1));
  });

  test.each<[DeliveryState[], DeliveryState]>([
    [[], 'waiting'],
    [[], 'backing-off'],
    [['calling'], 'waiting'],
    [['publishing'], 'calling'],
    [['settling', 'settlement-sent'], 'settling'],
    [['gone'], 'settling'],
    [['gone'], 'gone'],
  ])('do not lead from %j to %s', (path, state) => {
    const delivery = newDelivery();
    for (const each of path) delivery.enter(each);
    expect(() => delivery.enter(state)).toThrow(/^a delivery that is [\w-]+ cannot become [\w-]+$/);
  });

  test.each<[DeliveryState[], boolean]>([
    [[], false],
    [['calling'], false],
    [['calling', 'backing-off', 'on-trial'], false],
    [['publishing'], true],
    [['settling'], true],
    [['settling', 'settlement-sent'], true],
    [['gone'], true],
  ])('%j: decided what becomes of the message: %s', (path, decided) => {
    const delivery = newDelivery();
    for (const state of path) delivery.enter(state);
    expect(delivery.decided).toBe(decided);
  });
});

describe('an interruption', () => {
  test.each(reaches.flatMap((asked, i) => reaches.map((wait, j) => [asked, wait, j <= i] as const)))(
    'that reaches %s ends a wait of %s: %s',
    async (asked, reach, ends) => {
      const delivery = newDelivery();
      const wait = Promise.withResolvers<string>();
      const value = delivery.until(reach, wait.promise, () => wait.resolve('cancelled'));
      delivery.interrupt(asked);
      wait.resolve('answered');
      expect(await value).toBe(ends ? 'cancelled' : 'answered');
    },
  );

  test('that came before ends a wait at once', async () => {
    const delivery = newDelivery();
    delivery.interrupt('publishing');
    const wait = Promise.withResolvers<string>();
    expect(await delivery.until('publishing', wait.promise, () => wait.resolve('cancelled'))).toBe(
      'cancelled',
    );
  });

  test('ends the present wait, and not one before it that is over', async () => {
    const delivery = newDelivery();
    const cancelOver = vi.fn();
    await delivery.until('waiting', Promise.resolve(), cancelOver);
    const wait = Promise.withResolvers<void>();
    const ended = delivery.until('waiting', wait.promise, wait.resolve);
    delivery.interrupt('everything');
    await ended;
    expect(cancelOver).not.toHaveBeenCalled();
  });

  test('that reaches further than one before ends what that one left', async () => {
    const delivery = newDelivery();
    delivery.interrupt('waiting');
    const wait = Promise.withResolvers<string>();
    const value = delivery.until('publishing', wait.promise, () => wait.resolve('cancelled'));
    delivery.interrupt('waiting');
    delivery.interrupt('call');
    expect(await value).toBe('cancelled');
  });

  test('keeps the delay of the first one', () => {
    const delivery = newDelivery();
    expect(delivery.interrupted).toBe(false);
    delivery.interrupt('waiting', 7);
    delivery.interrupt('waiting');
    delivery.interrupt('publishing', 9);
    expect([delivery.interrupted, delivery.deferSeconds]).toEqual([true, 7]);
  });

  test.each<[Reach, boolean]>([
    ['waiting', false],
    ['publishing', false],
    ['call', true],
    ['everything', true],
  ])('that reaches %s aborts a call with a signal of its own: %s', (reach, aborted) => {
    const delivery = newDelivery(new AbortController());
    delivery.interrupt(reach);
    expect(delivery.signal?.aborted).toBe(aborted);
  });
});

describe('a sleep', () => {
  test('lasts its time', async () => {
    const ended = vi.fn();
    void newDelivery().sleep(900_000).then(ended);
    await vi.advanceTimersByTimeAsync(899_999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  test('is ended by an interruption and leaves no timer', async () => {
    const delivery = newDelivery();
    const slept = delivery.sleep(900_000);
    delivery.interrupt('waiting');
    await slept;
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([0, -5])('of %i ms, or after an interruption, does not begin', async (ms) => {
    await newDelivery().sleep(ms);
    const interrupted = newDelivery();
    interrupted.interrupt('waiting');
    await interrupted.sleep(900_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
