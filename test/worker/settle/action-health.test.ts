import { expect, onTestFinished, test, vi } from 'vitest';
import type { BatchFailure } from '../../../src/queue/types.ts';
import { Conditions } from '../../../src/worker/conditions.ts';
import { ActionHealth } from '../../../src/worker/settle/action-health.ts';

const fault = (name: string, status: number): Error =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: status } });
const passing = fault('InternalFailure', 500);
const denied = fault('AccessDenied', 403);

function setUp() {
  vi.useFakeTimers();
  const ended = new AbortController();
  onTestFinished(() => {
    ended.abort();
    vi.useRealTimers();
  });
  const state: { busy: boolean; answer: Error | undefined; probes: number } = {
    busy: false,
    answer: denied,
    probes: 0,
  };
  const changes: boolean[] = [];
  const health = new ActionHealth({
    conditions: new Conditions({
      clock: { wall: () => 0, monotonic: () => 0 },
      emit: ({ raised }) => changes.push(raised),
    }),
    condition: 'deleting',
    busy: () => state.busy,
    probe: async () => {
      state.probes++;
      if (state.answer !== undefined) throw state.answer;
    },
    random: () => 0.5,
    ended: ended.signal,
  });
  return { health, state, changes, ended };
}

test.each<[string, Error | BatchFailure]>([
  ['a fault that passes', passing],
  [
    'a batch of which nothing was taken',
    { key: 'r', senderFault: false, code: 'InternalError', message: '' },
  ],
])('%s is a condition when it comes twice in a row', (_, error) => {
  const { health, changes } = setUp();
  health.failed(error);
  health.carriedOut();
  health.failed(error);
  expect(health.failing).toBe(false);
  health.failed(error);
  health.failed(error);
  expect(health.failing).toBe(true);
  health.carriedOut();
  expect(changes).toEqual([true, false]);
});

test('a refusal that does not pass by itself is a condition at once', () => {
  const { health } = setUp();
  health.failed(denied);
  expect(health.failing).toBe(true);
});

test('with nothing left to ask for, it finds out by itself when SQS carries requests out again', async () => {
  const { health, state, changes } = setUp();
  health.failed(denied);
  await vi.advanceTimersByTimeAsync(120_000);
  // Half of 1, 2, 4, 8, 16, 30, 30, ... seconds.
  expect(state.probes).toBe(11);
  state.answer = undefined;
  await vi.advanceTimersByTimeAsync(15_000);
  expect([state.probes, changes]).toEqual([12, [true, false]]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.probes).toBe(12);
});

test('while messages are there to ask for, and after the end, it asks for nothing else', async () => {
  const { health, state, ended } = setUp();
  state.busy = true;
  health.failed(denied);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.probes).toBe(0);
  state.busy = false;
  ended.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.probes).toBe(0);
});
