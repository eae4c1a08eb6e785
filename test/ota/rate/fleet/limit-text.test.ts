import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLimit, writeLimit } from '../../../../src/ota/rate/fleet/limit-text.ts';

const limit = { perSecond: 198.4, withinShare: 0.02, since: 1_000, periodMs: 60_000, noise: 0.01 };
const text = JSON.stringify({ perSecond: 1, within: null, agoMs: 5, periodMs: null, noise: 0 });

test('what one worker writes another one reads, on its own clock', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const unsure = fc.option(share, { nil: undefined });
  const rate = fc.double({ min: 0.01, max: 1e6, noNaN: true });
  const period = fc.option(fc.integer({ min: 1, max: 86_400_000 }), { nil: undefined });
  fc.assert(
    fc.property(rate, unsure, period, share, (perSecond, withinShare, periodMs, noise) => {
      const written = writeLimit({ perSecond, withinShare, since: 1_000, periodMs, noise }, 6_000);
      expect(readLimit(written, 80_000)).toEqual({ perSecond, withinShare, since: 75_000, periodMs, noise });
    }),
  );
});

test('no limit is none', () => {
  expect(writeLimit(undefined, 0)).toBeUndefined();
  expect(readLimit(undefined, 0)).toBeUndefined();
});

test('a limit of the future is of now', () => {
  expect(readLimit(writeLimit(limit, 0), 500)?.since).toBe(500);
});

test.each([
  '',
  'x',
  'null',
  '[]',
  '{}',
  text.replace('1', '0'),
  text.replace('1', '-1'),
  text.replace('1', '1e7'),
  text.replace('1', '"1"'),
  text.replace('5', '-5'),
  text.replace('5', '1e999'),
  text.replace('"noise":0', '"noise":2'),
  text.replace('"periodMs":null', '"periodMs":0'),
  text.replace('"periodMs":null', '"periodMs":1e9'),
  text.replace('"within":null', '"within":-1'),
  text + ' '.repeat(300),
])('%.60s is none', (wrong) => {
  expect(readLimit(text, 0)).toBeDefined();
  expect(readLimit(wrong, 0)).toBeUndefined();
});
