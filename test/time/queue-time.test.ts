import { describe, expect, test } from 'vitest';
import { QueueTime } from '../../src/time/queue-time.ts';

const DAY = 86_400_000;
/** SQS's time when a test begins. */
const NOON = Date.parse('2026-11-23T12:00:00Z');

/** `own`: how far this machine's clock is ahead of SQS's. */
function setUp(own = 0) {
  const time = { wall: NOON + own, monotonic: 5_000 };
  const queueTime = new QueueTime({ wall: () => time.wall, monotonic: () => time.monotonic });
  const pass = (ms: number): void => {
    time.wall += ms;
    time.monotonic += ms;
  };
  return { queueTime, time, pass };
}

describe('now', () => {
  // How far each clock is ahead of the right time; undefined: it says nothing.
  test.each<[string, number, number | undefined, number | undefined, number]>([
    ['all agree', 0, 0, 0, 0],
    ["this machine's clock is ahead", 3.7 * DAY, 0, -DAY, 0],
    ["this machine's clock is behind", -3.7 * DAY, 0, 0, 0],
    ["this machine's clock is behind, the stamps are old", -3.7 * DAY, 0, -DAY, -DAY],
    ['a proxy dates the answers, ahead', 0, 400 * DAY, -DAY, 0],
    ['a proxy dates the answers, behind', 0, -400 * DAY, 0, 0],
    ['a stamp is absurd', 0, 0, 1e15, 0],
    ['nothing is stamped yet, one is ahead', 3.7 * DAY, 0, undefined, 0],
    ['nothing is stamped yet, one is behind', -3.7 * DAY, 0, undefined, -3.7 * DAY],
    ['answers have no date', 3.7 * DAY, undefined, 0, 3.7 * DAY],
  ])('when %s', (_, own, answered, stamped, expected) => {
    const { queueTime, pass } = setUp(own);
    if (answered !== undefined) queueTime.answered(NOON + answered);
    if (stamped !== undefined) queueTime.stamped(NOON + stamped);
    expect(queueTime.now() - NOON).toBe(expected);
    // All go on at the same pace.
    pass(60_000);
    expect(queueTime.now() - NOON).toBe(expected + 60_000);
  });

  test("goes on by monotonic time when this machine's clock is stepped", () => {
    const { queueTime, time, pass } = setUp();
    queueTime.answered(NOON);
    queueTime.stamped(NOON);
    for (const step of [3.7 * DAY, -7 * DAY]) {
      time.wall += step;
      pass(1_000);
    }
    expect(queueTime.now() - NOON).toBe(2_000);
  });

  test('an older stamp, and one that is no number, do not count', () => {
    const { queueTime } = setUp(-DAY);
    queueTime.answered(NOON);
    for (const stamp of [NOON - 1_000, NOON - 2_000, Number.NaN]) queueTime.stamped(stamp);
    expect(queueTime.now() - NOON).toBe(-1_000);
  });
});

test('latest is the later of the clocks', () => {
  const { queueTime } = setUp(-3_600_000);
  expect(queueTime.latest() - NOON).toBe(-3_600_000);
  queueTime.answered(NOON);
  expect(queueTime.latest() - NOON).toBe(0);
});

describe('elapsed, for leases', () => {
  test('counts what SQS says has passed while the machine was suspended', () => {
    const { queueTime, time, pass } = setUp();
    queueTime.answered(NOON);
    pass(10_000);
    const before = queueTime.elapsed();
    expect(queueTime.doubtful).toBe(false);
    time.wall += 3_600_000;
    expect(queueTime.doubtful).toBe(true);
    queueTime.answered(NOON + 10_000 + 3_600_000);
    expect([queueTime.doubtful, queueTime.elapsed() - before]).toEqual([false, 3_600_000]);
  });

  test('also where the own clock stood still too, as in a machine that was paused from outside', () => {
    const { queueTime } = setUp();
    queueTime.answered(NOON);
    const before = queueTime.elapsed();
    queueTime.answered(NOON + 3_600_000);
    expect(queueTime.elapsed() - before).toBe(3_600_000);
  });

  test("does not count a step of this machine's clock, which is in doubt until SQS has answered", () => {
    const { queueTime, time } = setUp();
    queueTime.answered(NOON);
    const before = queueTime.elapsed();
    time.wall += 3_600_000;
    expect([queueTime.doubtful, queueTime.elapsed() - before]).toEqual([true, 0]);
    queueTime.answered(NOON);
    time.wall -= 7_200_000;
    expect([queueTime.doubtful, queueTime.elapsed() - before]).toEqual([false, 0]);
  });

  test('counts answers once that are dated by clocks which do not agree', () => {
    const { queueTime, pass } = setUp();
    queueTime.answered(NOON);
    const before = queueTime.elapsed();
    for (let i = 1; i <= 10; i++) {
      pass(1_000);
      queueTime.answered(NOON + i * 1_000 + (i % 2) * 60_000);
    }
    expect(queueTime.elapsed() - before).toBe(10_000 + 60_000);
  });

  test('wants the time of an answer when the latest is 5 s old, or in doubt', () => {
    const { queueTime, time, pass } = setUp();
    const wanted = [queueTime.wantsTime];
    queueTime.answered(NOON);
    wanted.push(queueTime.wantsTime);
    pass(5_000);
    wanted.push(queueTime.wantsTime);
    queueTime.answered(NOON + 5_000);
    time.wall += 3_600_000;
    wanted.push(queueTime.wantsTime);
    expect(wanted).toEqual([true, false, true, true]);
  });

  test('follows a slow drift without counting it', () => {
    const { queueTime, pass } = setUp();
    queueTime.answered(NOON);
    const before = queueTime.elapsed();
    for (let i = 1; i <= 20; i++) {
      pass(1_000);
      queueTime.answered(NOON + i * 2_000);
    }
    expect(queueTime.elapsed() - before).toBe(20_000);
  });
});
