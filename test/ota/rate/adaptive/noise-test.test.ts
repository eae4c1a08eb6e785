import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastDipTime } from '../../../../src/ota/rate/adaptive/dip-schedule.ts';
import { NoiseTest } from '../../../../src/ota/rate/adaptive/noise-test.ts';
import { defaultTuning, fleetTuning, type NoiseTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';

const tuning = defaultTuning.noise;
/** The mean time between two dips of a worker that is no longer young, in seconds. */
const APART = tuning.slotsPerDip * tuning.slot;

/** How the API throttles calls that come at a rate, as a share. */
type Api = (perSecond: number) => number;

/** A share of the calls, whatever the rate. */
const noise =
  (share: number): Api =>
  () =>
    share;
/** What is above the limit. */
const limit =
  (perSecond: number): Api =>
  (rate) =>
    Math.max(0, 1 - perSecond / rate);

interface Settings extends Partial<NoiseTuning> {
  readonly wallAheadMs?: number | (() => number);
}

/** A test of noise, and calls without duration, in even steps. */
function setUp({ wallAheadMs = 0, ...changed }: Settings = {}) {
  const ahead = typeof wallAheadMs === 'number' ? () => wallAheadMs : wallAheadMs;
  const subject = new NoiseTest({ ...tuning, ...changed }, ahead);
  const dips: { from: number; to: number; depth: number }[] = [];
  const backs: number[] = [];
  let now = 1_000;
  let owed = 0;
  const look = (rate: number, calm: boolean): void => {
    const before = subject.factor;
    const back = subject.advance(now, rate, calm);
    if (back !== undefined) backs.push(back);
    const last = dips.at(-1);
    if (before === 1 && subject.factor < 1) dips.push({ from: now, to: now, depth: 1 - subject.factor });
    else if (before < 1 && subject.factor === 1 && last !== undefined) last.to = now;
  };
  return {
    subject,
    dips,
    backs,
    now: () => now,
    pass: (ms: number) => {
      now += ms;
    },
    look,
    call: (seconds: number, rate: number, api: Api, calm = true) => {
      for (const end = now + 1_000 * seconds; now < end; ) {
        const paced = rate * subject.factor;
        now += 1_000 / paced;
        owed += api(paced);
        const throttled = owed >= 1;
        if (throttled) owed--;
        subject.observe({ startedAt: now, endedAt: now }, throttled);
        look(rate, calm);
      }
    },
  };
}

describe('dips', () => {
  test('begin at the times of the schedule, at first often and later less often', () => {
    const { dips, call } = setUp({ wallAheadMs: 123 });
    call(tuning.young + 6 * APART, 100, noise(0));
    const wall = dips.map(({ from }) => from + 123);
    const early = wall.filter((at) => at < 1_000 * tuning.young);
    const late = wall.filter((at) => at > 1_000 * (tuning.young + tuning.slot));
    expect(early.length).toBeGreaterThanOrEqual(Math.floor(tuning.young / tuning.slot) - 1);
    for (const at of early) expect(at - lastDipTime(at, true, tuning)).toBeLessThan(50);
    expect(late.length).toBeGreaterThanOrEqual(4);
    for (const at of late) expect(at - lastDipTime(at, false, tuning)).toBeLessThan(50);
  });

  test.each([90_123_456, -90_123_456])('follow a wall clock that is set by %d ms meanwhile', (set) => {
    let ahead = 0;
    const { dips, call } = setUp({ wallAheadMs: () => ahead });
    call(tuning.young + APART, 100, noise(0));
    const before = dips.length;
    ahead = set;
    call(4 * APART, 100, noise(0));
    const after = dips.slice(before).map(({ from }) => from + set);
    expect(after.length).toBeGreaterThanOrEqual(2);
    for (const at of after) expect(at - lastDipTime(at, false, tuning)).toBeLessThan(500);
  });

  test('are made together by workers whose monotonic clocks differ', () => {
    const one = setUp();
    const other = setUp({ wallAheadMs: 777_000 });
    one.pass(777_000);
    for (const { call } of [one, other]) call(tuning.young, 100, noise(0));
    expect(one.dips.length).toBeGreaterThan(0);
    expect(other.dips).toHaveLength(one.dips.length);
    // Within two calls.
    for (const [i, { from }] of other.dips.entries())
      expect(Math.abs(from + 777_000 - (one.dips[i]?.from ?? 0))).toBeLessThan(25);
  });

  test.each([1_000, 12])('last as long as the tuning says at %d calls a second', (rate) => {
    const { dips, call } = setUp();
    call(tuning.young, rate, noise(0));
    const over = dips.filter(({ from, to }) => to > from);
    expect(over.length).toBeGreaterThan(1);
    // To the end of the next call.
    for (const { from, to } of over)
      expect(Math.abs((to - from) / 1_000 - tuning.length)).toBeLessThan(2 / rate);
  });

  test('take off the least part where nothing is throttled, more where much is, up to the deepest', () => {
    const depth = (share: number): number => {
      const { dips, call } = setUp();
      call(tuning.young, 1_000, noise(share));
      return dips[1]?.depth ?? Number.NaN;
    };
    expect(depth(0)).toBeCloseTo(tuning.depth, 9);
    const share = (tuning.depth + tuning.deepest) / 2 / tuning.depthPerShare;
    expect(depth(share)).toBeCloseTo((tuning.depth + tuning.deepest) / 2, 2);
    expect(depth(0.9)).toBeCloseTo(tuning.deepest, 9);
  });

  test('are left out when their time is missed', () => {
    const { dips, call, pass, now, look } = setUp();
    call(0.5, 100, noise(0));
    const before = lastDipTime(now(), true, tuning);
    while (lastDipTime(now(), true, tuning) === before) pass(10);
    pass(600);
    look(100, true);
    call(1, 100, noise(0));
    expect(dips).toEqual([]);
  });

  test('are not made where noise is not tested', () => {
    const { dips, call } = setUp({ tested: false });
    call(tuning.young, 100, noise(0.05));
    expect(dips).toEqual([]);
  });

  test('are ended by what makes them say nothing', () => {
    const { subject, dips, call } = setUp();
    while (subject.factor === 1) call(0.1, 100, noise(0));
    expect(dips).toHaveLength(1);
    subject.abort();
    expect(subject.factor).toBe(1);
  });
});

describe('noise', () => {
  test.each([0.02, 0.05, 0.1])(
    'of %d is learnt, and less of it than there is, because it may have been chance',
    (share) => {
      const { subject, backs, call } = setUp();
      call(tuning.young + 10 * APART, 200, noise(share));
      expect(subject.share).toBeGreaterThan(share / 2);
      expect(subject.share).toBeLessThan(0.95 * share);
      expect(backs.length).toBeGreaterThan(0);
    },
  );

  test.each([
    ['from several dips where one has too few calls', tuning.continued, true],
    ['from none of them if they are too far apart', 0, false],
  ])('is learnt %s', (_, continued, learnt) => {
    const { subject, call } = setUp({ continued });
    call(tuning.young + 10 * APART, 9, noise(0.1));
    expect(subject.share > 0).toBe(learnt);
  });

  test('newly learnt gives back a part of the highest rate lately', () => {
    const { subject, backs, call } = setUp();
    call(2, 300, noise(0.05));
    while (subject.share === 0) call(1, 200, noise(0.05));
    expect(backs).toHaveLength(1);
    expect(backs[0]).toBeCloseTo(tuning.back * 300, 9);
  });

  test.each<[what: string, seconds: number, calm: boolean]>([
    ['long ago', 100, true],
    ['while something else throttled calls', 0, false],
  ])('gives back nothing of a rate that was higher %s', (_, seconds, calm) => {
    const { subject, backs, call } = setUp();
    call(2, 300, noise(0), calm);
    call(seconds, 200, noise(0));
    while (subject.share === 0) call(1, 200, noise(0.05));
    expect(backs[0]).toBeCloseTo(tuning.back * 200, 9);
  });

  test('is followed when there is more of it, however long it was less', () => {
    const { subject, call } = setUp();
    call(2_000, 200, noise(0.02));
    call(300, 200, noise(0.08));
    expect(subject.share).toBeGreaterThan(0.05);
  });

  test('of a rate that was lately cut deep gives back nothing of the rate before', () => {
    const { subject, backs, call } = setUp();
    call(2, 300, noise(0.05));
    subject.abort();
    subject.limitFell();
    while (subject.share === 0) call(1, 200, noise(0.05));
    expect(backs[0]).toBeCloseTo(tuning.back * 200, 9);
  });

  test('is told the highest rate of the last minute, which a failed attempt does not change, but a fall of the limit', () => {
    const { subject, call } = setUp();
    call(2, 300, noise(0));
    call(1, 200, noise(0));
    expect(subject.highest).toBe(300);
    subject.abort();
    call(1, 200, noise(0));
    expect(subject.highest).toBe(300);
    subject.limitFell();
    expect(subject.highest).toBe(0);
    call(1, 200, noise(0));
    expect(subject.highest).toBe(200);
    call(70, 100, noise(0));
    expect(subject.highest).toBe(100);
  });

  test('is told the highest rate since longer where more is throttled than at a limit', () => {
    const { subject, call } = setUp();
    call(2, 300, noise(2 * tuning.ordinary));
    call(200, 100, noise(2 * tuning.ordinary));
    expect(subject.highest).toBe(300);
    call(70, 100, noise(tuning.ordinary / 2));
    expect(subject.highest).toBe(100);
  });

  test('is not told the highest rate any more when dips show that the limit has fallen', () => {
    const { subject, call } = setUp();
    call(30, 40, noise(0));
    call(300, 10, limit(9.2));
    expect(subject.share).toBe(0);
    expect(subject.highest).toBe(10);
  });

  test('is not told the highest rate any more when dips with too few calls show a limit', () => {
    const { subject, call } = setUp();
    call(20, 20, noise(2 * tuning.ordinary));
    call(860, 2, limit(1.72));
    expect(subject.highest).toBe(2);
  });

  test('is not told the highest rate of more than a quarter of an hour ago', () => {
    const { subject, call } = setUp();
    call(60, 4, noise(2 * tuning.ordinary));
    call(780, 0.4, noise(2 * tuning.ordinary));
    expect(subject.highest).toBe(4);
    call(120, 0.4, noise(2 * tuning.ordinary));
    expect(subject.highest).toBe(0.4);
  });

  test('is told the highest rate among noise, whatever dips have shown before', () => {
    const { subject, call } = setUp();
    call(30, 40, noise(0));
    call(100, 36, limit(33));
    subject.limitFell();
    call(2, 400, noise(2 * tuning.ordinary));
    call(400, 100, noise(2 * tuning.ordinary));
    expect(subject.highest).toBe(400);
  });

  test('is not what throttles more calls than noise can, until the limit has fallen', () => {
    const { subject, call } = setUp();
    call(20, 100, noise(0.8 * tuning.most));
    expect(subject.isTooMuch).toBe(false);
    call(20, 100, noise(1.2 * tuning.most));
    expect(subject.isTooMuch).toBe(true);
    subject.limitFell();
    expect(subject.isTooMuch).toBe(false);
  });

  test('is more than one throttled call in one dip', () => {
    const { subject, dips, call } = setUp();
    const onceInADip: Api = () => 0;
    call(tuning.young, 200, onceInADip);
    const before = dips.length;
    while (dips.length === before || subject.factor === 1) call(0.1, 200, onceInADip);
    call(tuning.settling + 0.1, 200, onceInADip);
    call(0.01, 200, () => 1);
    call(2 * tuning.length, 200, onceInADip);
    expect(subject.share).toBe(0);
  });

  test.each<[what: string, rate: number, api: Api, calm?: boolean]>([
    ['what a limit throttles', 102, limit(100)],
    ['what a limit throttles of many workers at a high rate', 5_100, limit(5_000)],
    ['more than the most', 1_000, noise(2 * tuning.most)],
    ['what a limit throttles that is below the deepest dip', 200, limit(130)],
    ['what is throttled after something else', 200, noise(0.05), false],
    ['a share of few calls', 2, noise(0.1)],
    ['what is throttled as much below as above, because the limit is far below', 200, limit(40)],
  ])('is not: %s', (_, rate, api, calm) => {
    const { subject, backs, call } = setUp();
    call(tuning.young + 10 * APART, rate, api, calm);
    expect(subject.share).toBe(0);
    expect(backs).toEqual([]);
  });

  test.each([0.9, 0.8, 0.7])(
    'is not: what a limit throttles that falls to %d of itself at the begin of each dip',
    (part) => {
      const { subject, backs, call, now } = setUp();
      // As a stranger who comes with every dip: in it the rate is lower, and so is what is accepted.
      const fallsInDips: Api = (rate) => limit((subject.factor === 1 ? 1 : 0.9 * part) * 200)(rate);
      call(tuning.young + 10 * APART, 200, fallsInDips);
      expect(now()).toBeGreaterThan(1_000 * tuning.young);
      expect(subject.share).toBe(0);
      expect(backs).toEqual([]);
    },
  );

  test('is unlearnt when a dip shows that there is none any more', () => {
    const { subject, call } = setUp();
    call(tuning.young + 5 * APART, 500, noise(0.05));
    expect(subject.share).toBeGreaterThan(0);
    call(3 * APART, 500, limit(490));
    expect(subject.share).toBe(0);
  });

  test('is not learnt of calls that begin after a dip and end before it is closed', () => {
    const { subject, dips, call, now } = setUp();
    for (let step = 0; step < 3_000; step++) {
      call(0.1, 200, noise(0));
      const from = dips.at(-1)?.from ?? 0;
      if (subject.factor === 1 || now() < from + 1_000 * (tuning.length - 0.2)) continue;
      const startedAt = from + 1_000 * tuning.length + 50;
      for (let i = 0; i < 5; i++) subject.observe({ startedAt, endedAt: startedAt }, true);
    }
    expect(subject.share).toBe(0);
  });

  test('is learnt of calls that begin in a dip, and of no others', () => {
    const { subject, call, look, pass, now } = setUp();
    call(2, 200, noise(0));
    const early = now();
    for (let second = 0; second < 300; second++) {
      call(1, 200, noise(0));
      // Throttled calls of long ago end in dips, too.
      for (let i = 0; i < 10; i++) subject.observe({ startedAt: early, endedAt: now() }, subject.factor < 1);
      pass(1);
      look(200, true);
    }
    expect(subject.share).toBe(0);
  });
});

describe('the only controller at a limit', () => {
  const alone = fleetTuning.noise.alone;
  if (alone === undefined) throw new Error('a fleet is to be alone at its limit');
  const begun = tuning.young + 1;

  test('makes a deep dip at once when the rate has fallen by half, and none when it falls by less', () => {
    const { dips, call, now } = setUp({ alone });
    call(begun, 100, noise(0));
    const before = dips.length;
    call(1, 1.02 * alone.declined * 100, noise(0));
    expect(dips).toHaveLength(before);
    const fallen = now();
    call(1, 0.98 * alone.declined * 100, noise(0));
    expect(dips).toHaveLength(before + 1);
    expect(dips.at(-1)?.from).toBeLessThan(fallen + 100);
    expect(dips.at(-1)?.depth).toBeCloseTo(tuning.deepest, 9);
  });

  test.each([
    ['lasts for its calls', 40, tuning.settling + alone.calls / ((1 - tuning.deepest) * 40)],
    ['ends after its longest time where calls are few', 4, alone.longest],
  ])('%s', (_, rate, seconds) => {
    const { dips, call } = setUp({ alone });
    call(begun, 100, noise(0));
    call(alone.longest + 2, rate, noise(0));
    const deep = dips.find(({ depth }) => Math.abs(depth - tuning.deepest) < 1e-9);
    expect(((deep?.to ?? 0) - (deep?.from ?? 0)) / 1_000).toBeCloseTo(seconds, 0);
  });

  test('tests the next fall by half, and no rate twice', () => {
    const { dips, call } = setUp({ alone });
    const deep = () => dips.filter(({ depth }) => Math.abs(depth - tuning.deepest) < 1e-9).length;
    call(begun, 400, noise(0));
    const falls = [
      [190, 1],
      [180, 1],
      [90, 2],
      [80, 2],
      [40, 3],
    ] as const;
    for (const [rate, expected] of falls) {
      call(alone.longest, rate, noise(0));
      expect(deep(), `at ${rate}/s`).toBe(expected);
    }
  });

  test.each<[what: string, fall: (subject: NoiseTest) => void, calm: boolean]>([
    ['because the limit has fallen', (subject) => subject.limitFell(), true],
    ['while something else throttles calls', () => {}, false],
  ])('makes none for a fall %s', (_, fall, calm) => {
    const { subject, dips, call } = setUp({ alone });
    call(begun, 100, noise(0));
    const before = dips.length;
    fall(subject);
    call(5, 30, noise(0), calm);
    expect(dips).toHaveLength(before);
  });

  test('makes none where there may be others', () => {
    const { dips, call } = setUp();
    call(begun, 100, noise(0));
    const before = dips.length;
    call(5, 20, noise(0));
    expect(dips).toHaveLength(before);
  });

  test.each([0.5, 1, 3])('learns noise at %d calls a second, from several dips', (rate) => {
    const { subject, call } = setUp(fleetTuning.noise);
    // As many calls in dips at each rate, nearly.
    call(4_000 / Math.min(1, rate), rate, noise(0.1));
    // Calls and dips are in step here, so that more or less than a tenth of the calls in dips is throttled.
    expect(subject.share).toBeGreaterThan(0.04);
    expect(subject.share).toBeLessThanOrEqual(tuning.most);
  });

  test.each([0.5, 1, 3, 60])('takes nothing for noise that a limit of %d/s throttles', (perSecond) => {
    const { subject, call } = setUp(fleetTuning.noise);
    call(300, 2.2 * perSecond, noise(0));
    call(4_000, 1.02 * perSecond, limit(perSecond));
    expect(subject.share).toBe(0);
  });
});

test('after any calls, noise and dips stay within their bounds', () => {
  const step = fc.record({
    gapMs: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 300, noNaN: true }),
      fc.nat(60_000),
      fc.nat(1e9),
    ),
    tookMs: fc.oneof(fc.constant(0), fc.nat(20_000)),
    calls: fc.integer({ min: 1, max: 60 }),
    throttled: fc.double({ min: 0, max: 1, noNaN: true }),
    rate: fc.oneof(fc.double({ min: 0.1, max: 1e5, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
    calm: fc.boolean(),
    abort: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.integer(), (steps, wallAheadMs) => {
      const subject = new NoiseTest(tuning, () => wallAheadMs);
      let now = 0;
      let highest = 0;
      for (const { gapMs, tookMs, calls, throttled, rate, calm, abort } of steps) {
        now += gapMs;
        highest = Math.max(highest, rate);
        for (let i = 0; i < calls; i++)
          subject.observe({ startedAt: now - tookMs, endedAt: now }, i < throttled * calls);
        const back = subject.advance(now, rate, calm);
        if (abort && throttled > 0.9) subject.abort();
        expect(subject.share).toBeGreaterThanOrEqual(0);
        expect(subject.share).toBeLessThanOrEqual(tuning.most);
        expect(subject.factor).toBeGreaterThanOrEqual(1 - tuning.deepest);
        expect(subject.factor).toBeLessThanOrEqual(1);
        if (back !== undefined) expect(back).toBeLessThanOrEqual(tuning.back * highest);
      }
    }),
  );
});
