import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  collect,
  positiveNumber,
  readAssignments,
  renamed,
  toFields,
  wholeNumber,
} from '../../src/cli/flags.ts';

const fields = ['Description', 'JobId'] as const;

test('collects the values of a repeated flag', () => {
  expect(collect('b', ['a'])).toEqual(['a', 'b']);
});

describe('wholeNumber', () => {
  test.each(['0', '-1', '1.5', '01', '1e3', '', 'x', '9'.repeat(16)])('refuses %j', (text) => {
    expect(() => wholeNumber(text)).toThrow(InvalidArgumentError);
  });
  test('takes a whole number from 1', () => expect(wholeNumber('1200')).toBe(1_200));
});

describe('positiveNumber', () => {
  test.each(['0', '-1', 'x', '', '1e10', 'Infinity', '0x10', ' 5', '1000000001'])('refuses %j', (text) => {
    expect(() => positiveNumber(text)).toThrow(InvalidArgumentError);
  });
  test('takes a number above 0', () => expect(positiveNumber('0.5')).toBe(0.5));
});

describe('assignments', () => {
  const read = (...texts: string[]) => toFields(readAssignments('--set', texts, fields));

  test('become an object; the value is all that follows the first =', () => {
    expect(read('JobId=a=b', 'Description=')).toEqual({ JobId: 'a=b', Description: '' });
  });

  test('may repeat a field with the same value', () => {
    expect(read('JobId=a', 'JobId=a')).toEqual({ JobId: 'a' });
  });

  test.each([
    [['JobID=a'], '--set: unknown field "JobID". Did you mean "JobId"? The fields are Description, JobId.'],
    [['JobId'], '--set JobId: give a value, as in --set JobId=VALUE.'],
    [['JobId=a', 'JobId=b'], 'JobId is set twice, to different values.'],
    [['\u001b[2J=a'], '--set: unknown field "\\u{1b}[2J". The fields are Description, JobId.'],
  ])('are refused in one sentence: %j', (texts, message) => {
    expect(() => read(...texts)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });
});

describe('an option that was renamed', () => {
  const command = (): Command => {
    const made = new Command('x').exitOverride().configureOutput({ writeErr: () => {} });
    return renamed(made.option('--limit <n>', 'at most', wholeNumber, 50), '--rows <n>', '--limit');
  };

  test('is read under its old name', () => {
    expect(command().parse(['--rows', '7'], { from: 'user' }).opts()).toMatchObject({ limit: 7 });
    expect(command().parse([], { from: 'user' }).opts()).toMatchObject({ limit: 50 });
  });

  test('is checked as the new one, and not in the help', () => {
    expect(() => command().parse(['--rows', 'x'], { from: 'user' })).toThrow(/whole number/);
    expect(command().helpInformation()).not.toContain('--rows');
  });
});
