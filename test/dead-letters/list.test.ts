import { describe, expect, test } from 'vitest';
import { Groups } from '../../src/dead-letters/letters/causes.ts';
import { groupsText, letterLine, lettersHead } from '../../src/dead-letters/view/list.ts';
import { letterWith } from '../../testing/letters.ts';

const messageId = '0b6e26e7-2f38-4b4c-9a5e-0b5c6a1d2e3f';
const name = 'AnErrorNameAsLongAsNoneOfTheServiceIsButStillPossible';
const message = `a message of ${'many '.repeat(40)}words`;
const Identifier = 'a'.repeat(60);
const letter = letterWith(
  { error: { name, status: 400, message } },
  { messageId, body: JSON.stringify({ Identifier, Description: 'x' }) },
);
const groups = new Groups();
groups.add(letter);

const lines = (columns: number | undefined): string[] => [
  ...lettersHead(columns).split('\n'),
  ...letterLine(letter, columns).split('\n'),
  ...groupsText(groups, columns),
];

describe('a list of letters', () => {
  test.each([40, 69, 80, 120, 200])('is as wide as a terminal of %d columns, and no wider', (columns) => {
    const widest = Math.max(...lines(columns).map((line) => line.length));
    expect(widest).toBe(columns);
    expect(lines(columns).join('\n')).toContain(messageId.slice(0, 8));
  });

  test('is never cut in a pipe', () => {
    const text = lines(undefined).join('\n');
    for (const whole of [messageId, Identifier, name, message]) expect(text).toContain(whole);
    expect(text).not.toContain('…');
  });

  test('shows more of the Identifier in a wide terminal', () => {
    expect(letterLine(letter, 80)).toContain(`${'a'.repeat(11)}…`);
    expect(letterLine(letter, 120)).toContain(`${'a'.repeat(31)}…`);
  });
});
