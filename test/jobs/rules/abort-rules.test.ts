import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import {
  type AbortRule,
  abortKinds,
  brokenText,
  failedOf,
  formatAbortRule,
  isAbortRule,
  isBroken,
  parseAbortRule,
  refuseIdleRules,
  toleratedBy,
} from '../../../src/jobs/rules/abort-rules.ts';

describe('reading a rule', () => {
  test.each<[string, AbortRule]>([
    ['failed>2%/200', { of: 'rows', limit: { share: 0.02, least: 200 } }],
    [' failed > 0.5% / 20 ', { of: 'rows', limit: { share: 0.005, least: 20 } }],
    ['failed>20', { of: 'rows', limit: { count: 20 } }],
    ['failed>0', { of: 'rows', limit: { count: 0 } }],
    [
      'failed:ThrottlingException>1%/100',
      { of: 'rows', cause: 'ThrottlingException', limit: { share: 0.01, least: 100 } },
    ],
    ['failed:rejected>5', { of: 'rows', cause: 'rejected', limit: { count: 5 } }],
    ['devices-failed>5%/500', { of: 'devices', limit: { share: 0.05, least: 500 } }],
    ['devices-failed>100', { of: 'devices', limit: { count: 100 } }],
  ])('%j', (text, rule) => {
    expect(parseAbortRule(text)).toEqual(rule);
    expect(formatAbortRule(rule)).toBe(text.replaceAll(' ', ''));
    expect(isAbortRule(JSON.parse(JSON.stringify(rule)))).toBe(true);
  });

  test.each([
    ['', /a rule begins with failed>/],
    ['2%', /a rule begins with failed>/],
    ['failed', /put the rule in quotes/],
    ['devices-failed', /put the rule in quotes/],
    ['failed:ThrottlingException', /put the rule in quotes/],
    ['failed<2%/200', /a rule begins with failed>/],
    ['device-failed>2%/200', /a rule begins with failed>/],
    ['failed:>2', /after the colon comes an error name/],
    ['failed:a b>2', /after the colon comes an error name/],
    ['devices-failed:TimedOut>2', /devices do not report one/],
    ['failed>%/200', /the share as a number/],
    ['failed>', /a whole number that may fail/],
    ['failed>2,5%/200', /the share as a number/],
    ['failed>-2%/200', /the share as a number/],
    ['failed>1e3', /a whole number that may fail/],
    ['failed>2/200', /needs its %/],
    ['failed>101%/1', /below 100%/],
    ['failed>100%/1', /below 100%/],
    ['failed>2%', /after a \/ how many rows/],
    ['devices-failed>2%', /after a \/ how many devices/],
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

  test.each([
    null,
    'failed>2',
    {},
    { of: 'rows' },
    { of: 'rows', limit: {} },
    { of: 'rows', limit: { count: -1 } },
    { of: 'rows', limit: { share: 1, least: 1 } },
    { of: 'rows', cause: 'a b', limit: { count: 1 } },
    { of: 'devices', cause: 'TimedOut', limit: { count: 1 } },
    { of: 'tasks', limit: { count: 1 } },
  ])('a ledger does not hold %j as a rule', (value) => {
    expect(isAbortRule(value)).toBe(false);
  });
});

describe('rules that contradict', () => {
  test.each([
    [['failed>2%/200', 'failed>2%/200'], 1],
    [['failed>2%/200', 'failed>5%/200'], 1],
    [['failed>5%/500', 'failed>2%/200'], 0],
    [['failed>20', 'failed>30'], 1],
    [['failed>3', 'failed>2%/200'], 1],
    [['failed>2%/200', 'failed:ThrottlingException>2%/200'], 1],
    [['failed:throttled>5', 'failed:ThrottlingException>5'], 1],
    [['devices-failed>100', 'devices-failed>200'], 1],
  ])('%j: the one at %d can never act', (texts, idle) => {
    const rules = texts.map(parseAbortRule);
    expect(() => refuseIdleRules(rules)).toThrow(CommandError);
    expect(() => refuseIdleRules(rules)).toThrow(`--abort-when '${texts[idle]}' can never act`);
  });

  test.each([
    [['failed>2%/200', 'failed>5%/20']],
    [['failed>5', 'failed>2%/200']],
    [['failed>20', 'failed>2%/200', 'failed:ThrottlingException>5']],
    [['failed>2%/200', 'devices-failed>5%/500']],
    [['failed:ThrottlingException>5', 'failed:ValidationException>5', 'failed:rejected>6']],
  ])('%j: each can act first', (texts) => {
    expect(() => refuseIdleRules(texts.map(parseAbortRule))).not.toThrow();
  });

  const limit = fc.oneof(
    fc.record({ count: fc.nat({ max: 50 }) }),
    fc.record({
      share: fc.integer({ min: 0, max: 99 }).map((share) => share / 100),
      least: fc.integer({ min: 1, max: 300 }),
    }),
  );
  const aRule = fc.record({ of: fc.constant('rows' as const), limit });

  test('a rule is refused only if no sequence of ends breaks it alone', () => {
    fc.assert(
      fc.property(aRule, aRule, fc.nat({ max: 400 }), fc.nat({ max: 400 }), (a, b, failed, good) => {
        let idle = false;
        try {
          refuseIdleRules([a, b]);
        } catch (error) {
          idle = String(error).includes(`'${formatAbortRule(b)}' can never act`);
        }
        fc.pre(idle && formatAbortRule(a) !== formatAbortRule(b));
        const ends = { ended: good + failed, failed };
        if (isBroken(b, ends)) expect(isBroken(a, ends)).toBe(true);
      }),
    );
  });

  test('any rule reads as it is written', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.record({ of: fc.constant('devices' as const), limit }),
          fc.record({
            of: fc.constant('rows' as const),
            limit,
            cause: fc.constantFrom('EPIPE', ...abortKinds),
          }),
          aRule,
        ),
        (rule) => {
          expect(parseAbortRule(formatAbortRule(rule))).toEqual(rule);
        },
      ),
    );
  });
});

describe('judging', () => {
  const share = parseAbortRule('failed>2%/200');
  const count = parseAbortRule('failed>20');
  test.each([
    [share, 199, 199, false],
    [share, 200, 4, false],
    [share, 200, 5, true],
    [share, 500, 10, false],
    [count, 21, 20, false],
    [count, 30_000, 21, true],
    [parseAbortRule('failed>0'), 1, 1, true],
    [parseAbortRule('failed>29%/1'), 100, 29, false],
  ])('%j of %d ended, %d failed: %s', (rule, ended, failed, broken) => {
    expect(isBroken(rule, { ended, failed })).toBe(broken);
  });

  test('says what was broken', () => {
    expect(brokenText(share, { ended: 200, failed: 5 })).toBe(
      "5 of 200 ended rows failed, more than --abort-when 'failed>2%/200' allows",
    );
    expect(brokenText(parseAbortRule('failed:EPIPE>0'), { ended: 1, failed: 1 })).toBe(
      "1 of 1 ended row failed by EPIPE, more than --abort-when 'failed:EPIPE>0' allows",
    );
    expect(brokenText(parseAbortRule('devices-failed>5%/500'), { ended: 1_000, failed: 60 })).toBe(
      "60 of 1,000 ended devices failed, more than --abort-when 'devices-failed>5%/500' allows",
    );
  });

  test.each([
    [undefined, 20],
    ['ThrottlingException', 7],
    ['throttled', 8],
    ['rejected', 6],
    ['denied', 2],
    ['retryable', 4],
    ['constructor', 0],
  ])('rows that failed by %s: %d', (cause, rows) => {
    const causes = [
      { cause: 'ThrottlingException', rows: 7 },
      { cause: 'TooManyRequestsException', rows: 1 },
      { cause: 'ValidationException', rows: 3 },
      { cause: 'RefusedBySqs', rows: 3 },
      { cause: 'AccessDeniedException', rows: 2 },
      { cause: 'InternalServerException', rows: 3 },
      { cause: 'ECONNRESET', rows: 1 },
    ];
    expect(failedOf(cause === undefined ? {} : { cause }, 20, causes)).toBe(rows);
  });
});

test('however many rows in flight fail, few fail after the threshold', () => {
  for (const text of [
    'failed>2%/200',
    'failed>0%/1',
    'failed>50%/5',
    'failed>99%/1000',
    'failed>0.5%/20',
    'failed>20',
    'failed>0',
    'failed>500',
  ])
    for (const good of [0, 199, 200, 3_000]) {
      const rule = parseAbortRule(text);
      const bound = Math.max(10, 'count' in rule.limit ? rule.limit.count : rule.limit.least);
      let [failed, inFlight, after] = [0, 0, 0];
      // From here on everything fails, and as much is sent as may be.
      while (failed < 2_000 + good) {
        const ends = { ended: good + failed, failed };
        const broken = isBroken(rule, ends);
        if (broken && inFlight === 0) break;
        if (!broken) inFlight = Math.max(inFlight, toleratedBy(rule, ends));
        inFlight--;
        failed++;
        if (broken) after++;
      }
      expect(after, `${text} after ${good}`).toBeLessThanOrEqual(bound);
    }
});

test('a job that goes well is not held back by a share', () => {
  expect(toleratedBy(parseAbortRule('failed>2%/200'), { ended: 50_020, failed: 20 })).toBe(1_000);
  expect(toleratedBy(parseAbortRule('devices-failed>2%/200'), { ended: 0, failed: 0 })).toBe(
    Number.POSITIVE_INFINITY,
  );
});
