import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Admission } from '../../../src/worker/receive/admission.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An answer of 100 bytes takes 200 in memory. */
function setUp(held: { size: number; freeBytes: number }) {
  const admission = new Admission({ held, visibilitySeconds: 30, now: () => performance.now() });
  const log: string[] = [];
  const ask = (name: string, signal = new AbortController().signal): void => {
    admission.admit(100, signal).then(
      () => log.push(name),
      (error: Error) => log.push(`${name}: ${error.message}`),
    );
  };
  return { admission, log, ask };
}

test('one answer is read at a time', async () => {
  const { admission, log, ask } = setUp({ size: 1, freeBytes: 1_000 });
  for (const name of ['a', 'b']) ask(name);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(log).toEqual(['a']);
  admission.done();
  await vi.advanceTimersByTimeAsync(20);
  expect(log).toEqual(['a', 'b']);
});

test('an answer waits until its messages have room, and with nothing held they have', async () => {
  const held = { size: 5, freeBytes: 199 };
  const { admission, log, ask } = setUp(held);
  ask('a');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(log).toEqual([]);
  held.freeBytes = 200;
  await vi.advanceTimersByTimeAsync(20);
  admission.done();
  Object.assign(held, { size: 0, freeBytes: 0 });
  ask('b');
  await vi.advanceTimersByTimeAsync(0);
  expect(log).toEqual(['a', 'b']);
});

test('the waiting ends within a quarter of the lease, or when the poll is given up', async () => {
  const { log, ask } = setUp({ size: 1, freeBytes: 0 });
  const poll = new AbortController();
  ask('late');
  ask('given up', poll.signal);
  await vi.advanceTimersByTimeAsync(5_000);
  poll.abort();
  await vi.advanceTimersByTimeAsync(3_000);
  const reason = 'no memory for more large messages: MAX_HELD_MB is reached';
  expect(log).toEqual([`given up: ${reason}`, `late: ${reason}`]);
});
