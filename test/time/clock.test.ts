import { expect, onTestFinished, test, vi } from 'vitest';
import { sleep } from '../../src/time/clock.ts';

test('a wait of years is none of a millisecond, which a timer makes of it', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timers.mockRestore());
  const stop = new AbortController();
  const asleep = sleep(1e15, stop.signal);
  expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([2 ** 31 - 1]);
  stop.abort();
  await asleep;
});
