import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Failure, FailureKind } from '../../src/message/failure.ts';
import { Hold, type HoldChange } from '../../src/ota/hold.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const throttledFor = (headers: Pick<Failure, 'retryAfterMs' | 'awsRetryAfterMs'>): Failure => ({
  kind: 'throttled',
  name: 'ThrottlingException',
  message: 'Rate exceeded',
  status: 429,
  ...headers,
});
const forSeconds = (seconds: number): Failure => throttledFor({ retryAfterMs: seconds * 1_000 });

function setUp() {
  const changes: HoldChange[] = [];
  const hold = new Hold({ now: Date.now, onChange: (change) => changes.push(change) });
  let made = 0;
  /** Calls that begin and end now, one after the other, each for another Identifier. */
  const calls = (...failures: (Failure | undefined)[]): void => {
    for (const failure of failures) {
      const call = hold.begin(`task${made++}`, Date.now());
      hold.ended(call, failure ?? 'accepted');
      vi.advanceTimersByTime(1);
    }
  };
  return { hold, changes, calls };
}

test('is told when it begins and when it ends, once each, however often it is extended', () => {
  const { hold, changes, calls } = setUp();
  const from = Date.now() + 2;
  calls(forSeconds(1), forSeconds(1), forSeconds(1));
  expect(changes).toEqual([{ held: true, forMs: 1_000, failure: forSeconds(1) }]);
  vi.advanceTimersByTime(499);
  calls(forSeconds(2));
  expect(hold.span).toEqual({ since: from, until: from + 2_500 });
  vi.advanceTimersByTime(1_998);
  expect([hold.held, changes.length]).toEqual([true, 1]);
  vi.advanceTimersByTime(1);
  expect([hold.held, hold.span]).toEqual([false, undefined]);
  expect(changes.slice(1)).toEqual([{ held: false, from, to: from + 2_500, because: 'time' }]);
  expect(vi.getTimerCount()).toBe(0);
});

test('ends with the answer to an accepted call that began after it was asked for', () => {
  const { hold, changes, calls } = setUp();
  calls(forSeconds(9), forSeconds(9), forSeconds(9), undefined);
  expect(hold.held).toBe(false);
  expect(changes).toMatchObject([{ held: true }, { held: false, because: 'accepted' }]);
  expect(vi.getTimerCount()).toBe(0);
});

test.each<[string, Failure, number]>([
  ['by Retry-After', throttledFor({ retryAfterMs: 30_000 }), 30_000],
  ['by Retry-After, for a minute at most', throttledFor({ retryAfterMs: 600_000 }), 60_000],
  [
    'by x-amz-retry-after, as far as AWS lets it be followed',
    throttledFor({ awsRetryAfterMs: 60_000 }),
    5_000,
  ],
  [
    'by x-amz-retry-after alone where both are there',
    throttledFor({ awsRetryAfterMs: 300, retryAfterMs: 9_000 }),
    300,
  ],
])('is asked for %s', (_, failure, forMs) => {
  const { changes, calls } = setUp();
  calls(failure, failure, failure);
  expect(changes).toEqual([{ held: true, forMs, failure }]);
});

test('is not asked for by throttled calls that name no time', () => {
  const { changes, calls } = setUp();
  const unnamed = [throttledFor({}), throttledFor({ retryAfterMs: 0 }), throttledFor({ awsRetryAfterMs: 0 })];
  calls(...unnamed, ...unnamed);
  expect(changes).toEqual([]);
});

const across = (kind: FailureKind): boolean => {
  const { hold, calls } = setUp();
  const other: Failure = { kind, name: 'Any', message: 'any' };
  calls(forSeconds(9), forSeconds(9), other, forSeconds(9));
  const { held } = hold;
  hold.close();
  return held;
};

test.each<FailureKind>(['rejected', 'conflict'])(
  'is not asked for where a call between was let through and ended as %s',
  (kind) => {
    expect(across(kind)).toBe(false);
  },
);

test.each<FailureKind>([
  ...(['throttled', 'unreachable', 'retryable', 'denied', 'misconfigured', 'unidentified'] as const),
  'internal',
])('is asked for all the same where a call between ended as %s', (kind) => {
  expect(across(kind)).toBe(true);
});

test('is not asked for while a call that began in between is not answered; it may be accepted', () => {
  const { hold, changes, calls } = setUp();
  calls(forSeconds(9));
  const open = hold.begin('open', Date.now());
  vi.advanceTimersByTime(1);
  calls(forSeconds(9), forSeconds(9));
  expect(hold.held).toBe(false);
  hold.ended(open, forSeconds(9));
  expect(hold.held).toBe(true);
  hold.ended(open, 'accepted');
  expect(changes).toHaveLength(1);
});

test('is asked for where a call in between was not answered at all', () => {
  const { hold, calls } = setUp();
  calls(forSeconds(9));
  hold.ended(hold.begin('open', Date.now()), 'unanswered');
  calls(forSeconds(9), forSeconds(9));
  expect(hold.held).toBe(true);
  hold.close();
});

test('is over, without a word, when it is closed, and no other begins', () => {
  const { hold, changes, calls } = setUp();
  calls(forSeconds(9), forSeconds(9), forSeconds(9));
  hold.close();
  calls(forSeconds(9), forSeconds(9), forSeconds(9));
  expect([hold.held, changes.length, vi.getTimerCount()]).toEqual([false, 1, 0]);
});
