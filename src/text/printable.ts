/** Text of unknown origin, made safe for a terminal and for a report. PURE. */

/** Controls, bidirectional and invisible format characters, lone surrogates, line and paragraph separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with every character that is not printable written as an escape: `\n`, `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => SHORT[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** The same, at most `max` characters long, escapes included; what is cut off is an ellipsis. */
export function shortPrintable(text: string, max = 80): string {
  // A character is two UTF-16 units at most.
  const characters = [...printable(text.slice(0, 2 * (max + 1)))];
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : characters.join('');
}

/** A value as JSON on one line, with every character that is not printable as a `\\u` escape: still the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, i) => toUnicodeEscape(character.charCodeAt(i))).join(''),
  );
}

/** The same, ending in a line feed: one line of JSON Lines. */
export function jsonLine(value: unknown): string {
  return `${printableJson(value)}\n`;
}

function toUnicodeEscape(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
