import { describe, expect, test } from 'vitest';
import { checkUpdate } from '../../src/message/update.ts';

const refusal = (fields: Record<string, unknown>): string => {
  const check = checkUpdate({ Identifier: 'a1', Description: 'x', ...fields }, 0);
  return check.ok ? '' : check.message;
};

describe('what is wrong with a refused value', () => {
  test.each([
    ['a1\u00a0', 'it ends with a no-break space (U+00A0)'],
    ['a1  ', 'it ends with a space'],
    ['a1\t\u00a0', 'it ends with a tab'],
    ['\u00a0a1', 'it begins with a no-break space (U+00A0)'],
    ['\ufeffa1', 'it begins with a byte order mark (U+FEFF)'],
    ['a1\u200bb2', 'character 3 is a zero-width space (U+200B)'],
    ['a1 b2', 'character 3 is a space'],
    ['a-1', 'character 2 is "-"'],
    ['a\u20131', 'character 2 is a dash (U+2013)'],
    ['аb', 'it begins with "а" (U+0430)'],
    ['a1\ufffd', 'it ends with a character that could not be read (U+FFFD)'],
    ['a\u001b[31m', 'character 2 is U+001B'],
    ['a\u{1f600}', 'it ends with "\u{1f600}" (U+1F600)'],
  ])('%j: by character and place', (Identifier, said) => {
    expect(refusal({ Identifier })).toBe(`Identifier: may hold only letters and digits; ${said}`);
  });

  test.each(['1.2E+5', '1,23457E+11', '9E-3'])('%s: a number as a spreadsheet shortens it', (Identifier) => {
    expect(refusal({ Identifier })).toContain(
      `"${Identifier}" is a long number as a spreadsheet shortens it`,
    );
  });

  test.each(['#N/A', '#NV', '#REF!', '#WERT!', '#NAME?', '####'])("%s: a spreadsheet's error", (text) => {
    expect(refusal({ TaskConfigurationId: text })).toContain(
      `"${text}" is an error of a spreadsheet's formula`,
    );
  });

  test('a whole number that a program has given decimals', () => {
    expect(refusal({ Identifier: '17.0' })).toContain('"17.0" is a number with decimals');
  });

  test('in a field with another rule, by that rule', () => {
    expect(refusal({ Description: 'Nightly 7\u00a0' })).toBe(
      'Description: may hold only letters, digits, spaces, _ and -; it ends with a no-break space (U+00A0)',
    );
    expect(refusal({ JobId: 'a b' })).toContain(
      'JobId: may hold only letters, digits and _ . : -; character 2 is a space',
    );
  });

  test('a value that is only too long is that alone', () => {
    expect(refusal({ Identifier: 'a'.repeat(201) })).not.toContain(';');
  });
});
