import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Counts } from '../../../src/jobs/ledger/job.ts';
import { parseAbortRule } from '../../../src/jobs/rules/abort-rules.ts';
import { formatAmount } from '../../../src/jobs/rules/amount.ts';
import { type Decision, decide, type Situation } from '../../../src/jobs/rules/decide.ts';
import {
  beginning,
  countFrom,
  readProgress,
  type SeenDevices,
  type StageDevices,
  type StageProgress,
} from '../../../src/jobs/rules/progress.ts';
import { parseRamp } from '../../../src/jobs/rules/ramp.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import { parseStages } from '../../../src/jobs/rules/stages.ts';
import { type Claim, windowOf } from '../../../src/jobs/rules/window.ts';

function counts(facts: Partial<Counts>): Counts {
  const { applied = 0, superseded = 0, failed = 0, planned = 1_000, inFlight = 0, causes = [] } = facts;
  const ended = applied + superseded + failed;
  const total = planned + inFlight + ended;
  return {
    total,
    planned,
    inFlight,
    sending: 0,
    applied,
    superseded,
    failed,
    notSent: 0,
    ended,
    endedByWorkers: ended,
    causes,
    calls: 0,
    callsOf: 0,
  };
}

function situation(settings: JobSettings, facts: Partial<Counts>, more: Partial<Situation> = {}): Situation {
  const found = counts(facts);
  const { canary } = settings;
  const progress = { ...beginning, ...(canary !== undefined && { canary: formatAmount(canary) }) };
  const present = { progress, total: found.total, now: 0, perSecond: 0 };
  const { devices } = more;
  // Rules judge by all of them, where nothing else is said.
  const judged = devices && { after: 0, ended: devices.ended, failed: devices.failed };
  const seen = devices && { devices: { ...(judged && { judged }), ...devices } };
  return { settings, counts: found, ...present, ...more, ...seen };
}

/** Devices of a stage of nine tasks. */
function stageOf(of: Partial<StageDevices>): StageDevices {
  const { tasks = 9, devices = 0 } = of;
  return { tasks, unnamed: devices === 0 ? tasks : 0, devices, ended: 0, underWay: 0, lastSent: 450, ...of };
}

const DAY_MS = 86_400_000;

describe('windows', () => {
  const free = (priority: number): Claim => ({ priority, most: Number.POSITIVE_INFINITY });

  test.each([
    [0, 20],
    [2, 20],
    [2.05, 21],
    [9, 90],
    [10, 100],
    [25, 100],
    [25.1, 101],
    [300, 1_200],
  ])('alone, at %d/s: %d', (perSecond, rows) => {
    expect(windowOf(perSecond, free(5), { others: [], restInFlight: 0 })).toBe(rows);
    const few = { ...free(5), most: 3 };
    expect(windowOf(perSecond, few, { others: [], restInFlight: 0 })).toBe(rows);
  });

  test.each([
    [300, 300, 1_200],
    [300, 3_200, 1_200],
    [300, 8_000, 3_000],
    [300, 10_000, 3_000],
    // Others' rows may be before its own on the queue: that is no pipe.
    [300, 60_000, 3_000],
    [10, 10_000, 100],
    [1, 10_000, 20],
  ])('alone, at %d/s, where a row takes %d ms when none is before it: %d', (perSecond, ms, rows) => {
    expect(windowOf(perSecond, free(5), { others: [], restInFlight: 0 }, ms)).toBe(rows);
  });

  const rows = (perSecond: number, claims: readonly Claim[], restInFlight = 0): number[] =>
    claims.map((own, i) =>
      windowOf(perSecond, own, { others: claims.filter((_, j) => j !== i), restInFlight }),
    );
  test.each<[string, number, readonly Claim[], number[], number?]>([
    ['by priority', 300, [free(9), free(1)], [1_080, 120]],
    ['three jobs', 300, [free(9), free(5), free(1)], [720, 400, 80]],
    ['a few in whole shares', 2.7, [free(9), free(1)], [18, 2]],
    ['one at least', 0, [free(9), free(9), free(9), ...[1, 1, 1].map(free)], [6, 6, 6, 1, 1, 1]],
    ['what rows without a share leave', 300, [free(9), free(1)], [900, 100], 200],
    [
      'less for all, so that one that can take little keeps its part',
      300,
      [{ ...free(9), most: 630 }, free(1)],
      [630, 70],
    ],
    [
      'two seconds of it at least: what one cannot take is the others',
      300,
      [{ ...free(9), most: 60 }, free(1)],
      [540, 540],
    ],
    ['by the priorities of the others', 300, [{ ...free(9), most: 60 }, free(3), free(1)], [414, 404, 135]],
    ['no more than one sends by its rate', 300, [{ ...free(9), rate: 30 }, free(1)], [1_080, 1_080]],
  ])('%s', (_, perSecond, claims, expected, rest = 0) => {
    expect(rows(perSecond, claims, rest)).toEqual(expected);
  });
});

describe('room', () => {
  const passed: StageProgress = { ...beginning, canaryPassed: true, passed: 10 };
  const canary = { canary: { rows: 10 } };
  test.each<[string, JobSettings, StageProgress, Partial<Counts>, number]>([
    ['is the window at first', {}, beginning, {}, 200],
    ['is what the window has left', {}, beginning, { inFlight: 150 }, 50],
    ['is none when the window is full', {}, beginning, { inFlight: 250 }, 0],
    ['is what there is to send', {}, beginning, { planned: 3 }, 3],
    ['is what is set', { window: 30 }, beginning, { inFlight: 10 }, 20],
    ['is the canary at first', canary, beginning, {}, 10],
    ['is a share of the rows', { canary: { percent: 5 } }, beginning, {}, 50],
    [
      'does not grow as the canary ends well',
      canary,
      beginning,
      { inFlight: 6, applied: 4, planned: 990 },
      0,
    ],
    [
      'is the rest of a canary that was interrupted',
      canary,
      beginning,
      { inFlight: 2, applied: 4, planned: 994 },
      4,
    ],
    ['is the window when the canary has passed', canary, passed, { applied: 10 }, 200],
    [
      'is the window at once when all of the canary has ended',
      canary,
      beginning,
      { applied: 10, planned: 990 },
      200,
    ],
    ['counts a canary from where it began', canary, { ...beginning, good: 50 }, { applied: 52 }, 8],
    ['is the stage at first', { stages: parseStages('3%,10%') }, beginning, {}, 30],
    [
      'is the stage that follows',
      { stages: parseStages('3%,10%') },
      beginning,
      { applied: 30, planned: 970 },
      70,
    ],
    [
      'waits for the last row of a stage',
      { stages: parseStages('3%,10%') },
      beginning,
      { applied: 29, inFlight: 1, planned: 970 },
      0,
    ],
    ['follows a ramp', { ramp: parseRamp('50:x2/100') }, beginning, { applied: 99 }, 50],
    ['follows a ramp that has grown', { ramp: parseRamp('50:x2/100') }, beginning, { applied: 100 }, 100],
    ['follows what the rules tolerate', { abortWhen: [parseAbortRule('failed>2%/40')] }, beginning, {}, 40],
    [
      'follows the strictest rule',
      { abortWhen: ['failed>2%/40', 'failed>30'].map(parseAbortRule) },
      beginning,
      {},
      30,
    ],
  ])('%s', (_, settings, progress, facts, expected) => {
    const noted =
      settings.canary === undefined ? progress : { ...progress, canary: formatAmount(settings.canary) };
    expect(decide(situation(settings, facts, { progress: noted, perSecond: 50 })).room).toBe(expected);
  });
});

describe('stopping', () => {
  const rule: JobSettings = { abortWhen: [parseAbortRule('failed>2%/200')] };
  const devices = { abortWhen: [parseAbortRule('devices-failed>5%/500')] };
  const seen = { at: 1, ended: 1_000, failed: 60 };
  test.each<[string, JobSettings, Partial<Counts>, RegExp | undefined, Partial<Situation>?]>([
    ['goes on below the least count', rule, { failed: 199 }, undefined],
    ['goes on at the share itself', rule, { applied: 196, failed: 4 }, undefined],
    ['stops above the share', rule, { applied: 195, failed: 5 }, /^5 of 200 ended rows failed, more than/],
    ['stops when everything is sent', rule, { applied: 195, failed: 5, planned: 0 }, /^5 of 200/],
    ['takes superseded rows for good ends', rule, { superseded: 300, failed: 5 }, undefined],
    [
      'counts from where it began',
      rule,
      { applied: 195, failed: 5 },
      undefined,
      { progress: { ...beginning, failed: 5 } },
    ],
    [
      'stops for one error',
      { abortWhen: [parseAbortRule('failed:EPIPE>2')] },
      {
        applied: 9,
        failed: 5,
        causes: [
          { cause: 'EPIPE', rows: 3 },
          { cause: 'EIO', rows: 2 },
        ],
      },
      /^3 of 14 ended rows failed by EPIPE, more than --abort-when 'failed:EPIPE>2' allows$/,
    ],
    [
      'goes on for the others',
      { abortWhen: [parseAbortRule('failed:EPIPE>2')] },
      {
        applied: 9,
        failed: 4,
        causes: [
          { cause: 'EPIPE', rows: 2 },
          { cause: 'EIO', rows: 2 },
        ],
      },
      undefined,
    ],
    ['goes on while nobody has looked at the devices', devices, {}, undefined],
    ['stops for devices', devices, {}, /^60 of 1,000 ended devices failed/, { devices: seen }],
    [
      'does not count the devices of rows that were sent before it was resumed',
      devices,
      {},
      undefined,
      {
        devices: { ...seen, at: 2, judged: { after: 9, ended: 0, failed: 0 } },
        progress: countFrom(counts({}), { ...beginning, devices: seen }, 9),
      },
    ],
    [
      'stops again though an undo has made those well',
      devices,
      {},
      /^30 of 500 ended devices failed/,
      {
        devices: { at: 2, ended: 1_500, failed: 30, judged: { after: 9, ended: 500, failed: 30 } },
        progress: countFrom(counts({}), { ...beginning, devices: seen }, 9),
      },
    ],
    [
      'takes nothing from a look that was begun before it was resumed',
      devices,
      {},
      undefined,
      { devices: { ...seen, at: 2 }, progress: countFrom(counts({}), { ...beginning, devices: seen }, 9) },
    ],
    [
      'stops at the first failure of a canary',
      { canary: { rows: 10 } },
      { applied: 3, failed: 1 },
      /^The canary failed: 1 of its first 4 rows did$/,
    ],
    [
      'stops at the last failure of a canary',
      { canary: { rows: 10 } },
      { applied: 9, failed: 1, planned: 990 },
      /^The canary failed: 1 of its first 10/,
    ],
    ['lets a canary end well', { canary: { rows: 10 } }, { applied: 9, superseded: 1 }, undefined],
    [
      'lets rows fail after it',
      { canary: { rows: 10 } },
      { applied: 10, failed: 3 },
      undefined,
      { progress: { ...beginning, canaryPassed: true } },
    ],
  ])('%s', (_, settings, facts, sentence, more = {}) => {
    const { stop, room } = decide(situation(settings, facts, more));
    if (sentence === undefined) expect(stop).toBeUndefined();
    else {
      expect(stop?.towards).toBe('aborted');
      expect(stop?.why).toMatch(sentence);
      expect(room).toBe(0);
    }
  });

  test('a deadline stops what is not sent, and lets what is sent end', () => {
    const settings = { deadline: 100 };
    expect(decide(situation(settings, {}, { now: 99 })).room).toBe(20);
    expect(decide(situation(settings, {}, { now: 100 })).stop).toEqual({
      towards: 'stopped',
      why: 'Its deadline has passed',
    });
    const last = decide(situation(settings, { planned: 0, inFlight: 5 }, { now: 100 }));
    expect(last.stop).toBeUndefined();
  });

  test('a window that does not open again before the deadline ends the job', () => {
    const [now, deadline] = [Date.parse('2026-12-01T05:00Z'), Date.parse('2026-12-01T12:00Z')];
    const settings = { between: { from: '01:00', to: '05:00', tz: 'UTC' }, deadline };
    expect(decide(situation(settings, {}, { now })).stop).toEqual({
      towards: 'stopped',
      why: 'Its window does not open again before its deadline',
    });
    expect(decide(situation(settings, { planned: 0, inFlight: 1 }, { now })).stop).toBeUndefined();
  });
});

test('out of its window nothing is sent, and it is said until when', () => {
  const settings = { between: { from: '01:00', to: '05:00', tz: 'Europe/Berlin' } };
  const closed = decide(situation(settings, {}, { now: Date.parse('2026-03-28T12:00Z') }));
  expect(closed).toMatchObject({
    room: 0,
    waitsFor: { for: 'opening', until: Date.parse('2026-03-29T00:00Z') },
  });
  expect(decide(situation(settings, {}, { now: Date.parse('2026-03-29T00:00Z') })).room).toBe(20);
});

describe('after the last row', () => {
  const rules: JobSettings = { abortWhen: [parseAbortRule('devices-failed>1')] };
  const ended = { applied: 30, planned: 0 };

  test('a rule on devices has them looked at once more, and judges what is seen', () => {
    let progress = beginning;
    const look = (settings: JobSettings, more: Partial<Situation> = {}): Decision => {
      const decision = decide(situation(settings, ended, { progress, ...more }));
      progress = decision.progress;
      return decision;
    };
    const settings = { ...rules, stages: parseStages('10,20'), soak: 60 };
    const early = { at: 500, ended: 20, failed: 1 };
    expect(look(settings, { now: 1_000, devices: early }).waitsFor).toEqual({ for: 'soak', until: 61_000 });
    expect(look(settings, { now: 61_000 }).waitsFor).toEqual({ for: 'verify', since: 61_000 });
    const late = { at: 61_500, inWait: 61_000, ended: 30, failed: 2 };
    expect(look(settings, { now: 62_000, devices: late }).stop?.why).toMatch(/^2 of 30 ended devices failed/);
  });

  test('where they are well nothing more is waited for, and no word is', () => {
    const settings = { ...rules, stages: parseStages('10,20'), confirmEach: true };
    const first = decide(situation(settings, ended, { now: 1_000 }));
    expect(first).toMatchObject({ room: 0, waitsFor: { for: 'verify', since: 1_000 } });
    const well = { at: 1_000, inWait: 1_000, ended: 30, failed: 1 };
    const second = decide(
      situation(settings, ended, { progress: first.progress, now: 2_000, devices: well }),
    );
    expect(second.waitsFor).toBeUndefined();
    expect(second.stop).toBeUndefined();
    const third = decide(situation(settings, ended, { progress: second.progress, now: 3_000 }));
    expect(third.waitsFor).toBeUndefined();
    // Its progress is kept once, and not at every look.
    expect(third.progress).toBe(second.progress);
  });

  test('a rule that has seen fewer than it wants judges then, too, where a stage is verified', () => {
    const few: JobSettings = {
      stages: parseStages('10,20'),
      verifyEach: true,
      abortWhen: [parseAbortRule('devices-failed>5%/100')],
    };
    const progress = { ...beginning, passed: 20, waitsFor: 'verify' as const, since: 500 };
    const look = (failed: number, own: Partial<StageDevices>): Decision => {
      const devices = { at: 600, inWait: 500, ended: 60, failed, stage: stageOf(own) };
      return decide(situation(few, ended, { progress, now: 700, devices }));
    };
    expect(look(4, { devices: 60, ended: 60 }).stop?.why).toMatch(/^4 of 60 ended devices failed/);
    expect(look(3, { devices: 60, ended: 60 })).toMatchObject({ progress: { passed: 30 } });
    // Those under way, and those that nobody knows of yet, are waited for by nobody.
    for (const own of [{ devices: 60, ended: 20, underWay: 40 }, { devices: 0 }])
      expect(look(4, own)).toMatchObject({ progress: { passed: 30 } });
  });

  test('rows in flight are waited for first; a job without a rule on devices waits for nothing', () => {
    expect(decide(situation(rules, { ...ended, inFlight: 1 })).waitsFor).toBeUndefined();
    const others: JobSettings = {
      abortWhen: [parseAbortRule('failed>9')],
      stages: parseStages('10'),
      soak: 9,
    };
    expect(decide(situation(others, ended)).waitsFor).toBeUndefined();
    // Its deadline is for what is sent.
    const late = decide(situation({ ...rules, deadline: 500 }, ended, { now: 1_000 }));
    expect(late).toMatchObject({ waitsFor: { for: 'verify' } });
    expect(late.stop).toBeUndefined();
  });

  test('rows that are tried again are judged again', () => {
    const before = { ...beginning, passed: 30, devices: { at: 1, ended: 30, failed: 1 } };
    const progress = countFrom(counts({ applied: 28, failed: 2, planned: 0 }), before);
    const again = decide(situation(rules, { ...ended, failed: 0 }, { progress, now: 9 }));
    expect(again.waitsFor).toEqual({ for: 'verify', since: 9 });
  });
});

describe('between stages', () => {
  const settings: JobSettings = {
    canary: { rows: 5 },
    stages: parseStages('10,20'),
    soak: 60,
    verifyEach: true,
    confirmEach: true,
    abortWhen: [parseAbortRule('devices-failed>1')],
  };
  const total = 30;

  test('it waits for the ends, the time, the devices, and a word, and then goes on', () => {
    let progress = beginning;
    const look = (applied: number, inFlight: number, more: Partial<Situation> = {}): Decision => {
      const decision = decide(
        situation(
          settings,
          { applied, inFlight, planned: total - applied - inFlight },
          { progress, total, runningSince: 7, ...more },
        ),
      );
      progress = decision.progress;
      return decision;
    };
    expect(look(0, 0)).toMatchObject({ room: 5, sample: true, progress: { ...beginning, canary: '5' } });
    expect(look(4, 1)).toMatchObject({ room: 0, waitsFor: { for: 'ends', upTo: 5, canary: true } });
    expect(look(5, 0, { now: 1_000 })).toMatchObject({ room: 0, waitsFor: { for: 'soak', until: 61_000 } });
    expect(look(5, 0, { now: 60_999 }).waitsFor).toEqual({ for: 'soak', until: 61_000 });
    const verify = { for: 'verify', since: 61_000, until: 61_000 + DAY_MS };
    expect(look(5, 0, { now: 61_000 }).waitsFor).toEqual(verify);
    // It was begun to look before, by a clock that is ahead; then in this wait, by one that is behind.
    const early = { at: 99_000, ended: 5, failed: 0, stage: stageOf({ devices: 5, ended: 5 }) };
    expect(look(5, 0, { now: 62_000, devices: early }).waitsFor).toEqual(verify);
    const devices = { ...early, at: 9, inWait: 61_000, failed: 1 };
    expect(look(5, 0, { now: 63_000, devices }).waitsFor).toEqual({ for: 'word' });
    expect(look(5, 0, { now: 64_000 }).waitsFor).toEqual({ for: 'word' });
    expect(look(5, 0, { now: 65_000, runningSince: 8 })).toMatchObject({
      room: 5,
      progress: { passed: 5, canaryPassed: true },
    });
    // A word is for one stage.
    expect(look(10, 0, { now: 66_000 }).waitsFor).toEqual({ for: 'soak', until: 126_000 });
    expect(look(10, 0, { now: 126_000 }).waitsFor).toMatchObject({ for: 'verify', since: 126_000 });
    const failing = { at: 127_000, ended: 10, failed: 2 };
    expect(look(10, 0, { now: 127_000, devices: failing }).stop?.why).toMatch(
      /^2 of 10 ended devices failed/,
    );
  });

  const verifying = { ...beginning, waitsFor: 'verify' as const, since: 500 };
  const facts = { applied: 10, planned: 20 };
  const staged = (...rules: readonly string[]): JobSettings => ({
    stages: parseStages('10'),
    verifyEach: true,
    abortWhen: rules.map(parseAbortRule),
  });

  type Own = Partial<StageDevices>;
  test.each<[string, Omit<SeenDevices, 'at' | 'inWait' | 'stage'>, Own, number | 'waits' | RegExp]>([
    [
      'passes when enough have ended and are well',
      { ended: 100, failed: 5, underWay: 40 },
      { devices: 140, ended: 100, underWay: 40 },
      20,
    ],
    [
      'passes no stage in which too many failed',
      { ended: 100, failed: 6, underWay: 40 },
      { devices: 140, ended: 100, underWay: 40 },
      /^6 of 100 ended devices failed, .* allows$/,
    ],
    [
      'waits for those under way where too few have ended',
      { ended: 99, failed: 50, underWay: 1 },
      { devices: 100, ended: 99, underWay: 1 },
      'waits',
    ],
    [
      'waits for its own, however many of the stages before have ended',
      { ended: 1_000, failed: 0, underWay: 30 },
      { devices: 30, ended: 0, underWay: 30 },
      'waits',
    ],
    [
      'waits for none that are left of the stages before',
      { ended: 60, failed: 3, underWay: 40 },
      { devices: 20, ended: 20, underWay: 0 },
      20,
    ],
    [
      'passes when all have ended and are well, however few',
      { ended: 60, failed: 3, underWay: 0 },
      { devices: 60, ended: 60, underWay: 0 },
      20,
    ],
    [
      'judges by all that there are, however few',
      { ended: 60, failed: 4, underWay: 0 },
      { devices: 60, ended: 60, underWay: 0 },
      /^4 of 60 ended devices failed, .* allows, and no other device of its stage is under way$/,
    ],
    [
      'waits where its tasks name none yet, as right after they were updated',
      { ended: 0, failed: 0, underWay: 0 },
      { devices: 0 },
      'waits',
    ],
    ['waits so also after another stage', { ended: 500, failed: 0, underWay: 0 }, { devices: 0 }, 'waits'],
    [
      'passes where none took no part any more',
      { ended: 0, failed: 0, underWay: 0 },
      { devices: 9, ended: 0, underWay: 0 },
      20,
    ],
    [
      'waits where some of its tasks name none yet',
      { ended: 1, failed: 0, underWay: 0 },
      { tasks: 499, unnamed: 498, devices: 1, ended: 1 },
      'waits',
    ],
    [
      'passes when enough have ended, though some of its tasks name none',
      { ended: 100, failed: 5, underWay: 0 },
      { devices: 100, ended: 100, unnamed: 1 },
      20,
    ],
    ['passes where no row of it was applied', { ended: 0, failed: 0, underWay: 0 }, { tasks: 0 }, 20],
  ])('a rule that wants to see 100 devices %s', (_, devices, own, expected) => {
    const few = staged('devices-failed>5%/100');
    const stage = stageOf(own);
    const seen = { at: 600, inWait: 500, ...devices, stage };
    const present = { progress: verifying, total, now: 700, perSecond: 9 };
    const decision = decide(situation(few, facts, { ...present, devices: seen }));
    if (typeof expected === 'number') expect(decision.room).toBe(expected);
    else expect(decision.room).toBe(0);
    if (expected instanceof RegExp)
      expect(decision.stop).toMatchObject({ towards: 'aborted', why: expect.stringMatching(expected) });
    else expect(decision.stop).toBeUndefined();
    const { lastSent, ...awaits } = stage;
    const verify = { for: 'verify', since: 500, until: 500 + DAY_MS };
    expect(decision.waitsFor).toEqual(
      expected === 'waits' ? { ...verify, awaits: { ...awaits, least: 100 } } : undefined,
    );
    // The next stage is of the rows that are sent from then on.
    if (typeof expected === 'number') expect(decision.progress.stageAfter).toBe(lastSent);
    // What was seen in a wait before tells nothing, whatever the clock says of whoever looked; nor what was seen in none.
    const early = { ...present, devices: { ...seen, at: 900, inWait: 400 } };
    if (!(expected instanceof RegExp) || devices.ended < 100)
      expect(decide(situation(few, facts, early)).waitsFor).toEqual(verify);
    const unset = { ...few, verifyEach: false };
    if (expected === 'waits')
      expect(decide(situation(unset, facts, { ...present, devices: seen })).room).toBe(20);
  });

  test.each<[readonly string[], Own, boolean]>([
    [['devices-failed>10'], { devices: 40, ended: 39, underWay: 1 }, false],
    [['devices-failed>10'], { devices: 40, ended: 40 }, true],
    [['devices-failed>10'], { devices: 0 }, false],
    [['devices-failed>10', 'devices-failed>5%/20'], { devices: 40, ended: 39, underWay: 1 }, false],
    [['devices-failed>5%/20', 'devices-failed>5%/30'], { devices: 40, ended: 29, underWay: 11 }, false],
    [['devices-failed>5%/20', 'devices-failed>5%/30'], { devices: 40, ended: 30, underWay: 10 }, true],
    // Rows have ended already.
    [['failed>1', 'devices-failed>5%/20'], { devices: 40, ended: 20, underWay: 20 }, true],
  ])('rules %j of a stage with %j: passes %s', (rules, own, passes) => {
    const devices = { at: 600, inWait: 500, ended: 900, failed: 0, underWay: 50, stage: stageOf(own) };
    const present = { progress: verifying, total, now: 700, devices };
    const { room, waitsFor } = decide(situation(staged(...rules), facts, present));
    expect(room > 0).toBe(passes);
    expect(waitsFor?.for).toBe(passes ? undefined : 'verify');
  });

  test.each<[string, Own | undefined, RegExp]>([
    [
      'devices',
      { devices: 40, ended: 30, underWay: 10 },
      /^10 of 40 devices of its stage did not end within 1 ?h\w* \(--verify-within\): resume the job to continue without them$/,
    ],
    ['tasks that name none', { devices: 0 }, /^9 of 9 tasks of its stage named no device within/],
    [
      'some tasks that name none',
      { devices: 9, ended: 8, underWay: 1, unnamed: 2 },
      /^2 of 9 tasks of its stage named no device, and 1 device did not end, within/,
    ],
    ['a look', undefined, /^The devices of its stage could not be looked at within/],
  ])('a stage that waited too long for %s is asked about, and a word lets it go on', (_, own, why) => {
    const settings = { ...staged('devices-failed>10'), verifyWithin: 3_600 };
    const until = 500 + 3_600_000;
    const devices = own && { at: 600, inWait: 500, ended: 900, failed: 0, underWay: 50, stage: stageOf(own) };
    let progress: StageProgress = verifying;
    const look = (now: number, more: Partial<Situation> = {}): Decision => {
      const decision = decide(situation(settings, facts, { total, devices, progress, now, ...more }));
      progress = readProgress(JSON.parse(JSON.stringify(decision.progress))) ?? beginning;
      return decision;
    };
    expect(look(until - 1, { runningSince: 7 }).waitsFor).toMatchObject({ for: 'verify', until });
    // Paused, nobody would see the question.
    expect(look(until).waitsFor).toMatchObject({ for: 'verify' });
    const asked = look(until, { runningSince: 7 });
    expect(asked).toMatchObject({ room: 0, waitsFor: { for: 'word', why: expect.stringMatching(why) } });
    expect(look(until + 1).waitsFor).toEqual(asked.waitsFor);
    const unset = { ...settings, verifyEach: false };
    expect(decide(situation(unset, facts, { total, devices, progress, now: until + 2 })).room).toBe(20);
    expect(look(until + 9, { runningSince: 8 }).room).toBe(20);
    expect(progress.overdue).toBeUndefined();
    expect(progress).toMatchObject({ passed: 10, waitsFor: 'ends' });
  });

  test('a rule that is broken by then aborts the job, and it is not asked about', () => {
    const settings = { ...staged('devices-failed>5%/100'), verifyWithin: 1 };
    const devices = {
      at: 600,
      inWait: 500,
      ended: 60,
      failed: 4,
      stage: stageOf({ devices: 60, ended: 60 }),
    };
    const present = { total, devices, progress: verifying, now: 9_000, runningSince: 7 };
    expect(decide(situation(settings, facts, present)).stop).toMatchObject({ towards: 'aborted' });
  });

  test('what an earlier release has seen says nothing of a stage', () => {
    const devices = { at: 600, inWait: 500, ended: 900, failed: 0, underWay: 0 };
    const present = { total, devices, progress: verifying, now: 700 };
    const decision = decide(situation(staged('devices-failed>10'), facts, present));
    expect(decision.waitsFor).toEqual({ for: 'verify', since: 500, until: 500 + DAY_MS });
  });

  test('nobody is asked while it is paused: to resume it would be the answer', () => {
    const { canary: _, soak: __, verifyEach: ___, ...others } = settings;
    const facts = { applied: 10, planned: 20 };
    const paused = decide(situation(others, facts, { total }));
    expect(paused).toMatchObject({ room: 0, progress: { passed: 0, waitsFor: 'ends' } });
    const asked = decide(situation(others, facts, { total, runningSince: 3 }));
    expect(asked).toMatchObject({ waitsFor: { for: 'word' }, progress: { askedIn: 3 } });
    const { progress } = asked;
    expect(decide(situation(others, facts, { total, progress })).waitsFor).toEqual({ for: 'word' });
    expect(decide(situation(others, facts, { total, progress, runningSince: 3 })).waitsFor).toEqual({
      for: 'word',
    });
    expect(decide(situation(others, facts, { total, progress, runningSince: 4 })).room).toBe(10);
  });

  test('stages that are set when more has been sent are passed without a wait', () => {
    const facts = { applied: 15, inFlight: 4, planned: 11 };
    const { canary: _, ...others } = settings;
    expect(decide(situation(others, facts, { total, runningSince: 1 }))).toMatchObject({
      room: 1,
      progress: { passed: 10, waitsFor: 'ends' },
    });
  });

  test('another canary begins anew, of the rows that are sent from then on; that of an earlier release has passed', () => {
    const facts = { applied: 10, failed: 2, planned: 18 };
    const before = { ...beginning, canary: '3', canaryPassed: true, passed: 3 };
    expect(decide(situation({ canary: { rows: 3 } }, facts, { total, progress: before })).progress).toBe(
      before,
    );
    const anew = decide(situation({ canary: { rows: 4 } }, facts, { total, progress: before }));
    expect(anew).toMatchObject({
      room: 4,
      progress: { good: 10, failed: 2, canaryPassed: false, canary: '4' },
    });
    expect(anew.stop).toBeUndefined();
    const earlier = { ...beginning, canaryPassed: true };
    expect(decide(situation({ canary: { rows: 4 } }, facts, { total, progress: earlier }))).toMatchObject({
      room: 18,
      progress: { good: 0, canaryPassed: true },
    });
  });

  test('what a rule has stopped stays in its stage, whatever time it is', () => {
    const soaking: JobSettings = {
      stages: parseStages('10,20'),
      soak: 60,
      abortWhen: [parseAbortRule('devices-failed>1')],
    };
    const progress = { ...beginning, waitsFor: 'soak' as const, since: 500 };
    const devices = { at: 600, ended: 20, failed: 2 };
    const facts = { applied: 10, planned: 20 };
    const decision = decide(situation(soaking, facts, { progress, devices, now: 9_000_000 }));
    expect(decision.stop?.towards).toBe('aborted');
    expect(decision.progress).toMatchObject({ passed: 0, waitsFor: 'soak', since: 500 });
    // Its canary, too.
    const failed = { ...soaking, canary: { rows: 10 }, soak: 60 };
    const canary = decide(situation(failed, { applied: 9, failed: 1, planned: 20 }, { now: 1 }));
    expect(canary.progress).toMatchObject({ passed: 0, waitsFor: 'ends' });
  });

  test('after the last stage nothing is waited for where no rule judges devices', () => {
    const { abortWhen: _, verifyEach: __, ...others } = settings;
    const progress = { ...beginning, canary: '5', canaryPassed: true, passed: 20 };
    const decision = decide(situation(others, { applied: 30, planned: 0 }, { progress, total }));
    expect(decision).toMatchObject({ progress, room: 0 });
    expect(decision.waitsFor).toBeUndefined();
  });

  test('what is no longer asked for is no longer waited for', () => {
    const progress = {
      ...beginning,
      canary: '5',
      canaryPassed: true,
      passed: 5,
      waitsFor: 'word' as const,
    };
    const { confirmEach: _, ...others } = settings;
    expect(decide(situation(others, { applied: 10, planned: 20 }, { progress, total }))).toMatchObject({
      room: 10,
      progress: { passed: 10, waitsFor: 'ends' },
    });
  });
});

test('with stages of 500, at most one stage fails after the threshold, wherever errors begin', () => {
  const rules = ['failed>2%/200', 'failed>20', 'failed>5%/1000', 'failed:EPIPE>1%/100'];
  fc.assert(
    fc.property(
      fc.constantFrom(...rules),
      fc.integer({ min: 0, max: 49_000 }),
      fc.array(fc.nat({ max: 2_000 }), { minLength: 1, maxLength: 20 }),
      (text, good, steps) => {
        const rule = parseAbortRule(text);
        const settings = { stages: parseStages('500,+500'), abortWhen: [rule] };
        const total = 50_000;
        let [progress, applied, failed, inFlight] = [beginning, 0, 0, 0];
        let atThreshold: number | undefined;
        for (let i = 0; applied + failed < total; i++) {
          const causes = failed === 0 ? [] : [{ cause: 'EPIPE', rows: failed }];
          const planned = total - applied - failed - inFlight;
          const decision = decide(
            situation(
              settings,
              { applied, failed, inFlight, planned, causes },
              { progress, total, perSecond: 300 },
            ),
          );
          progress = decision.progress;
          if (decision.stop !== undefined) atThreshold ??= failed;
          inFlight += decision.room;
          // Some of them end, the first ones well.
          const ending = Math.min(inFlight, steps[i % steps.length] || 1);
          if (ending === 0) break;
          const well = Math.min(ending, Math.max(0, good - applied));
          applied += well;
          failed += ending - well;
          inFlight -= ending;
        }
        expect(failed - (atThreshold ?? failed)).toBeLessThanOrEqual(500);
      },
    ),
    { numRuns: 50 },
  );
});
