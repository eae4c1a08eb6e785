/** A reason is a text in which something can be seen. */
import { expect, test } from 'vitest';
import { isReason } from '../../src/text/reason.ts';

test.each([
  ['', false],
  ['\u200b', false],
  ['\u0000', false],
  ['\ud800', false],
  ['\u3164\uffa0\u115f', false],
  ['\u2800', false],
  ['\u00ad\u202e\ufeff\u2060', false],
  ['\u0301', false],
  ['x'.repeat(501), false],
  ['x', true],
  ['\u200bx', true],
  ['-', true],
  ['理由', true],
  ['👍', true],
  ['x'.repeat(500), true],
])('%j: %j', (text, is) => {
  expect(isReason(text)).toBe(is);
});
