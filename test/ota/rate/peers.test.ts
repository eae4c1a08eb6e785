/** What others use, as their descriptions say that it behaves; and the tables that put them beside each other. */
import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../testing/rates/candidates.ts';
import { compareAll, judgeAll } from '../../../testing/rates/comparison.ts';
import { families } from '../../../testing/rates/families.ts';
import { family } from '../../../testing/rates/family.ts';
import { atb, gradient2, netflixAimd, peers, vector } from '../../../testing/rates/peers.ts';
import { picture, pictured } from '../../../testing/rates/pictures.ts';
import { type Controller, fixedController, simulate } from '../../../testing/rates/simulator.ts';

const THROTTLED = { failure: { kind: 'throttled' } };

/** Calls that end one after the other, as many in flight as may be. @returns when the last one has ended. */
function answer(
  controller: Controller,
  calls: number,
  from: number,
  latencyMs: number,
  throttled = false,
): number {
  let now = from;
  for (let i = 0; i < calls; i++) {
    const inFlight = controller.concurrency ?? 1;
    now += latencyMs / inFlight;
    controller.observe({ startedAt: now - latencyMs, endedAt: now, ...(throttled && THROTTLED) }, inFlight);
  }
  return now;
}

test.each(peers)('$name never calls faster than its ceiling', ({ create }) => {
  const controller = create(200, { part: 100 });
  const { seconds } = simulate({
    durationMs: 60_000,
    limit: () => 1_000,
    burst: 1_000,
    latencyMs: () => 50,
    workers: [{ startMs: 0, controller }],
  });
  for (const { accepted, throttled } of seconds[0] ?? [])
    expect(accepted + throttled).toBeLessThanOrEqual(202);
});

describe('gradient2', () => {
  test('grows while answers are as fast as ever, and shrinks when they get slow', () => {
    const controller = gradient2.create(1_000);
    const now = answer(controller, 20_000, 0, 50);
    const grown = controller.concurrency ?? 0;
    expect(grown).toBeGreaterThan(40);
    answer(controller, 2_000, now, 500);
    expect(controller.concurrency).toBeLessThan(grown / 2);
  });

  test('makes nothing of drops', () => {
    const controller = gradient2.create(1_000);
    const now = answer(controller, 20_000, 0, 50);
    const grown = controller.concurrency ?? 0;
    answer(controller, 1_000, now, 50, true);
    expect(controller.concurrency).toBeGreaterThanOrEqual(grown);
  });

  test('does not grow on few calls in flight', () => {
    const controller = gradient2.create(1_000);
    for (let now = 0; now < 60_000; now += 50) controller.observe({ startedAt: now - 50, endedAt: now }, 1);
    expect(controller.concurrency).toBe(20);
  });
});

test("Netflix's AIMD adds one for a call in a full half, and takes a tenth for a drop", () => {
  const controller = netflixAimd.create(1_000);
  answer(controller, 10, 0, 50);
  expect(controller.concurrency).toBe(30);
  answer(controller, 1, 1_000, 50, true);
  expect(controller.concurrency).toBe(27);
  answer(controller, 100, 2_000, 50, true);
  expect(controller.concurrency).toBe(1);
});

describe("Vector's ARC", () => {
  test('adds one in each round trip, and takes a tenth in one with a 429', () => {
    const controller = vector.create(1_000);
    let now = 0;
    for (let trip = 0; trip < 21; trip++) {
      for (let i = 0; i < 10; i++)
        controller.observe({ startedAt: now - 64, endedAt: now }, controller.concurrency);
      now += 64;
    }
    expect(controller.concurrency).toBe(21);
    controller.observe({ startedAt: now - 64, endedAt: now, ...THROTTLED }, 21);
    expect(controller.concurrency).toBe(18);
  });

  test('takes a tenth when answers are slower than they vary', () => {
    const controller = vector.create(1_000);
    let now = answer(controller, 2_000, 0, 64);
    const before = controller.concurrency ?? 0;
    now += 64;
    controller.observe({ startedAt: now - 640, endedAt: now }, before);
    expect(controller.concurrency).toBe(Math.floor(before * 0.9));
  });
});

test('ATB climbs by half below the rate of the last 429 and by a fifth above it, and halves at a 429', () => {
  const controller = atb.create(1_000);
  expect(controller.rate).toBe(0.1);
  answer(controller, 10, 0, 50);
  const top = 0.1 * 1.5 ** 10;
  expect(controller.rate).toBeCloseTo(top, 6);
  answer(controller, 1, 1_000, 50, true);
  expect(controller.rate).toBeCloseTo(top / 2, 6);
  answer(controller, 3, 2_000, 50);
  expect(controller.rate).toBeCloseTo((top / 2) * 1.5 ** 2 * 1.2, 6);
});

describe('the tables', () => {
  const bucket = family({ group: 'bucket', name: 'a bucket', limit: 100, share: 0.97, throttled: 0.02 });
  const knows: Candidate = { name: 'knows', create: (_, { part = 0 } = {}) => fixedController(part) };
  const wild = { name: 'wild', create: (ceiling: number) => fixedController(ceiling) };
  const written = (run: (write: (text: string) => void) => void): string => {
    let text = '';
    run((part) => {
      text += part;
    });
    return text;
  };

  test('say of each family what was had, asked and passed', () => {
    const text = written((write) => judgeAll([bucket], knows, 1, write));
    expect(text).toMatch(
      /\| a bucket \| 100\.0% \| 100\.0% of 100\.0% \| at least 97\.0% \| 0\.0% \|.*\| yes \|/,
    );
    expect(text).toContain('knows: 1 of 1 passed, of those held out 0 of 0; 1 seeds');
  });

  test('put candidates beside each other', () => {
    const other = { ...bucket, name: 'another', heldOut: true };
    const text = written((write) => compareAll([bucket, other], [knows, wild], 1, write));
    expect(text).toContain('| bucket | 2/2; 100.0% / 0.0% | 0/2; 100.0% / 50.0% |');
    expect(text).toContain('| **all** | 2/2; 100.0% / 0.0% | 0/2; 100.0% / 50.0% |');
    expect(text).toContain('| of those held out | 1/1; 100.0% / 0.0% | 0/1; 100.0% / 50.0% |');
  });
});

describe('the pictures', () => {
  test('are of families that there are', () => {
    const names = new Set(families.map(({ name }) => name));
    expect([...pictured.keys()].filter((name) => !names.has(name))).toEqual([]);
  });

  test('show the rate, what was accepted, 429s and the limit, and of a fleet each worker', () => {
    const two = family({ group: 'fleet', name: 'two', limit: 100, workers: 2, share: 0.9, throttled: 0.06 });
    const names = [...picture(two, atb).matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, name]) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'calls per second',
        'seconds',
        'limit',
        'rate in force',
        'accepted',
        '429s',
        'worker 1',
        'worker 2',
      ]),
    );
    expect(picture(families[0] ?? two, atb)).not.toContain('worker 1');
  });
});
