import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { mayHaveColours } from '../../src/text/colours.ts';
import { paint } from '../../src/text/paint.ts';

test.each([
  ['FAIL  QUEUE_URL  is away', '\u001b[1m\u001b[31mFAIL\u001b[39m\u001b[22m  QUEUE_URL  is away'],
  ['ok    clock', '\u001b[32mok\u001b[39m    clock'],
  ['  failed               12  x', '\u001b[31m  failed               12\u001b[39m  x'],
  ['next: ota-updater check', '\u001b[1mnext:\u001b[22m ota-updater check'],
  ['JOB  ROWS  NOW      CHANGED (UTC)', '\u001b[1mJOB  ROWS  NOW      CHANGED (UTC)\u001b[22m'],
])('colours what one looks for: %s', (line, painted) =>
  expect(paint(`x\n${line}\n`)).toBe(`x\n${painted}\n`),
);

test.each([
  '  failed                0',
  'failed later',
  '  applied               0',
  'okay',
  'FAILED',
  'ID',
  '',
])('leaves the rest as it is: %s', (line) => expect(paint(line)).toBe(line));

test('changes nothing but colours', () => {
  const text = 'job a\n  applied 3\nstopped: x\nwarning: y\n';
  expect(stripVTControlCharacters(paint(text))).toBe(text);
});

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
])('a terminal: %s, with %j: %s', (isTTY, env, colours) =>
  expect(mayHaveColours({ isTTY }, env)).toBe(colours),
);
