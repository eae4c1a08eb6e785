import { describe, expect, test } from 'vitest';
import { Groups } from '../../src/dead-letters/letters/causes.ts';
import { groupsText, letterLine, lettersHead, nextLines } from '../../src/dead-letters/view/list.ts';
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

  test('suggests a redrive of the letters that it has counted, and of no others', () => {
    const commandLine = (...args: readonly string[]): string => args.join(' ');
    const redrive = (where: readonly string[]): string | undefined =>
      nextLines(groups, where, commandLine).find((line) => line.includes('redrive'));
    const [{ group } = { group: '' }] = groups.all();
    const rest = `--where group=${group} --canary 5 --reason fix`;
    expect(redrive([])).toBe(`dead-letters redrive ${rest}`);
    expect(redrive(['job=fleet-b7', 'newer=1h'])).toBe(
      `dead-letters redrive --where job=fleet-b7 --where newer=1h ${rest}`,
    );
    // Conditions of one field are alternatives.
    expect(redrive(['GROUP=00000000', 'job=fleet-b7'])).toBe(
      `dead-letters redrive --where job=fleet-b7 ${rest}`,
    );
    expect(nextLines(new Groups(), [], commandLine)).toEqual([]);
  });
});
