/** The items of a JSON array, as text for JSON.parse. The array may have any size: memory holds only one item. */
import { misuse } from '../errors.ts';
import { printable } from '../text/printable.ts';
import { MAX_LINE_LENGTH } from './lines.ts';

export interface JsonItem {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly raw: string;
  /** True if the item is longer than MAX_LINE_LENGTH and `raw` is only its beginning. */
  readonly cut: boolean;
}

/**
 * The position in the array. Objects one after the other without an array, as jq prints them, are also `between`.
 *
 *   before ─► between ◄─► item      between ─► after
 */
type State = 'before' | 'between' | 'item' | 'after';

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const isBlank = (code: number): boolean =>
  code === 0x20 || code === 0x09 || code === 0x0d || code === LINE_FEED;

/**
 * Splits an array, or objects one after the other, into items.
 * @throws CommandError, with the line, if the text is not an array, ends inside it, or has a string that is not closed on
 * its line: it is then unknown where the next item begins.
 */
export async function* readJsonArray(
  text: AsyncIterable<string>,
  name: string,
): AsyncGenerator<JsonItem, undefined> {
  let state = 'before' as State;
  let isArray = false;
  let line = 1;
  let item = { line: 1, raw: '', cut: false };
  let depth = 0;
  let inString = false;
  let escaped = false;
  const fault = (what: string): Error => misuse(`${printable(name)}, line ${line}: ${what}.`);
  const add = (part: string): void => {
    const room = MAX_LINE_LENGTH - item.raw.length;
    item = { ...item, raw: item.raw + part.slice(0, room), cut: item.cut || part.length > room };
  };

  for await (const chunk of text) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (code === LINE_FEED) line++;
      if (state === 'before') {
        if (isBlank(code)) continue;
        if (code !== OPEN_ARRAY && code !== OPEN_OBJECT)
          throw fault('begins with neither [ nor {: it is not a JSON array');
        isArray = code === OPEN_ARRAY;
        state = 'between';
        if (isArray) continue;
      }
      if (state === 'after') {
        if (!isBlank(code)) throw fault('the file continues after the end of its array');
        continue;
      }
      if (state === 'between') {
        if (isBlank(code) || code === COMMA) continue;
        if (code === CLOSE_ARRAY && isArray) {
          state = 'after';
          continue;
        }
        state = 'item';
        item = { line, raw: '', cut: false };
        depth = 0;
        start = at;
      }
      if (inString) {
        if (code === LINE_FEED) throw misuse(`${printable(name)}, line ${line - 1}: ${NOT_CLOSED}.`);
        if (escaped) escaped = false;
        else if (code === BACKSLASH) escaped = true;
        else if (code === QUOTE) inString = false;
        continue;
      }
      if (code === QUOTE) inString = true;
      else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
      const closes = code === CLOSE_OBJECT || code === CLOSE_ARRAY;
      // A number or a string ends at the following character.
      const endsBefore = depth === 0 && (code === COMMA || code === CLOSE_ARRAY);
      if (closes && depth > 0) depth--;
      else if (!endsBefore) continue;
      if (depth > 0) continue;
      add(chunk.slice(start, endsBefore ? at : at + 1));
      state = endsBefore && code === CLOSE_ARRAY ? 'after' : 'between';
      yield item;
    }
    if (state === 'item') add(chunk.slice(start));
  }
  if (state === 'item' || (state === 'between' && isArray))
    throw fault('the file ends before its array does: it is cut short');
}

const NOT_CLOSED = 'not JSON: a text that begins with a quote (") does not end on its line';
