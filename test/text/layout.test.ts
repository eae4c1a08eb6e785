import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countLine, hang, WIDTH, wrap } from '../../src/text/layout.ts';

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
