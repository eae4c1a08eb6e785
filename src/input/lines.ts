/** Splits bytes into numbered lines, at any size: a line without an end cannot fill memory. */
import { type Encoding, readText } from './text.ts';

/**
 * The longest line that is kept completely, in characters. An update needs about a thousand; a spreadsheet cell holds
 * 32,767.
 */
export const MAX_LINE_LENGTH = 32_000;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line end. */
  readonly text: string;
  /** True if the line is longer than MAX_LINE_LENGTH and `text` is only its beginning. */
  readonly cut: boolean;
}

/**
 * Splits text at LF or CRLF; at CR if the first line ends in a lone CR, as Excel for Mac writes it.
 * Decodes the text as `readText` does.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  onEncoding?: (encoding: Encoding) => void,
): AsyncGenerator<Line, undefined> {
  let lineEnd: '\n' | '\r' | undefined;
  let number = 0;
  let pending = '';
  let cut = false;
  const add = (part: string): void => {
    const room = MAX_LINE_LENGTH - pending.length;
    cut ||= part.length > room;
    pending += part.length > room ? part.slice(0, room) : part;
  };
  const take = (): Line => {
    const text = !cut && pending.endsWith('\r') ? pending.slice(0, -1) : pending;
    const line = { number: ++number, text, cut };
    pending = '';
    cut = false;
    return line;
  };
  let undecided = '';
  for await (const chunk of readText(chunks, onEncoding)) {
    const text = undecided + chunk;
    undecided = '';
    let start = 0;
    if (lineEnd === undefined) {
      const at = text.search(/[\r\n]/);
      if (at !== -1 && at === text.length - 1 && text[at] === '\r') {
        // The next chunk shows whether a line feed follows.
        add(text.slice(0, at));
        undecided = '\r';
        continue;
      }
      if (at !== -1) lineEnd = text[at] === '\r' && text[at + 1] !== '\n' ? '\r' : '\n';
    }
    const separator = lineEnd ?? '\n';
    for (let end = text.indexOf(separator); end !== -1; end = text.indexOf(separator, start)) {
      add(text.slice(start, end));
      yield take();
      start = end + 1;
    }
    add(text.slice(start));
  }
  add(undecided);
  if (pending !== '') yield take();
}
