import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShareMeter } from '../../../src/ota/rate/share-meter.ts';

type Step = { readonly at: number; readonly add?: number };

/** The meter's value at the last step. */
function shown(steps: readonly Step[]): number | undefined {
  let now = 0;
  const meter = new ShareMeter(() => now);
  for (const { at, add } of steps) {
    now = at;
    if (add !== undefined) meter.add(add);
  }
  return meter.perSecond();
}

/** `add` every `everyMs`, from `from` until before `to`. */
function steadily(from: number, to: number, everyMs: number, add = 1): Step[] {
  const steps: Step[] = [];
  for (let at = from; at < to; at += everyMs) steps.push({ at, add });
  return steps;
}

describe('ShareMeter', () => {
  test.each<[string, readonly Step[], number | undefined]>([
    ['nothing before anything was held', [{ at: 5_000 }], undefined],
    ['nothing within the first second', [{ at: 5_000, add: 3 }, { at: 5_999 }], undefined],
    ['the first second, once it is over', [{ at: 5_000, add: 3 }, { at: 6_000 }], 3],
    ['what was held since the first permit', [...steadily(5_000, 15_000, 100), { at: 15_000 }], 10],
    [
      'the share since the first permit, between full seconds',
      [...steadily(5_700, 9_700, 100), { at: 9_700 }],
      10,
    ],
    ['more permits to a grant', [...steadily(0, 10_000, 50, 4), { at: 10_000 }], 80],
    ['the last half minute', [...steadily(0, 60_000, 100), { at: 59_999 }], 10],
    [
      'a change after half a minute',
      [...steadily(0, 30_000, 100), ...steadily(30_000, 60_000, 20), { at: 59_999 }],
      50,
    ],
    [
      'a change half way through',
      [...steadily(0, 15_000, 100), ...steadily(15_000, 30_000, 20), { at: 29_999 }],
      30,
    ],
    ['the silence of fifteen seconds', [...steadily(0, 30_000, 100), { at: 44_999 }], 5],
    ['the silence of a minute', [...steadily(0, 30_000, 100), { at: 90_000 }], 0],
    ['what came after a long silence', [{ at: 0, add: 900 }, { at: 600_000, add: 60 }, { at: 600_500 }], 2],
  ])('shows %s', (_, steps, expected) => {
    if (expected === undefined) expect(shown(steps)).toBeUndefined();
    else expect(shown(steps)).toBeCloseTo(expected, 0);
  });

  test('counts each permit of the last 29 seconds exactly once', () => {
    const step = fc.record({
      gapMs: fc.integer({ min: 0, max: 5_000 }),
      add: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 100 }), (steps) => {
        let at = 0;
        const timed = steps.map(({ gapMs, add }) => {
          at += gapMs;
          return { at, add };
        });
        const perSecond = shown(timed);
        const first = timed[0]?.at ?? 0;
        const seconds = Math.min(30, (at - first) / 1_000);
        if (seconds < 1) {
          expect(perSecond).toBeUndefined();
          return;
        }
        const within = (ms: number): number =>
          timed.filter((one) => one.at > at - ms).reduce((sum, one) => sum + one.add, 0);
        expect((perSecond ?? Number.NaN) * seconds).toBeGreaterThanOrEqual(within(29_000) - 1e-6);
        expect((perSecond ?? Number.NaN) * seconds).toBeLessThanOrEqual(within(30_001) + 1e-6);
      }),
    );
  });
});
