import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LowRate } from '../../../src/ota/rate/low-rate.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(part = 100) {
  const said: [boolean, number, number][] = [];
  const setting = { part };
  const rate = new LowRate({ part: () => setting.part, onLow: (...what) => said.push(what) });
  return { rate, said, setting };
}

describe('a rate found', () => {
  test('is said to be low when it has been below half of the part for a minute, and once', () => {
    const { rate, said } = setUp();
    rate.see(49);
    vi.advanceTimersByTime(30_000);
    rate.see(38.2);
    vi.advanceTimersByTime(29_999);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual([[true, 38.2, 100]]);
    rate.see(20);
    vi.advanceTimersByTime(600_000);
    expect(said).toHaveLength(1);
    rate.see(50);
    expect(said[1]).toEqual([false, 50, 100]);
    rate.see(20);
    vi.advanceTimersByTime(60_000);
    expect(said[2]).toEqual([true, 20, 100]);
  });

  test.each([
    ['that rises again within the minute', 50],
    ['that is half of the part', 100],
  ])('%s is not low', (_, then) => {
    const { rate, said } = setUp();
    rate.see(40);
    vi.advanceTimersByTime(59_000);
    rate.see(then);
    vi.advanceTimersByTime(1_000);
    rate.see(40);
    vi.advanceTimersByTime(59_000);
    expect(said).toEqual([]);
  });

  test('is compared with the part that holds when the minute is over', () => {
    const { rate, said, setting } = setUp();
    rate.see(40);
    // More workers share the ceiling now.
    setting.part = 50;
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([]);
  });

  test('is never low without a limit, nor once it is closed', () => {
    const unlimited = setUp(Number.POSITIVE_INFINITY);
    unlimited.rate.see(1);
    const closed = setUp();
    closed.rate.see(1);
    closed.rate.close();
    vi.advanceTimersByTime(120_000);
    expect([unlimited.said, closed.said]).toEqual([[], []]);
  });
});
