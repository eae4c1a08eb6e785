import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clip, countLine, hang, table, WIDTH, wrap } from '../../src/text/layout.ts';

test('wraps words at the width, each line after the indent', () => {
  const text = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
  const lines = wrap(text, '    ').split('\n');
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(line).toMatch(/^ {4}\S/);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(text);
});

test('no line is longer than the width, whatever the words', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), (text) => {
      for (const line of wrap(text, '  ').split('\n')) expect(line.length).toBeLessThanOrEqual(WIDTH);
    }),
  );
});

test('hangs further lines below the text', () => {
  const [first, second] = hang('next: ', `${'a'.repeat(50)} ${'b'.repeat(50)}`).split('\n');
  expect(first).toBe(`next: ${'a'.repeat(50)}`);
  expect(second).toBe(`      ${'b'.repeat(50)}`);
});

test('puts counts below each other, and ends without spaces', () => {
  expect([countLine('sent', 12_345, 'to the queue'), countLine('refused', 3)]).toEqual([
    '  sent             12,345  to the queue',
    '  refused               3',
  ]);
});

describe('a table', () => {
  const rows = [
    ['JOB', 'ROWS', 'NOW'],
    ['a', '12,000', 'ended'],
    ['j'.repeat(30), '7', 'sending'],
  ];

  test.each([undefined, 0, 80])('has cells below each other, numbers at the right: %s', (columns) => {
    expect(table(rows, columns, [1])).toEqual([
      `JOB${' '.repeat(27)}    ROWS  NOW`,
      `a${' '.repeat(29)}  12,000  ended`,
      `${'j'.repeat(30)}       7  sending`,
    ]);
  });

  test('where it is too wide, gives the first cells lines of their own, and cuts nothing off', () => {
    expect(table(rows, 40, [1])).toEqual([
      'JOB',
      '    ROWS  NOW',
      'a',
      '  12,000  ended',
      'j'.repeat(30),
      '       7  sending',
    ]);
  });

  test('narrower still, breaks the others between cells, alike in all rows', () => {
    expect(table(rows, 12, [1])).toEqual([
      ...['JOB', '    ROWS', '  NOW'],
      ...['a', '  12,000', '  ended'],
      ...['j'.repeat(30), '       7', '  sending'],
    ]);
  });

  test('of nothing is nothing', () => expect(table([], 80)).toEqual([]));
});

test.each([
  ['short', 'short'],
  ['0123456789', '0123456789'],
  ['0123456789a', '012345678…'],
  ['\u001b[31m0123456789\u001b[39m', '\u001b[31m0123456789\u001b[39m'],
  ['\u001b[31m0123456789a\u001b[39m', '012345678…'],
  ['01234567😀xx', '01234567…'],
])('clips %j to 10 characters', (line, clipped) => expect(clip(line, 10)).toBe(clipped));
