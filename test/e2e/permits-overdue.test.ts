/** Permits that are wanted and do not come: the worker says so, and goes on when they do. */
import { afterEach, expect, test } from 'vitest';
import { readiness } from '../../src/observe/health.ts';
import { LocalRateLimiter } from '../../src/ota/rate/limiter.ts';
import { fastTimings, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

/** A limiter that a grant waits in for as long as it is told to. */
class HeldLimiter extends LocalRateLimiter {
  #hold: Promise<void> = Promise.resolve();

  hold(): { readonly letGo: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hold = promise;
    return { letGo: resolve };
  }

  override async grant(): Promise<number> {
    await this.#hold;
    return super.grant();
  }
}

test('no permit comes: a condition, and not ready, until one does', async () => {
  const limiter = new HeldLimiter(100);
  const { letGo } = limiter.hold();
  stage = await setStage({
    env: { RATE_LIMIT: '100' },
    limiter: () => limiter,
    timings: { ...fastTimings, permitOverdueMs: 50 },
  });
  await stage.sendUpdates(2);
  await stage.worker.start();
  await stage.until(() => stage.hasCondition('pacing'));
  expect(readiness(stage.worker.snapshot())).toMatchObject({
    ok: false,
    reasons: [expect.stringContaining('permits to call are overdue')],
  });
  letGo();
  await stage.ended(2);
  expect(stage.hasCondition('pacing')).toBe(false);
  // Raised and cleared in turn: a machine that stands still for 50 ms raises it again.
  const changes = stage.events.flatMap((event) =>
    event.type === 'condition' && event.condition === 'pacing' ? event.raised : [],
  );
  expect(changes).toEqual(changes.map((_, i) => i % 2 === 0));
  expect(changes.at(-1)).toBe(false);
});

test('a limiter that fails is a condition with its error', async () => {
  let broken = true;
  class BrokenLimiter extends LocalRateLimiter {
    override grant(): Promise<number> {
      return broken ? Promise.reject(new RangeError('no permits')) : super.grant();
    }
  }
  stage = await setStage({
    env: { RATE_LIMIT: '100' },
    limiter: (perSecond) => new BrokenLimiter(perSecond),
  });
  await stage.sendUpdates(1);
  await stage.worker.start();
  await stage.until(() => stage.hasCondition('pacing'));
  const { reasons } = readiness(stage.worker.snapshot());
  expect(reasons.join()).toContain('RangeError');
  broken = false;
  await stage.ended(1);
  expect(stage.hasCondition('pacing')).toBe(false);
});
