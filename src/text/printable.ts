/** Text of unknown origin, made safe for a terminal and for a report. PURE. */

/**
 * The one class of characters that never reaches a terminal or a log: controls, bidirectional marks and overrides,
 * zero-width and tag characters and all other invisible ones, private and unassigned characters, lone surrogates, line
 * and paragraph separators.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A fast check that settles most texts: Unicode classes take ten times as long. */
const PLAIN = /^[\x20-\x7e\n]*$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with every unprintable character written as an escape: `\n`, `\u{1b}`. */
export function printable(text: string): string {
  if (PLAIN.test(text) && !text.includes('\n')) return text;
  return text.replace(
    UNPRINTABLE,
    (character) => SHORT[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** The same, but keeps its line breaks. */
export function printableLines(text: string): string {
  return PLAIN.test(text) ? text : text.split('\n').map(printable).join('\n');
}

/** The same, cut to at most `max` characters including escapes; an ellipsis marks the cut. */
export function shortPrintable(text: string, max = 80): string {
  // A character has at most two UTF-16 units.
  const characters = [...printable(text.slice(0, 2 * (max + 1)))];
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : characters.join('');
}

/** A value as JSON on one line, with every unprintable character as a `\\u` escape: the value is unchanged. */
export function printableJson(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

/** JSON with the same escapes, which do not change its value. Line feeds, which occur only between values, stay. */
export function escapeJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replace(UNPRINTABLE, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_, i) => toUnicodeEscape(character.charCodeAt(i))).join(''),
  );
}

/** The same, ending in a line feed: one line of JSON Lines. */
export function jsonLine(value: unknown): string {
  return `${printableJson(value)}\n`;
}

function toUnicodeEscape(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
