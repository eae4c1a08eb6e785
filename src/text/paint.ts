/** Colours for the most important parts of a command's output. PURE. */
import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** What is coloured at the beginning of a line; the first match applies. */
const rules: readonly (readonly [RegExp, Format])[] = [
  [/^(?:FAIL(?= )|stopped:)/, ['bold', 'red']],
  [/^(?:warn(?= )|warning:)/, ['bold', 'yellow']],
  [/^ok(?= )/, 'green'],
  [/^ {2}(?:failed|refused|cannot|unread|not deleted)\s+[1-9][\d,]*/, 'red'],
  [/^ {2}(?:applied|put back|sent)\s+[1-9][\d,]*/, 'green'],
  [/^next:/, 'bold'],
  // The header of a table.
  [/^[A-Z]{2,}(?: {2,}[A-Z()]+[A-Z() ]*)+$/, 'bold'],
];

/** The text with colours; otherwise unchanged. */
export function paint(text: string): string {
  return text.split('\n').map(paintLine).join('\n');
}

/** The whole of an error. */
export function paintError(text: string): string {
  return styleText('red', text, { validateStream: false });
}

function paintLine(line: string): string {
  for (const [pattern, format] of rules) {
    const [found] = pattern.exec(line) ?? [];
    if (found !== undefined)
      return styleText(format, found, { validateStream: false }) + line.slice(found.length);
  }
  return line;
}
