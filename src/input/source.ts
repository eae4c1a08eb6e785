/** The input, to be read more than once: a file as it is, a stream from a temporary copy. */
import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError, causeOf, errorCode, misuse } from '../errors.ts';
import { type FileIdentity, identityOf } from '../files/inspect.ts';
import { openToRead } from '../files/open-to-read.ts';
import { printable } from '../text/printable.ts';
import { foreignContent } from './content.ts';
import type { Format } from './row.ts';
import { readText } from './text.ts';

/** How much of the beginning decides between text and binary, and between CSV and JSON. */
const PROBE_BYTES = 65_536;

export interface Source {
  /** What the user calls it. */
  readonly name: string;
  readonly format: Format;
  readonly bytes: number;
  /** Where its refused rows go by default, as the user would write it. */
  readonly refusedPath: string;
  /** All bytes from the start; may be called again when the reading before has ended. */
  chunks(onBytes?: (count: number) => void): AsyncIterable<Uint8Array>;
  /** True when the file was written to since it was opened. */
  changed(): Promise<boolean>;
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly stdin: Readable;
  readonly cwd: string;
  /** What the user calls FILE, where that is not its path. */
  readonly name?: string;
  /** By content when omitted. */
  readonly format: Format | undefined;
  /** Ends the copying of a stream. */
  readonly signal: AbortSignal;
}

/**
 * Opens FILE, or stdin for `-`.
 * @throws CommandError for what is no file, no text, or empty, and when a stream cannot be copied;
 * the signal's AbortError.
 */
export async function openSource(file: string, options: SourceOptions): Promise<Source> {
  if (file === '-') return openStream(options.stdin, 'stdin', options);
  const path = resolve(options.cwd, file);
  const handle = await openHandle(path, file, options.signal);
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw misuse(`${printable(file)} is a directory, not a file.`);
    if (stat.isFile()) {
      return await describe(handle, options.name ?? file, `${file}.refused.csv`, options.format);
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  // A pipe, such as the shell's <(…), can be read only once.
  return openStream(handle.createReadStream(), file, options);
}

/** Which file FILE is, or the shell's `< FILE` for `-`: what must not be written over. Undefined where it is not known. */
export function inputIdentity(
  file: string,
  { stdin, cwd }: Pick<SourceOptions, 'stdin' | 'cwd'>,
): FileIdentity | undefined {
  if (file !== '-') return identityOf(resolve(cwd, file));
  const { fd } = stdin as { readonly fd?: unknown };
  return typeof fd === 'number' ? identityOf(fd) : undefined;
}

async function openHandle(path: string, name: string, signal: AbortSignal): Promise<FileHandle> {
  try {
    return await openToRead(path, signal);
  } catch (error) {
    // Of an interrupted command only that is told, whatever the file is.
    signal.throwIfAborted();
    const code = errorCode(error);
    if (code === 'ENOENT') throw misuse(`There is no file ${printable(name)}.`);
    if (code === 'EACCES' || code === 'EPERM')
      throw misuse(`${printable(name)} may not be read: ${causeOf(error)}.`);
    throw misuse(`${printable(name)} cannot be opened: ${causeOf(error)}.`);
  }
}

async function openStream(
  stream: Readable,
  name: string,
  { format, signal }: SourceOptions,
): Promise<Source> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-'));
  try {
    const path = join(folder, 'input');
    await pipeline(stream, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal }).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        throw new CommandError(
          `${printable(name)} cannot be copied to ${folder}: ${causeOf(error)}. TMPDIR says where copies go.`,
        );
      },
    );
    const handle = await open(path, 'r');
    const refusedPath = `${basename(name)}.refused.csv`;
    return await describe(handle, name, refusedPath, format).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
  } finally {
    // The open handle keeps the bytes; with the name gone, not even a crash leaves them behind.
    await rm(folder, { recursive: true, force: true });
  }
}

async function describe(
  handle: FileHandle,
  name: string,
  refusedPath: string,
  format: Format | undefined,
): Promise<Source> {
  const { size, mtimeMs } = await handle.stat();
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, 0);
  const probe = buffer.subarray(0, bytesRead);
  const text = await probeText(probe, name);
  return {
    name,
    format: format ?? formatOf(text, name),
    bytes: size,
    refusedPath,
    chunks: (onBytes) => readAll(handle, size, onBytes),
    changed: async () => {
      const now = await handle.stat();
      return now.size !== size || now.mtimeMs !== mtimeMs;
    },
    close: () => handle.close(),
  };
}

/** The text that the file begins with. @throws CommandError when it holds none. */
async function probeText(probe: Buffer, name: string): Promise<string> {
  const foreign = foreignContent(probe);
  if (foreign !== undefined) throw misuse(`${printable(name)} ${foreign}.`);
  const text = (await Array.fromAsync(readText(Readable.from([probe])))).join('');
  if (text.trim() === '' && probe.length < PROBE_BYTES) {
    throw misuse(`${printable(name)} is empty: there is nothing to do.`);
  }
  return text;
}

/** No CSV begins with a bracket: no column is called so. */
function formatOf(text: string, name: string): Format {
  const begun = text.trimStart();
  if (begun.startsWith('[')) return 'json';
  // An object over several lines is one of several, or the only one; on one line it is a line of JSON Lines.
  if (begun.startsWith('{'))
    return /^\{[^\n\r]*\}\s*?(?:[\n\r]|$)/.test(begun) || isJsonLines(name) ? 'jsonl' : 'json';
  return isJsonLines(name) ? 'jsonl' : 'csv';
}

function isJsonLines(name: string): boolean {
  return ['.jsonl', '.ndjson'].includes(extname(name).toLowerCase());
}

async function* readAll(
  handle: FileHandle,
  size: number,
  onBytes: ((count: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  if (size === 0) return;
  // Never past the size at the start: rows appended since were not validated.
  const stream = handle.createReadStream({ start: 0, end: size - 1, autoClose: false });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield chunk;
    onBytes?.(chunk.length);
  }
}
