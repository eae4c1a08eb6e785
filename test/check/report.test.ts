import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/check/finding.ts';
import { findingsAsJson, findingsAsText } from '../../src/check/report.ts';

const ok: Finding = { severity: 'ok', rule: 'region', where: 'AWS region', what: 'is eu-west-1' };
const warning: Finding = {
  severity: 'warning',
  rule: 'lease',
  where: 'LEASE',
  what: 'is short',
  fix: 'raise it',
};
const error: Finding = { severity: 'error', rule: 'clock', where: 'clock', what: 'is off', fix: 'set it' };

describe('findingsAsText', () => {
  test('prints an aligned line for each finding, and a summary', () => {
    expect(findingsAsText([ok, warning, error])).toBe(
      [
        'ok    AWS region  is eu-west-1',
        'warn  LEASE       is short; raise it',
        'FAIL  clock       is off; set it',
        '',
        '1 error, 1 warning: not ready to run',
        '',
      ].join('\n'),
    );
  });

  test.each([
    [[ok], 'all is well: ready to run'],
    [[ok, warning, warning], '2 warnings, no errors: ready to run'],
    [[error, error], '2 errors, 0 warnings: not ready to run'],
  ])('ends with a summary (%#)', (findings, last) => {
    expect(findingsAsText(findings).trimEnd().split('\n').at(-1)).toBe(last);
  });
});

describe('findingsAsJson', () => {
  test('prints the findings, and whether all is well', () => {
    expect(JSON.parse(findingsAsJson([ok, warning]))).toEqual({ ok: true, findings: [ok, warning] });
    expect(JSON.parse(findingsAsJson([error]))).toEqual({ ok: false, findings: [error] });
  });
});

test('neither form can control a terminal, whatever a queue or a proxy answered', () => {
  const what = 'needs \u202e\u001b[2J\u200b\u{e0041}\u2028 x';
  const hostile: Finding = { ...error, what, where: what, fix: what };
  for (const text of [findingsAsText([hostile]), findingsAsJson([hostile])])
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
  expect(JSON.parse(findingsAsJson([hostile]))).toMatchObject({ findings: [hostile] });
});
