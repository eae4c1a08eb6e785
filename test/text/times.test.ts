import { describe, expect, test } from 'vitest';
import { countdown, duration, instant, roughDuration } from '../../src/text/times.ts';

test('writes an instant in UTC to the second', () => {
  expect(instant(Date.parse('2026-11-23T02:10:07.999Z'))).toBe('2026-11-23 02:10:07');
});

test.each([
  [0, '0 seconds'],
  [1, '1 second'],
  [90, '1 minute, 30 seconds'],
  [3_600, '1 hour'],
  [43_200, '12 hours'],
  [1_209_600, '14 days'],
  [100_001, '1 day, 3 hours, 46 minutes, 41 seconds'],
])('writes a duration of %i s exactly', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each([
  [0.2, '1s'],
  [14.6, '15s'],
  [59.9, '1m'],
  [65, '1m 5s'],
  [4_980, '1h 23m'],
  [86_399, '23h 59m'],
  [200_000, '2d 7h'],
  [86_430, '1d'],
])('writes an estimate of %f s by its two largest units', (seconds, text) => {
  expect(roughDuration(seconds)).toBe(text);
});

describe('countdown', () => {
  test.each([
    [0, '0:00'],
    [9, '0:09'],
    [123, '2:03'],
    [600, '10:00'],
    [3_723, '1:02:03'],
    [360_000, '100:00:00'],
  ])('writes %i s', (seconds, text) => {
    expect(countdown(seconds)).toBe(text);
  });
});
