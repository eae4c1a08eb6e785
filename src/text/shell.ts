/** Words for a shell, so that printed commands can be pasted. PURE. */
import { printable } from './printable.ts';

/** A command of this program as its user would type it: `npx ota-updater jobs status job-1`. */
export type CommandLine = (...args: readonly string[]) => string;

/** Words that every shell reads literally. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * The word as a POSIX shell takes it, on one line and without characters that a terminal would interpret.
 * With such characters it becomes `$'…'`, which bash, zsh and ksh know.
 */
export function shellWord(word: string): string {
  if (PLAIN_WORD.test(word)) return word;
  if (printable(word) === word) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = [...word].map((character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    return printable(character) === character ? character : bytes(character);
  });
  return `$'${escaped.join('')}'`;
}

/** The words as one command line. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

/** Its UTF-8 bytes as octal escapes, which all these shells read alike. */
function bytes(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
    .join('');
}
