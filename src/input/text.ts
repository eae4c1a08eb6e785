/**
 * The text of a file from any program. Excel writes UTF-8 with a byte order mark ("CSV UTF-8"), Windows-1252 ("CSV")
 * and UTF-16 ("Unicode Text").
 */
import { isAscii, isUtf8 } from 'node:buffer';

export type Encoding = 'UTF-8' | 'UTF-16' | 'Windows-1252';

/** The longest sequence of bytes that is one character of UTF-8. */
const LONGEST_SEQUENCE = 4;

/**
 * Decodes bytes. The first two bytes show UTF-16 ({@link wideLabel}). Otherwise the first character beyond ASCII decides: if it
 * is not UTF-8, the file is Windows-1252. A byte order mark is dropped. Bytes that are invalid in
 * the encoding become U+FFFD, which no field of an update allows. The result does not depend on how the bytes are split.
 * @param onEncoding called once, when it is clear that the text is not UTF-8.
 */
export async function* readText(
  chunks: AsyncIterable<Uint8Array>,
  onEncoding: (encoding: Encoding) => void = () => {},
): AsyncGenerator<string, undefined> {
  let decoder: TextDecoder | undefined;
  let atStart = true;
  let held: Uint8Array = new Uint8Array();
  const begin = (label: string): TextDecoder => {
    if (label !== 'utf-8') onEncoding(label === 'windows-1252' ? 'Windows-1252' : 'UTF-16');
    return new TextDecoder(label);
  };
  for await (const chunk of chunks) {
    if (decoder !== undefined) {
      yield decoder.decode(chunk, { stream: true });
      continue;
    }
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    held = new Uint8Array();
    if (atStart) {
      if (bytes.length < 2) {
        held = bytes;
        continue;
      }
      atStart = false;
      const wide = wideLabel(bytes);
      if (wide !== undefined) decoder = begin(wide);
    }
    const plain = decoder === undefined ? asciiLength(bytes) : 0;
    if (plain > 0) yield Buffer.from(bytes.buffer, bytes.byteOffset, plain).toString('latin1');
    const rest = bytes.subarray(plain);
    if (decoder === undefined && rest.length > 0) {
      if (rest.length < LONGEST_SEQUENCE) {
        held = rest;
        continue;
      }
      decoder = begin(narrowLabel(rest));
    }
    if (decoder !== undefined) yield decoder.decode(rest, { stream: true });
  }
  decoder ??= begin(narrowLabel(held));
  const end = decoder.decode(held, { stream: true }) + decoder.decode();
  if (end !== '') yield end;
}

/**
 * Whether a file is UTF-16, by its first two bytes: a byte order mark, or a NUL and an ASCII character that can begin a text. Other
 * bytes next to a NUL belong to a binary file.
 */
export function wideLabel([first = 0, second = 0]: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if ((first === 0xff && second === 0xfe) || (beginsText(first) && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && beginsText(second))) return 'utf-16be';
  return undefined;
}

/** A printable character of ASCII, a tab or the end of a line. */
function beginsText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** @param bytes begin with a character beyond ASCII, or are empty. */
function narrowLabel(bytes: Uint8Array): 'utf-8' | 'windows-1252' {
  const [lead = 0] = bytes;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return isUtf8(bytes.subarray(0, length)) ? 'utf-8' : 'windows-1252';
}

function asciiLength(bytes: Uint8Array): number {
  return isAscii(bytes) ? bytes.length : bytes.findIndex((byte) => byte > 0x7f);
}
