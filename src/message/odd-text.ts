/** Describes what is wrong in a text with forbidden characters, so that even invisible ones can be found. PURE. */
import { printable } from '../text/printable.ts';

/** Characters that look like nothing, or like another character. */
const names: Readonly<Record<string, string>> = {
  ' ': 'a space',
  '\t': 'a tab',
  '\n': 'a line feed',
  '\r': 'a carriage return',
  '\u00a0': 'a no-break space',
  '\u00ad': 'a soft hyphen',
  '\u200b': 'a zero-width space',
  '\u2007': 'a figure space',
  '\u202f': 'a narrow no-break space',
  '\u2010': 'a hyphen that is not "-"',
  '\u2011': 'a hyphen that is not "-"',
  '\u2013': 'a dash',
  '\u2014': 'a dash',
  '\ufeff': 'a byte order mark',
  '\ufffd': 'a character that could not be read',
};

/** A long number in a narrow column, with the decimal sign of any country. */
const SHORTENED_NUMBER = /^[+-]?\d{1,3}(?:[.,]\d{1,20})?E[+-]\d{1,3}$/i;
/** In any language. */
const SPREADSHEET_ERROR = /^#(?:#+|[\p{Lu}\d/]{2,12}[!?]?)$/u;
const DECIMAL_NUMBER = /^\d{1,20}\.0$/;

/**
 * Names the first forbidden character of `text` and its position, or what caused the text to be wrong.
 * @param odd matches a forbidden character.
 * @returns undefined when there is none.
 */
export function describeOdd(text: string, odd: RegExp): string | undefined {
  if (SHORTENED_NUMBER.test(text)) {
    return `"${text}" is a long number as a spreadsheet shortens it: make the column text and enter it again`;
  }
  if (SPREADSHEET_ERROR.test(text)) return `"${text}" is an error of a spreadsheet's formula`;
  if (DECIMAL_NUMBER.test(text)) return `"${text}" is a number with decimals, but should be a text`;
  // All characters before it are ASCII, so its position is its index.
  const at = text.search(odd);
  if (at === -1) return undefined;
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const what = nameOf(character);
  if (at === 0) return `it begins with ${what}`;
  if (at === text.trimEnd().length || at + character.length === text.length) return `it ends with ${what}`;
  return `character ${at + 1} is ${what}`;
}

function nameOf(character: string): string {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const name = names[character];
  if (name !== undefined) return /[\t\n\r ]/.test(character) ? name : `${name} (${code})`;
  if (printable(character) !== character) return code;
  // Many letters look like those of ASCII.
  return character < '\u007f' ? `"${character}"` : `"${character}" (${code})`;
}
