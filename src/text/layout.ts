/** Lines for a person at 80 columns. PURE. */

import { stripVTControlCharacters } from 'node:util';
import { number } from './numbers.ts';

/** The default width of output, in columns. */
export const WIDTH = 80;

/** The width of the terminal at `stream`; undefined without a terminal. A terminal that does not know its size reports 0. */
export function columnsOf({ columns }: { readonly columns?: number }): number | undefined {
  return columns === undefined || columns < 2 ? undefined : columns;
}

/** The width of text on a terminal of `columns`: limited to what is readable, however wide the terminal is. */
export function widthOf(columns = WIDTH): number {
  return Math.min(WIDTH, columns);
}

/** Minimum width into which words are broken. */
const LEAST_ROOM = 16;

/**
 * Words on lines of at most `width`, each after `indent`.
 * @param longWords what to do with a word longer than a line; an unbroken word can be copied.
 */
export function wrap(
  text: string,
  indent = '',
  longWords: 'broken' | 'whole' = 'broken',
  width = WIDTH,
): string {
  const room = Math.max(LEAST_ROOM, width - indent.length);
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = '';
    }
    for (; longWords === 'broken' && word.length > room; word = word.slice(room))
      lines.push(word.slice(0, room));
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => indent + each).join('\n');
}

/** The same after `prefix`; further lines are aligned with the text. */
export function hang(prefix: string, text: string, width = WIDTH): string {
  return prefix + wrap(text, ' '.repeat(prefix.length), 'broken', width).slice(prefix.length);
}

/**
 * One line of at most `max` characters, not counting colours. If text is cut off, it ends in an ellipsis and loses its colours.
 */
export function clip(line: string, max: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= max) return line;
  // A whole character has at most two UTF-16 units.
  return `${plain.slice(0, Math.max(0, max - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * A table with one line per row, two spaces between cells. If rows are wider than `columns`, the first cell gets
 * a line of its own, and the others as many lines as they need, broken in the same way in all rows; nothing is cut off.
 * @param columns the terminal's width; undefined without a terminal: every row is one line.
 * @param right the indexes of right-aligned cells: numbers.
 */
export function table(
  rows: readonly (readonly string[])[],
  columns: number | undefined,
  right: readonly number[] = [],
): string[] {
  const width = (place: number): number => Math.max(...rows.map((cells) => cells[place]?.length ?? 0));
  const widths = Array.from({ length: Math.max(0, ...rows.map((cells) => cells.length)) }, (_, i) =>
    width(i),
  );
  const cell = (text: string, place: number): string =>
    right.includes(place) ? text.padStart(widths[place] ?? 0) : text.padEnd(widths[place] ?? 0);
  const whole = rows.map((cells) => cells.map(cell).join('  ').trimEnd());
  // A terminal that does not know its size reports 0.
  if (!columns || whole.every((line) => line.length <= columns)) return whole;
  const lines = packed(widths.slice(1), columns - 2);
  return rows.flatMap((cells) => [
    cells[0] ?? '',
    ...lines.map((places) =>
      `  ${places.map((place) => cell(cells[place + 1] ?? '', place + 1)).join('  ')}`.trimEnd(),
    ),
  ]);
}

/** Distributes cells of these widths, two spaces between, over lines of at most `room`; at least one cell per line. */
function packed(widths: readonly number[], room: number): number[][] {
  const lines: number[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const [place, width] of widths.entries()) {
    used += 2 + width;
    if (used > room) {
      lines.push([]);
      used = width;
    }
    lines.at(-1)?.push(place);
  }
  return lines;
}

/** What to do next: the command is on its own line, so that it can be pasted, followed by its purpose. */
export function nextLine(command: string, does?: string): string {
  return does === undefined ? `next: ${command}` : `next: ${command}\n      ${does}`;
}

/** With fewer columns, continuation lines begin near the left margin. */
export const NARROW = 60;

/**
 * One line of a summary: a name, a count aligned with the other counts, and a note.
 * @param columns the terminal's width, at which the note is wrapped; undefined: one line of any length.
 */
export function countLine(name: string, count: number, note = '', columns?: number): string {
  const start = `  ${name.padEnd(14)}${number(count).padStart(9)}  `;
  const line = `${start}${note}`.trimEnd();
  if (columns === undefined || line.length <= columns) return line;
  if (columns < NARROW) return `${start.trimEnd()}\n${wrap(note, '    ', 'whole', columns)}`;
  return start + wrap(note, ' '.repeat(start.length), 'whole', columns).slice(start.length);
}
