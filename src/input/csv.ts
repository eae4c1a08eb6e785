/**
 * CSV records from lines. csv-parse decides what a quoted record means; this file decides where a record ends, so that a
 * stray quote spoils only its own line, not the rest of the file.
 */
import { parse } from 'csv-parse/sync';
import { type Line, MAX_LINE_LENGTH } from './lines.ts';

/** A quoted cell may span this many lines; a quote that is open for longer counts as stray. */
const MAX_RECORD_LINES = 50;

/** One record, or why there is none; `line` is its first line. */
export type CsvRecord =
  | {
      readonly line: number;
      /** Its last line. */
      readonly lastLine: number;
      readonly raw: string;
      readonly cells: readonly string[];
    }
  | { readonly line: number; readonly raw: string; readonly fault: string };

/**
 * Reads records by RFC 4180, but with cells separated by `separator`. Blank lines are skipped. Never throws because of
 * the content of lines.
 * @param begun lines that were already read.
 */
export async function* readCsvRecords(
  lines: AsyncIterator<Line, undefined>,
  separator: string,
  begun: readonly Line[] = [],
): AsyncGenerator<CsvRecord, undefined> {
  // Lines to be read again one by one, including those of what seemed to be a record of several lines.
  const returned = [...begun];
  const next = async (): Promise<Line | undefined> => returned.shift() ?? (await lines.next()).value;

  for (let first = await next(); first !== undefined; first = await next()) {
    const { number: line, text: raw } = first;
    if (first.cut) yield { line, raw, fault: tooLong };
    else if (raw.trim() === '') continue;
    else if (!raw.includes('"')) yield { line, lastLine: line, raw, cells: raw.split(separator) };
    else {
      const joined = await joinUntilClosed(first, next);
      const text = joined.map((part) => part.text).join('\n');
      const cells = joined.some((part) => part.cut) ? undefined : parseRecord(text, separator);
      if (cells !== undefined) yield { line, lastLine: line + joined.length - 1, raw: text, cells };
      else {
        returned.unshift(...joined.slice(1));
        yield { line, raw, fault: 'a quote (") is misplaced or never closed' };
      }
    }
  }
}

/** The fault of a line that is not kept completely. */
export const tooLong = `is longer than ${MAX_LINE_LENGTH} characters`;

/** While the number of quotes is odd, a cell is open and the record continues on the next line. */
async function joinUntilClosed(first: Line, next: () => Promise<Line | undefined>): Promise<Line[]> {
  const joined = [first];
  let length = first.text.length;
  let open = hasOpenQuote(first.text);
  while (open && joined.length < MAX_RECORD_LINES && length < MAX_LINE_LENGTH) {
    const line = await next();
    if (line === undefined) break;
    joined.push(line);
    length += line.text.length;
    if (hasOpenQuote(line.text)) open = !open;
  }
  return joined;
}

function hasOpenQuote(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count++;
  return count % 2 === 1;
}

/** The cells of a record; undefined if the text is not exactly one record. */
export function parseRecord(text: string, separator: string): string[] | undefined {
  try {
    const records = parse(text, {
      delimiter: separator,
      relax_column_count: true,
      record_delimiter: '\n',
    });
    return records.length === 1 ? records[0] : undefined;
  } catch {
    return undefined;
  }
}
