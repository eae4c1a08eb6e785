import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import type { Counting, Counts, Guards } from '../../../src/jobs/ledger/job.ts';
import { parseAbortRule, room, stopReason, tolerated } from '../../../src/jobs/run/guards.ts';
import { Pace } from '../../../src/jobs/run/progress.ts';

const counting: Counting = { good: 0, failed: 0, canaryPassed: false };

function counts(facts: Partial<Counts>): Counts {
  const { applied = 0, superseded = 0, failed = 0, planned = 1_000, inFlight = 0 } = facts;
  const ended = applied + superseded + failed;
  const total = planned + inFlight + ended;
  return {
    total,
    planned,
    inFlight,
    applied,
    superseded,
    failed,
    notSent: 0,
    ended,
    causes: [],
    calls: 0,
    callsOf: 0,
  };
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
      /^5 of 200 ended rows failed, more than --abort-when '.*' allows$/,
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

  test.each([
    ['', /a rule begins with failed>/],
    ['2%', /a rule begins with failed>/],
    ['failed', /put the rule in quotes/],
    ['failed<2%/200', /a rule begins with failed>/],
    ['failed>%/200', /the share as a number/],
    ['failed>2,5%/200', /the share as a number/],
    ['failed>-2%/200', /the share as a number/],
    ['failed>2/200', /needs its %/],
    ['failed>101%/1', /below 100%/],
    ['failed>100%/1', /below 100%/],
    ['failed>2%', /after a \/ how many rows/],
    ['failed>2%/', /a whole number of rows from 1/],
    ['failed>2%/0', /a whole number of rows from 1/],
    ['failed>2%/1e3', /a whole number of rows from 1/],
    ['failed>2%/200 \u001b[2J\n', /a whole number of rows from 1/],
  ])('the rule %j is refused by a sentence with an example', (text, fault) => {
    expect(() => parseAbortRule(text)).toThrow(CommandError);
    expect(() => parseAbortRule(text)).toThrow(fault);
    expect(() => parseAbortRule(text)).toThrow(
      /^--abort-when '[ -~]*': .*, as in --abort-when 'failed>2%\/200': [a-z 0-9%]+\.$/,
    );
  });
});

test('with an abort rule, never more rows fail after its threshold than it wants to see before it judges', () => {
  const rules = ['failed>2%/200', 'failed>0%/1', 'failed>50%/5', 'failed>99%/1000', 'failed>0.5%/20'];
  for (const guards of rules.map((text): Guards => ({ abortWhen: parseAbortRule(text) })))
    for (const good of [0, 199, 200, 3_000]) {
      let facts = { applied: good, failed: 0, inFlight: 0 };
      const { least = 0 } = guards.abortWhen ?? {};
      // From here on everything fails, and as much is sent as may be.
      let after = 0;
      while (facts.failed < 1_100 + good) {
        const now = counts(facts);
        const crossed = stopReason(guards, counting, now) !== undefined;
        if (crossed && facts.inFlight === 0) break;
        const free = crossed ? 0 : tolerated(guards, counting, now) - facts.inFlight;
        facts = { ...facts, inFlight: facts.inFlight + Math.max(0, free) - 1, failed: facts.failed + 1 };
        if (crossed) after++;
      }
      expect(after).toBeLessThanOrEqual(Math.max(10, least));
    }
});

test('a job that goes well is not held back by its abort rule', () => {
  const guards: Guards = { abortWhen: parseAbortRule('failed>2%/200') };
  expect(tolerated({}, counting, counts({}))).toBe(Number.POSITIVE_INFINITY);
  expect(tolerated(guards, counting, counts({ applied: 50_000, failed: 20 }))).toBe(1_000);
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
