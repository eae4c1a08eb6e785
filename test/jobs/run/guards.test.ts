import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import type { Counting, Counts, Guards } from '../../../src/jobs/ledger/job.ts';
import { parseAbortRule, room, stopReason } from '../../../src/jobs/run/guards.ts';
import { Pace } from '../../../src/jobs/run/progress.ts';

const counting: Counting = { good: 0, failed: 0, canaryPassed: false };

function counts(facts: Partial<Counts>): Counts {
  const { applied = 0, superseded = 0, failed = 0, planned = 1_000, inFlight = 0 } = facts;
  const ended = applied + superseded + failed;
  const total = planned + inFlight + ended;
  return { total, planned, inFlight, applied, superseded, failed, ended, causes: [], calls: 0, callsOf: 0 };
}

describe('room', () => {
  const passed = { ...counting, canaryPassed: true };
  test.each<[string, Guards, Counting, Partial<Counts>, number]>([
    ['is the window at first', {}, counting, {}, 200],
    ['is what the window has left', {}, counting, { inFlight: 150 }, 50],
    ['is none when the window is full', {}, counting, { inFlight: 250 }, 0],
    ['is what there is to send', {}, counting, { planned: 3 }, 3],
    ['is the canary at first', { canary: 10 }, counting, {}, 10],
    ['does not grow as the canary ends well', { canary: 10 }, counting, { inFlight: 6, applied: 4 }, 0],
    [
      'is the rest of a canary that was interrupted',
      { canary: 10 },
      counting,
      { inFlight: 2, applied: 4 },
      4,
    ],
    ['is the window when the canary has passed', { canary: 10 }, passed, { applied: 10 }, 200],
    ['counts a canary from where it began', { canary: 10 }, { ...counting, good: 50 }, { applied: 52 }, 8],
  ])('%s', (_, guards, from, facts, expected) => {
    expect(room(guards, from, counts(facts), 200)).toBe(expected);
  });
});

describe('stopping', () => {
  const rule: Guards = { abortWhen: parseAbortRule('failed>2%/200') };
  test.each<[string, Guards, Partial<Counts>, RegExp | undefined]>([
    ['goes on below the least count', rule, { failed: 199 }, undefined],
    ['goes on at the share itself', rule, { applied: 196, failed: 4 }, undefined],
    [
      'stops above the share',
      rule,
      { applied: 195, failed: 5 },
      /^2\.5% of 200 ended rows failed, .* allows$/,
    ],
    ['takes superseded rows for good ends', rule, { superseded: 300, failed: 5 }, undefined],
    [
      'stops at the first failure of a canary',
      { canary: 10 },
      { applied: 3, failed: 1 },
      /^The canary failed: 1 of its first 4 rows did$/,
    ],
    ['lets a canary end well', { canary: 10 }, { applied: 9, superseded: 1 }, undefined],
  ])('%s', (_, guards, facts, sentence) => {
    const reason = stopReason(guards, counting, counts(facts));
    if (sentence === undefined) expect(reason).toBeUndefined();
    else expect(reason).toMatch(sentence);
  });

  test.each(['', '2%', 'failed>2%', 'failed>101%/1', 'failed>2/200', 'failed>2%/0', 'failed<2%/200'])(
    'refuses the rule %j',
    (text) => {
      expect(() => parseAbortRule(text)).toThrow(CommandError);
    },
  );
});

test('the window is 200 rows, or ten seconds of the present rate', () => {
  let now = 0;
  const pace = new Pace(() => now, 0);
  expect(pace.window).toBe(200);
  for (let ended = 0; now < 20_000; now += 500, ended += 500) pace.observe(ended);
  expect(pace.perSecond).toBeGreaterThan(900);
  expect(pace.window).toBeGreaterThan(9_000);
  expect(pace.window).toBeLessThan(11_000);
  const ended = 20_000;
  for (; now < 40_000; now += 500) pace.observe(ended);
  expect(pace.window).toBe(200);
  expect(pace.quietMs).toBeGreaterThan(18_000);
});
