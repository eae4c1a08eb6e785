import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import { parseAbortRule } from '../../../src/jobs/rules/abort-rules.ts';
import { parseAmount } from '../../../src/jobs/rules/amount.ts';
import { beginning, countFrom, endsSince, readProgress } from '../../../src/jobs/rules/progress.ts';
import { parseRamp } from '../../../src/jobs/rules/ramp.ts';
import {
  formatRules,
  type JobSettings,
  readSettings,
  refuseContradictions,
} from '../../../src/jobs/rules/settings.ts';
import { parseStages } from '../../../src/jobs/rules/stages.ts';

const all: JobSettings = {
  window: 50,
  rate: 0.5,
  priority: 9,
  canary: parseAmount('--canary', '1%'),
  stages: parseStages('1%,10%,+500'),
  ramp: parseRamp('10:x2/200'),
  soak: 600,
  verifyEach: true,
  verifyWithin: 7_200,
  confirmEach: true,
  abortWhen: ['failed>2%/200', 'failed:throttled>20', 'devices-failed>5%/500'].map(parseAbortRule),
  undoOnAbort: true,
  startAt: 1_000,
  between: { from: '01:00', to: '05:00', tz: 'Europe/Berlin' },
  deadline: 100_000_000,
};

describe('settings from a ledger', () => {
  test('are those that were kept', () => {
    expect(readSettings(JSON.parse(JSON.stringify(all)))).toEqual(all);
    expect(readSettings({})).toEqual({});
    expect(() => refuseContradictions(all, 0)).not.toThrow();
  });

  test('of an earlier release are understood', () => {
    expect(readSettings({ canary: 10, abortWhen: { share: 0.02, least: 200 }, window: 50 })).toEqual({
      canary: { rows: 10 },
      abortWhen: [parseAbortRule('failed>2%/200')],
      window: 50,
    });
  });

  test('of a later release keep what is known', () => {
    expect(readSettings({ window: 5, moons: 3 })).toEqual({ window: 5 });
  });

  test.each([
    null,
    'x',
    [],
    { window: 0 },
    { window: '5' },
    { rate: -1 },
    { priority: 10 },
    { canary: -1 },
    { abortWhen: {} },
    { abortWhen: [{}] },
    { stages: { steps: [] } },
    { ramp: {} },
    { soak: 'long' },
    { verifyWithin: 0 },
    { undoOnAbort: 1 },
    { startAt: '2026' },
    { between: { from: '01:00', to: '05:00', tz: 'Mars' } },
  ])('%j are damaged', (stored) => {
    expect(readSettings(stored)).toBeUndefined();
  });

  test('never throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(all)), (value, name) => {
        readSettings(value);
        readSettings({ [name]: value });
        readProgress(value);
        readProgress({ ...beginning, [name]: value });
      }),
    );
  });
});

describe('settings that contradict', () => {
  const devices = [parseAbortRule('devices-failed>5%/500')];
  test.each<[JobSettings, RegExp]>([
    [
      { ramp: parseRamp('50:x2/200'), window: 50 },
      /^--ramp never grows: it begins with 50 rows in flight, and --window allows 50\./,
    ],
    [{ soak: 60 }, /^--soak is for the time between stages: give --stages or --canary, too\.$/],
    [{ confirmEach: true, ramp: parseRamp('5:x2/5') }, /^--confirm-each is for the time between/],
    [{ verifyEach: true, abortWhen: devices }, /^--verify-each is for the time between/],
    [{ verifyEach: true, canary: { rows: 5 } }, /^--verify-each has nothing to judge by/],
    [{ undoOnAbort: true }, /^--undo-on-abort can never act, as nothing aborts the job/],
    [
      { canary: { rows: 501 }, stages: parseStages('500,+500') },
      /^--canary is larger than the first of --stages/,
    ],
    [{ canary: { percent: 2 }, stages: parseStages('1%') }, /^--canary is larger/],
    [{ abortWhen: [...devices, ...devices] }, /can never act/],
    [{ startAt: 2_000, deadline: 1_000 }, /^Nothing would be sent/],
  ])('%j is refused', (settings, fault) => {
    expect(() => refuseContradictions(settings, 0)).toThrow(CommandError);
    expect(() => refuseContradictions(settings, 0)).toThrow(fault);
  });

  test.each<[JobSettings]>([
    [{}],
    [{ canary: { rows: 10 }, soak: 60 }],
    [{ stages: parseStages('1%'), verifyEach: true, abortWhen: devices }],
    [{ canary: { rows: 500 }, stages: parseStages('1%') }],
    [{ canary: { rows: 5 }, undoOnAbort: true }],
    // A deadline that has passed stops the job, and may be changed then.
    [{ deadline: -1 }],
  ])('%j is not', (settings) => {
    expect(() => refuseContradictions(settings, 0)).not.toThrow();
  });
});

test('rules are written as they are given', () => {
  expect(formatRules(all.abortWhen ?? [])).toBe('failed>2%/200, failed:throttled>20, devices-failed>5%/500');
});

describe('progress from a ledger', () => {
  test('is what was kept', () => {
    const progress = {
      ...beginning,
      causes: { EPIPE: 3 },
      passed: 500,
      waitsFor: 'soak' as const,
      since: 1_000,
      devices: { at: 5, ended: 10, failed: 1, judged: { after: 3, ended: 9, failed: 1 } },
      judgedAfter: 3,
    };
    expect(readProgress(JSON.parse(JSON.stringify(progress)))).toEqual(progress);
  });

  test('of an earlier release is understood', () => {
    expect(readProgress({ good: 5, failed: 2, canaryPassed: true })).toEqual({
      ...beginning,
      good: 5,
      failed: 2,
      canaryPassed: true,
    });
    // Stages were told apart by the workers' clocks.
    const stage = { tasks: 1, devices: 1, ended: 1, underWay: 0, lastEnd: 9 };
    const devices = { at: 5, ended: 10, failed: 1 };
    const older = { ...beginning, devices: { ...devices, stage }, devicesBefore: { ended: 1, failed: 0 } };
    expect(readProgress(older)).toEqual({ ...beginning, devices });
  });

  test.each([
    null,
    { good: -1 },
    { failed: 'x' },
    { canaryPassed: 1 },
    { causes: { x: 'y' } },
    { waitsFor: 'rain' },
    { devices: { ended: 1, failed: 1 } },
    { judgedAfter: -1 },
    { devices: { at: 1, ended: 1, failed: 1, judged: {} } },
  ])('%j is damaged', (stored) => {
    expect(readProgress(stored)).toBeUndefined();
  });
});

test('ends are counted from where counting begins, by cause, whatever the causes are called', () => {
  const causes = [
    { cause: 'constructor', rows: 3 },
    { cause: '__proto__', rows: 2 },
  ];
  const counts = { applied: 10, superseded: 5, failed: 5, causes };
  const devices = { at: 1, ended: 9, failed: 4 };
  const from = countFrom(counts, { ...beginning, devices, passed: 20, waitsFor: 'word' }, 700);
  expect(from).toMatchObject({
    passed: 0,
    waitsFor: 'ends',
    devices,
    judgedAfter: 700,
    stageAfter: 700,
  });
  const kept = readProgress(JSON.parse(JSON.stringify(from))) ?? beginning;
  const more = {
    ...counts,
    applied: 12,
    failed: 8,
    causes: [
      { cause: 'constructor', rows: 4 },
      { cause: 'toString', rows: 2 },
      { cause: '__proto__', rows: 2 },
    ],
  };
  expect(endsSince(kept, more)).toEqual({
    good: 2,
    failed: 3,
    ended: 5,
    causes: [
      { cause: 'constructor', rows: 1 },
      { cause: 'toString', rows: 2 },
    ],
  });
  expect(endsSince(beginning, more).causes).toEqual(more.causes);
});
