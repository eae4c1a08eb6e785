/** Bytes to numbered lines, at any size: a line without an end cannot fill the memory. */

/** The longest line that is kept whole, in characters. An update needs about a thousand; a spreadsheet cell holds 32,767. */
export const MAX_LINE_LENGTH = 32_000;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line end. */
  readonly text: string;
  /** True when the line is longer than MAX_LINE_LENGTH and `text` is only its beginning. */
  readonly cut: boolean;
}

/**
 * Splits UTF-8 at LF or CRLF. A byte order mark is dropped; bytes that are not UTF-8 become U+FFFD,
 * which no field of an update allows.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line, undefined> {
  const decoder = new TextDecoder();
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
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      add(text.slice(start, end));
      yield take();
      start = end + 1;
    }
    add(text.slice(start));
  }
  add(decoder.decode());
  if (pending !== '') yield take();
}
