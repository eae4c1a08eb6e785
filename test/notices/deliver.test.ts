import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DeliverOptions,
  deliverDue,
  deliverLast,
  deliverNotices,
  GIVE_UP_MS,
} from '../../src/notices/deliver.ts';
import type { Target, Telling } from '../../src/notices/target.ts';
import { MemoryOutbox, notice } from '../../testing/notices/outbox.ts';

const start = Date.parse(notice.at);

/** Virtual time: it passes only while somebody sleeps. */
function world(answers: readonly Telling[]) {
  let now = start;
  const asked: number[] = [];
  const troubles: string[] = [];
  const stop = new AbortController();
  const target: Target = {
    name: 'webhook',
    place: 'the webhook at x',
    tell: async () => {
      asked.push(now - start);
      return answers[asked.length - 1] ?? { ok: true };
    },
    close: () => {},
  };
  const options: DeliverOptions = {
    clock: { wall: () => now, monotonic: () => now },
    random: () => 0.5,
    sleep: async (ms) => {
      now += ms;
    },
    signal: stop.signal,
    onTrouble: (sentence) => troubles.push(sentence),
  };
  const outbox = new MemoryOutbox(() => now);
  outbox.enter(notice, ['webhook']);
  return {
    outbox,
    target,
    options,
    asked,
    troubles,
    stop,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const later: Telling = { ok: false, passing: true, why: 'it answered 503' };

describe('deliverDue', () => {
  test('tells what is due once', async () => {
    const { outbox, target, options, asked } = world([]);
    expect(await deliverDue(outbox, [target], options)).toEqual({ told: 1, nextAt: undefined });
    expect(await deliverDue(outbox, [target], options)).toEqual({ told: 0, nextAt: undefined });
    expect(asked).toEqual([0]);
  });

  test('asks for nothing that it cannot reach', async () => {
    const { outbox, target, options, asked } = world([]);
    outbox.enter({ ...notice, id: 'b' }, ['sns']);
    await deliverDue(outbox, [target], options);
    expect(asked).toHaveLength(1);
    expect(outbox.entries.map(({ state }) => state)).toEqual(['told', 'due']);
  });

  test('leaves to others what one that was killed had taken, until it is due again', async () => {
    const { outbox, target, options, asked, pass } = world([]);
    await outbox.due(['webhook'], 1, start + 12_000);
    await deliverDue(outbox, [target], options);
    expect(asked).toEqual([]);
    pass(12_000);
    await deliverDue(outbox, [target], options);
    expect(asked).toEqual([12_000]);
  });

  test('gives up what the target will never take, and says so', async () => {
    const { outbox, target, options, troubles } = world([
      { ok: false, passing: false, why: 'it answered 404' },
    ]);
    expect(await deliverDue(outbox, [target], options)).toEqual({ told: 0, nextAt: undefined });
    expect(outbox.entries[0]?.state).toBe('told');
    expect(troubles).toEqual([
      'The notice that job 2026-11-fleet is aborted could not be delivered to the webhook at x: it answered 404. It is given up',
    ]);
  });

  test('gives up after three days', async () => {
    const { outbox, target, options, troubles, pass } = world([later, later]);
    await deliverDue(outbox, [target], options);
    expect(outbox.entries[0]?.state).toBe('due');
    pass(GIVE_UP_MS + 1);
    await deliverDue(outbox, [target], options);
    expect(outbox.entries[0]?.state).toBe('told');
    expect(troubles.at(-1)).toMatch(/It is given up after three days$/);
  });

  test('waits as long as the target asks, for a quarter of an hour at most', async () => {
    const { outbox, target, options } = world([{ ...later, afterMs: 60_000 }]);
    expect(await deliverDue(outbox, [target], options)).toEqual({ told: 0, nextAt: start + 60_000 });
    const other = world([{ ...later, afterMs: 1e12 }]);
    const { nextAt } = await deliverDue(other.outbox, [other.target], other.options);
    expect(nextAt).toBe(start + 900_000);
  });

  test('says nothing of a target that it was cut off from', async () => {
    const { outbox, target, options, troubles, stop } = world([]);
    const cut: Target = {
      ...target,
      tell: async () => {
        stop.abort();
        return later;
      },
    };
    await deliverDue(outbox, [cut], options);
    expect(outbox.entries[0]).toMatchObject({ state: 'due', at: start });
    expect(troubles).toEqual([]);
  });
});

describe('deliverLast', () => {
  test('tries again after a backoff that doubles, until it is told', async () => {
    const { outbox, target, options, asked } = world([later, later, later]);
    expect(await deliverLast(outbox, [target], 30_000, options)).toBe(false);
    expect(asked).toEqual([0, 500, 1_500, 3_500]);
    expect(outbox.entries[0]?.state).toBe('told');
  });

  test('ends in time, and leaves it in the outbox', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 120_000 }), async (maxMs) => {
        const { outbox, target, options, asked } = world(Array<Telling>(100).fill(later));
        expect(await deliverLast(outbox, [target], maxMs, options)).toBe(true);
        expect(Math.max(...asked)).toBeLessThanOrEqual(maxMs);
        expect(outbox.entries[0]?.state).toBe('due');
      }),
    );
  });
});

describe('deliverNotices', () => {
  test('goes on until it is stopped, and tells what comes meanwhile', async () => {
    const { outbox, target, options, asked } = world([later]);
    const end = new AbortController();
    await deliverNotices(outbox, [target], end.signal, {
      ...options,
      sleep: async (ms, signal) => {
        await options.sleep(ms, signal);
        if (asked.length === 2) outbox.enter({ ...notice, id: 'b' }, ['webhook']);
        if (asked.length === 3) end.abort();
      },
    });
    expect(asked).toEqual([0, 1_000, 2_000]);
    expect(outbox.entries.map(({ state }) => state)).toEqual(['told', 'told']);
  });
});
