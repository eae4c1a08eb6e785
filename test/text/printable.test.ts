import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  escapeJson,
  jsonLine,
  printable,
  printableJson,
  printableLines,
  shortPrintable,
} from '../../src/text/printable.ts';
import { anyText } from '../../testing/any-text.ts';

const unsafe = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

test.each([
  ['a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['\u001b[2J', '\\u{1b}[2J'],
  ['\u202egnp', '\\u{202e}gnp'],
  ['\ud800', '\\u{d800}'],
  ['a\u200bb\u2066c\ufeff', 'a\\u{200b}b\\u{2066}c\\u{feff}'],
  ['\u{e0041}\u3164', '\\u{e0041}\\u{3164}'],
  ['Zürich, 東京 🎉', 'Zürich, 東京 🎉'],
])('escapes what does not print in %j', (text, escaped) => {
  expect(printable(text)).toBe(escaped);
});

test('leaves nothing that can control a terminal, in any text', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      expect(printable(text)).not.toMatch(unsafe);
      expect(printableJson(text)).not.toMatch(unsafe);
      expect(JSON.parse(printableJson(text))).toBe(text);
      expect(printableLines(text)).toBe(text.split('\n').map(printable).join('\n'));
      const pretty = escapeJson(JSON.stringify({ text }, null, 2));
      expect(pretty.replaceAll('\n', '')).not.toMatch(unsafe);
      expect(JSON.parse(pretty)).toEqual({ text });
    }),
  );
});

describe('shortPrintable', () => {
  test('is never longer than its limit, and changes nothing that fits', () => {
    fc.assert(
      fc.property(anyText(), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const short = [...shortPrintable(text, max)];
        expect(short.length).toBeLessThanOrEqual(max);
        const whole = printable(text);
        if ([...whole].length <= max) expect(short.join('')).toBe(whole);
        else expect(short.at(-1)).toBe('…');
      }),
    );
  });
});

test('a JSON line holds one line feed, at its end', () => {
  expect(jsonLine({ a: 'x\ny\u2028' })).toBe('{"a":"x\\ny\\u2028"}\n');
});
