import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/check/finding.ts';
import { checkAsJson, checkAsText } from '../../src/check/report.ts';

const ok: Finding = { severity: 'ok', rule: 'region', where: 'AWS region', what: 'is eu-west-1' };
const warning: Finding = {
  severity: 'warning',
  rule: 'lease',
  where: 'LEASE',
  what: 'is short',
  fix: 'raise it',
};
const error: Finding = { severity: 'error', rule: 'clock', where: 'clock', what: 'is off', fix: 'set it' };

const unchecked: Finding = {
  severity: 'unchecked',
  rule: 'api-update',
  where: 'API',
  what: 'whether it works',
  fix: 'it needs x',
};
const settings = [
  { name: 'QUEUE_URL', value: 'https://q', set: true },
  { name: 'RATE_LIMIT', value: '10', set: false },
  { name: 'REDIS_URL', value: null, set: false },
];

describe('checkAsText', () => {
  test('prints the settings, an aligned line for each finding, what is to be done last, and a summary', () => {
    expect(checkAsText(settings, [error, ok, unchecked, warning])).toBe(
      [
        'Settings',
        '',
        '  QUEUE_URL   https://q',
        '  RATE_LIMIT  10  (default)',
        '  REDIS_URL   not set',
        '',
        'Checked',
        '',
        'ok    AWS region  is eu-west-1',
        '',
        'Not checked',
        '',
        '--    API         whether it works; it needs x',
        '',
        'Found',
        '',
        'warn  LEASE       is short; raise it',
        'FAIL  clock       is off; set it',
        '',
        '1 error, 1 warning: not ready to run',
        '',
      ].join('\n'),
    );
  });

  test('keeps to 80 columns', () => {
    const long = { ...warning, what: 'is short '.repeat(20).trim() };
    for (const line of checkAsText([], [long]).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test.each([
    [[ok], 'no errors, no warnings: ready to run'],
    [
      [ok, unchecked],
      'no errors, no warnings in what was checked; 1 thing that a worker needs was not\nchecked, see above',
    ],
    [
      [warning, unchecked, unchecked],
      '1 warning, no errors in what was checked; 2 things that a worker needs were not\nchecked, see above',
    ],
    [[ok, warning, warning], '2 warnings, no errors: ready to run'],
    [[error, error], '2 errors, 0 warnings: not ready to run'],
  ])('ends with a summary (%#)', (findings, last) => {
    expect(checkAsText([], findings).trimEnd().split('\n\n').at(-1)).toBe(last);
  });
});

describe('checkAsJson', () => {
  test('prints the findings, and whether all is well', () => {
    expect(JSON.parse(checkAsJson(settings, [ok, warning]))).toEqual({
      ok: true,
      findings: [ok, warning],
      settings,
    });
    expect(JSON.parse(checkAsJson([], [error]))).toMatchObject({ ok: false, findings: [error] });
  });
});

test('neither form can control a terminal, whatever a queue or a proxy answered', () => {
  const what = 'needs \u202e\u001b[2J\u200b\u{e0041}\u2028 x';
  const hostile: Finding = { ...error, what, where: what, fix: what };
  for (const text of [checkAsText([], [hostile]), checkAsJson([], [hostile])])
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
  expect(JSON.parse(checkAsJson([], [hostile]))).toMatchObject({ findings: [hostile] });
});
