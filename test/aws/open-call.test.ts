import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DeadlineError, type OpenCall, OpenCalls } from '../../src/aws/open-call.ts';

const never = (): Promise<never> => new Promise(() => undefined);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a call under way', () => {
  test('ends with what the request answers, and leaves no timer', async () => {
    const calls = new OpenCalls();
    expect(await calls.run(1_000, new AbortController().signal, async () => 'answer')).toBe('answer');
    await expect(
      calls.run(1_000, new AbortController().signal, () => Promise.reject(new TypeError('broken'))),
    ).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([{}, { clockSkewCorrected: true }])(
    'ends also with an error whose name is no text: %o',
    async ($metadata) => {
      const error = Object.assign(new Error('x'), { name: ['a'], $metadata });
      await expect(
        new OpenCalls().run(1_000, undefined, () => Promise.reject(Object.assign(error, { sent: true }))),
      ).rejects.toBe(error);
    },
  );

  test('ends when its time is up, and ends the request and the body of its answer', async () => {
    const calls = new OpenCalls();
    const listener = vi.fn();
    const body = { destroy: vi.fn() };
    const running = calls.run(1_000, new AbortController().signal, (call) => {
      call.addEventListener('abort', listener);
      call.sent = true;
      call.body = body;
      return never();
    });
    const refused = expect(running).rejects.toThrow(DeadlineError);
    await vi.advanceTimersByTimeAsync(999);
    expect(listener).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await refused;
    expect(listener).toHaveBeenCalledOnce();
    expect(body.destroy).toHaveBeenCalledOnce();
  });

  test('ends at once when the signal aborts, with all the others', async () => {
    const calls = new OpenCalls();
    const controller = new AbortController();
    const open: OpenCall[] = [];
    const running = [1, 2, 3].map(() =>
      calls.run(1_000, controller.signal, (call) => {
        open.push(call);
        return never();
      }),
    );
    const refused = Promise.all(
      running.map((each) => expect(each).rejects.toMatchObject({ name: 'AbortError' })),
    );
    controller.abort();
    await refused;
    expect(open.every(({ aborted, reason }) => aborted && reason?.name === 'AbortError')).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not begun when the signal has aborted', async () => {
    const request = vi.fn(never);
    await expect(new OpenCalls().run(1_000, AbortSignal.abort(), request)).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(request).not.toHaveBeenCalled();
  });

  test('adds one listener to a signal, however many calls there are', async () => {
    const calls = new OpenCalls();
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) await calls.run(1_000, signal, async () => i);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  });
});
