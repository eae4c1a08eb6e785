import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changed } from '../../src/configs/change.ts';
import { changesBetween, type SettingName, settingsOf } from '../../src/configs/settings.ts';

const base = {
  TaskConfigurationId: 'cfgA',
  Name: 'Slow',
  PushConfig: {
    AbortConfig: {
      AbortConfigCriteriaList: [
        { Action: 'CANCEL', FailureType: 'FAILED', MinNumberOfExecutedThings: 50, ThresholdPercentage: 20 },
        { Action: 'CANCEL', FailureType: 'FAILED', ThresholdPercentage: 30.5 },
        { Action: 'CANCEL', FailureType: 'LOST', ThresholdPercentage: 1 },
      ],
    },
    RolloutConfig: { ExponentialRolloutRate: { BaseRatePerMinute: 5, IncrementFactor: 1.5 } },
  },
};

/** Those that a configuration says something of. */
const said = (configuration: Parameters<typeof settingsOf>[0]) =>
  Object.fromEntries(
    settingsOf(configuration).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );

const set = (settings: Partial<Record<SettingName, string>>, from: Parameters<typeof changed>[0] = base) =>
  changed(from, new Map(Object.entries(settings) as [SettingName, string][]));

test('a configuration is its settings, each as one text; of a kind of failure that is not known, too', () => {
  expect(said(base)).toEqual({
    Name: 'Slow',
    BaseRatePerMinute: '5',
    IncrementFactor: '1.5',
    AbortOnFailed: '20%/50 or 30.5%',
    'AbortOn:LOST': '1%',
  });
  expect(said({})).toEqual({});
});

describe('a new configuration', () => {
  test('keeps what is not set, replaces what is, and leaves out what is set to nothing', () => {
    const made = set({ AbortOnFailed: '5%/10', IncrementFactor: '', MaximumPerMinute: '100', Name: '' });
    expect(made).toEqual({
      content: {
        Name: undefined,
        PushConfig: {
          AbortConfig: {
            AbortConfigCriteriaList: [
              { Action: 'CANCEL', FailureType: 'LOST', ThresholdPercentage: 1 },
              {
                Action: 'CANCEL',
                FailureType: 'FAILED',
                MinNumberOfExecutedThings: 10,
                ThresholdPercentage: 5,
              },
            ],
          },
          RolloutConfig: { ExponentialRolloutRate: { BaseRatePerMinute: 5 }, MaximumPerMinute: 100 },
        },
      },
    });
    expect(said(base).IncrementFactor).toBe('1.5');
  });

  test('has no empty parts', () => {
    const timeout = { PushConfig: { TimeoutConfig: { InProgressTimeoutInMinutes: 5 } } };
    expect(set({ InProgressTimeoutInMinutes: '' }, timeout)).toEqual({ content: { PushConfig: {} } });
    const abort = set({ AbortOnAny: '1%' }, {});
    if ('faults' in abort) throw new Error('refused');
    expect(set({ AbortOnAny: '' }, abort.content)).toEqual({ content: { PushConfig: {} } });
  });

  test.each<[SettingName, string]>([
    ['MaximumPerMinute', '0'],
    ['MaximumPerMinute', '1.5'],
    ['MaximumPerMinute', '2147483648'],
    ['MaximumPerMinute', '1e3'],
    ['BaseRatePerMinute', '101'],
    ['IncrementFactor', '1'],
    ['IncrementFactor', '5.1'],
    ['NumberOfNotifiedThings', '-1'],
    ['InProgressTimeoutInMinutes', '10081'],
    ['AbortOnFailed', '20'],
    ['AbortOnFailed', '101%'],
    ['AbortOnFailed', '0%'],
    ['AbortOnFailed', '20%/0'],
    ['AbortOnFailed', '20%/101'],
    ['AbortOnFailed', '20%/x'],
    ['Name', 'a/b'],
    ['Name', 'x'.repeat(129)],
    ['Description', 'line\nbreak'],
  ])('is refused with %s=%j, in a sentence that says what it may be', (name, text) => {
    const made = set({ [name]: text });
    expect(made).toEqual({ faults: [expect.stringMatching(/: must be /)] });
  });

  test('says of each setting what it was told, whatever it was before', () => {
    const texts: Record<SettingName, fc.Arbitrary<string>> = {
      Name: fc.stringMatching(/^[A-Za-z0-9_ -]{1,20}$/),
      Description: fc.stringMatching(/^[A-Za-z0-9_ -]{1,20}$/),
      MaximumPerMinute: fc.integer({ min: 1, max: 2_147_483_647 }).map(String),
      BaseRatePerMinute: fc.integer({ min: 1, max: 100 }).map(String),
      IncrementFactor: fc.integer({ min: 11, max: 50 }).map((tenths) => String(tenths / 10)),
      NumberOfNotifiedThings: fc.integer({ min: 1, max: 100 }).map(String),
      NumberOfSucceededThings: fc.integer({ min: 1, max: 100 }).map(String),
      InProgressTimeoutInMinutes: fc.integer({ min: 1, max: 10_080 }).map(String),
      AbortOnFailed: fc.constantFrom('1%', '20%/50', '0.5%/1'),
      AbortOnRejected: fc.constantFrom('1%', '20%/50'),
      AbortOnTimedOut: fc.constantFrom('1%', '20%/50'),
      AbortOnAny: fc.constantFrom('1%', '100%/100'),
    };
    const settings = fc.record(texts, { requiredKeys: [] });
    fc.assert(
      fc.property(settings, settings, (first, second) => {
        const before = set(first, {});
        if ('faults' in before) throw new Error(before.faults.join());
        const after = set(second, before.content);
        if ('faults' in after) throw new Error(after.faults.join());
        expect(said(after.content)).toEqual({ ...first, ...second });
        const differing = changesBetween(before.content, after.content, 'with-texts');
        for (const { setting, to } of differing) expect(second[setting as SettingName]).toBe(to);
      }),
    );
  });
});
