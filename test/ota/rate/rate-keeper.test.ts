import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RememberedRate } from '../../../src/ota/rate/memory.ts';
import { RateKeeper } from '../../../src/ota/rate/rate-keeper.ts';

function make(begunAt?: number) {
  const saved: (RememberedRate | undefined)[] = [];
  const faults: unknown[] = [];
  const rate = { rate: begunAt ?? 1_000, foundAt: begunAt === undefined ? undefined : 0 };
  const memory = {
    save: vi.fn(async (each: RememberedRate | undefined) => void saved.push(each)),
    load: async () => undefined,
  };
  let now = 0;
  const keeper = new RateKeeper({
    memory,
    rate,
    begunAt,
    now: () => ++now,
    onFault: (error) => faults.push(error),
  });
  const find = (perSecond: number): void => {
    Object.assign(rate, { rate: perSecond, foundAt: 1 });
  };
  const lose = (ceiling: number): void => {
    Object.assign(rate, { rate: ceiling, foundAt: undefined });
  };
  return { keeper, memory, saved, faults, find, lose };
}

test('keeps nothing while nothing is found, and what is found once for each change', async () => {
  const { keeper, saved, find } = make();
  await keeper.look();
  find(200);
  await keeper.look();
  await keeper.look();
  find(210);
  await keeper.look();
  expect(saved).toEqual([
    { perSecond: 200, at: 1 },
    { perSecond: 210, at: 2 },
  ]);
});

test('does not keep the rate of a careful start, which was not found', async () => {
  const { keeper, saved, find } = make(170);
  await keeper.look();
  expect(saved).toEqual([]);
  find(172);
  await keeper.look();
  expect(saved).toEqual([{ perSecond: 172, at: 1 }]);
});

test('forgets a rate when calls have come to the ceiling above it, and not when the ceiling was lowered below it', async () => {
  const { keeper, saved, find, lose } = make();
  find(200);
  await keeper.look();
  lose(100);
  await keeper.look();
  expect(saved).toHaveLength(1);
  lose(1_000);
  await keeper.look();
  expect(saved.slice(1)).toEqual([undefined]);
});

test('tells once that it cannot, and goes on trying', async () => {
  const { keeper, memory, saved, faults, find } = make();
  memory.save.mockRejectedValueOnce(new Error('full')).mockRejectedValueOnce(new Error('full'));
  find(200);
  await keeper.look();
  await keeper.look();
  await keeper.look();
  expect(faults).toEqual([new Error('full')]);
  expect(saved).toEqual([{ perSecond: 200, at: 3 }]);
});

describe('in time', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('looks every ten seconds, and a last time at the end', async () => {
    const { keeper, saved, find } = make();
    keeper.start();
    find(200);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(saved).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(saved).toHaveLength(1);
    find(210);
    keeper.stop();
    keeper.stop();
    await keeper.close();
    expect(saved).toEqual([
      { perSecond: 200, at: 1 },
      { perSecond: 210, at: 2 },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not wait for ever for a disk that does not answer, and gives it one thing to do at a time', async () => {
    const { keeper, memory, find } = make();
    memory.save.mockReturnValue(new Promise(() => {}));
    keeper.start();
    find(200);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(memory.save).toHaveBeenCalledTimes(1);
    let closed = false;
    void keeper.close().then(() => {
      closed = true;
    });
    await vi.advanceTimersByTimeAsync(200);
    expect(closed).toBe(true);
  });

  test('one that was never started keeps nothing', async () => {
    const { keeper, saved, find } = make();
    find(200);
    await keeper.close();
    expect(saved).toEqual([]);
  });
});
