import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Batcher } from '../../src/worker/batcher.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(size = 3, lingerMs = 1_000) {
  const batches: number[][] = [];
  const batcher = new Batcher<number>({ size, lingerMs, onBatch: (items) => batches.push(items) });
  const add = (...items: number[]) => {
    for (const item of items) batcher.add(item);
  };
  return { batcher, batches, add };
}

describe('Batcher', () => {
  test('hands on a full batch at once and starts the next', () => {
    const { batcher, batches, add } = setUp();
    add(1, 2, 3, 4);
    expect(batches).toEqual([[1, 2, 3]]);
    expect(batcher.size).toBe(1);
  });

  test('hands on what there is when the first of it has waited long enough', () => {
    const { batches, add } = setUp();
    add(1);
    vi.advanceTimersByTime(600);
    add(2);
    vi.advanceTimersByTime(399);
    expect(batches).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([[1, 2]]);
  });

  test('gives a new batch its own time to wait', () => {
    const { batches, add } = setUp();
    add(1);
    vi.advanceTimersByTime(900);
    add(2, 3, 4);
    vi.advanceTimersByTime(999);
    expect(batches).toEqual([[1, 2, 3]]);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });

  test('hands on at once when told, and leaves no timer behind', () => {
    const { batcher, batches, add } = setUp();
    add(1, 2);
    batcher.flush();
    expect(batches).toEqual([[1, 2]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('hands on nothing when there is nothing', () => {
    const { batcher, batches, add } = setUp();
    batcher.flush();
    add(1, 2, 3);
    batcher.flush();
    vi.advanceTimersByTime(5_000);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  test('takes items that come while a batch is handed on', () => {
    const batches: number[][] = [];
    const batcher: Batcher<number> = new Batcher<number>({
      size: 1,
      lingerMs: 1_000,
      onBatch: (items) => {
        batches.push(items);
        if (items[0] === 1) batcher.add(2);
      },
    });
    batcher.add(1);
    expect(batches).toEqual([[1], [2]]);
  });

  test('loses nothing, repeats nothing and keeps the order', () => {
    const step = fc.oneof(
      fc.constant('add' as const),
      fc.constant('flush' as const),
      fc.integer({ min: 1, max: 1_500 }),
    );
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 10 }), (steps, size) => {
        const { batcher, batches } = setUp(size);
        let added = 0;
        for (const now of steps) {
          if (now === 'add') batcher.add(added++);
          else if (now === 'flush') batcher.flush();
          else vi.advanceTimersByTime(now);
        }
        batcher.flush();
        expect(batches.flat()).toEqual(Array.from({ length: added }, (_, i) => i));
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(size);
        }
      }),
    );
  });
});
