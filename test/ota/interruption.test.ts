import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Interruption } from '../../src/ota/interruption.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Interruption', () => {
  test('lets a sleep that nobody cuts last its time', async () => {
    const interruption = new Interruption();
    const ended = vi.fn();
    void interruption.sleep(900_000).then(ended);
    await vi.advanceTimersByTimeAsync(899_999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledExactlyOnceWith(true);
  });

  test('cuts a sleep and leaves no timer behind', async () => {
    const interruption = new Interruption();
    const slept = interruption.sleep(900_000);
    interruption.request({ deferSeconds: 7 });
    expect(await slept).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
    expect(interruption.requested).toEqual({ deferSeconds: 7 });
  });

  test('does not begin a sleep after the request', async () => {
    const interruption = new Interruption();
    interruption.request({});
    expect(await interruption.sleep(900_000)).toBe(false);
    expect(await interruption.sleep(0)).toBe(false);
  });

  test('does not sleep for nothing', async () => {
    expect(await new Interruption().sleep(0)).toBe(true);
    expect(await new Interruption().sleep(-5)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('keeps to the first request', () => {
    const interruption = new Interruption();
    const wake = vi.fn();
    interruption.onRequest(wake);
    interruption.request({ deferSeconds: 1 });
    interruption.request({});
    interruption.request({ deferSeconds: 2 });
    expect(interruption.requested).toEqual({ deferSeconds: 1 });
    expect(wake).toHaveBeenCalledTimes(1);
  });

  test('wakes nobody who has left', () => {
    const interruption = new Interruption();
    const wake = vi.fn();
    interruption.onRequest(wake);
    interruption.onRequest(undefined);
    interruption.request({});
    expect(wake).not.toHaveBeenCalled();
  });

  test('forgets a sleep that is over', async () => {
    const interruption = new Interruption();
    const slept = interruption.sleep(10);
    await vi.advanceTimersByTimeAsync(10);
    expect(await slept).toBe(true);
    expect(() => interruption.request({})).not.toThrow();
  });
});
