import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printable } from '../../src/text/printable.ts';
import { shellLine, shellWord } from '../../src/text/shell.ts';

describe('shellWord', () => {
  test.each([
    ['job-1', 'job-1'],
    ['a/b.csv', 'a/b.csv'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['failed>2%', "'failed>2%'"],
    ['$(rm x)', "'$(rm x)'"],
    ['\u001b[2J', "$'\\033[2J'"],
    ['é\n', "$'é\\012'"],
  ])('%j is %s', (word, quoted) => expect(shellWord(word)).toBe(quoted));
});

test('bash reads the words of a line as they were, and a terminal would act on none of them', () => {
  const unit = fc.constantFrom(...'a7é😀 $`"!*\\\'\n\r\u001b\u202e');
  const words = fc.sample(fc.string({ unit }), 200);
  const line = shellLine(words);
  expect(printable(line)).toBe(line);
  const script = `LC_ALL=C; printf '%s\\0' ${line}`;
  expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(words);
});
