/** Lines for a person at 80 columns. PURE. */

import { stripVTControlCharacters } from 'node:util';
import { number } from './numbers.ts';

/** Columns that the output keeps to. */
export const WIDTH = 80;

/** The columns of the terminal at `stream`; undefined where there is none, and for one that does not know its size: it says 0. */
export function columnsOf({ columns }: { readonly columns?: number }): number | undefined {
  return columns === undefined || columns < 2 ? undefined : columns;
}

/** Columns for text on a terminal of `columns`: no more than can be read, however wide it is. */
export function widthOf(columns = WIDTH): number {
  return Math.min(WIDTH, columns);
}

/** The least room that a word is broken into. */
const LEAST_ROOM = 16;

/**
 * Words on lines of at most `width`, each after `indent`.
 * @param longWords what becomes of a word that is longer than a line: whole, it can be copied.
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

/** The same after `prefix`; further lines begin below the text. */
export function hang(prefix: string, text: string, width = WIDTH): string {
  return prefix + wrap(text, ' '.repeat(prefix.length), 'broken', width).slice(prefix.length);
}

/** One line of at most `max` characters, colours not counted; what is cut off, and then the colours too, is an ellipsis. */
export function clip(line: string, max: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= max) return line;
  // A whole character is two units at most.
  return `${plain.slice(0, Math.max(0, max - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * Rows of cells below each other, a line each, two spaces between. Where they are wider than `columns`, the first cell has
 * a line of its own, and the others as many as they need, broken alike in all rows; nothing is cut off.
 * @param columns of the terminal; undefined where there is none, and every row is one line.
 * @param right the places of cells that stand at the right of their column: numbers.
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
  // A terminal that does not know its size says 0.
  if (!columns || whole.every((line) => line.length <= columns)) return whole;
  const lines = packed(widths.slice(1), columns - 2);
  return rows.flatMap((cells) => [
    cells[0] ?? '',
    ...lines.map((places) =>
      `  ${places.map((place) => cell(cells[place + 1] ?? '', place + 1)).join('  ')}`.trimEnd(),
    ),
  ]);
}

/** The places of cells of these widths, two spaces between, on lines of at most `room`; at least one on each. */
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

/** What to do next: a command has a line for itself, to be pasted, and below it is what it does. */
export function nextLine(command: string, does?: string): string {
  return does === undefined ? `next: ${command}` : `next: ${command}\n      ${does}`;
}

/** Below so many columns what goes on below itself begins near the left. */
export const NARROW = 60;

/**
 * One line of a summary: a name, a count below the other counts, and a note.
 * @param columns of the terminal, where the note goes on below itself; undefined: one line, however long.
 */
export function countLine(name: string, count: number, note = '', columns?: number): string {
  const start = `  ${name.padEnd(14)}${number(count).padStart(9)}  `;
  const line = `${start}${note}`.trimEnd();
  if (columns === undefined || line.length <= columns) return line;
  if (columns < NARROW) return `${start.trimEnd()}\n${wrap(note, '    ', 'whole', columns)}`;
  return start + wrap(note, ' '.repeat(start.length), 'whole', columns).slice(start.length);
}
