import { describe, expect, test } from 'vitest';
import { counted, number, percent } from '../../src/text/numbers.ts';

test('groups the digits of a number', () => {
  expect(number(1_234_567)).toBe('1,234,567');
});

test.each([
  [0, '0 rows'],
  [1, '1 row'],
  [12_345, '12,345 rows'],
])('counts %i', (count, text) => {
  expect(counted(count, 'row')).toBe(text);
});

test('counts what has a plural of its own', () => {
  expect(counted(2, 'canary', 'canaries')).toBe('2 canaries');
});

describe('percent', () => {
  test.each([
    [0, 0, '0%'],
    [0.29, 0, '29%'],
    [0.999_999, 0, '99%'],
    [1, 0, '100%'],
    [0.9999, 1, '99.9%'],
    [0.05, 1, '5.0%'],
  ])('is rounded down: %f with %i digits', (share, digits, text) => {
    expect(percent(share, digits)).toBe(text);
  });
});
