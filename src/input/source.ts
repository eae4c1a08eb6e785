/** The input, which can be read more than once: a file directly, a stream from a temporary copy. */
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

/** How much of the beginning is used to detect binary files, and to distinguish CSV from JSON. */
const PROBE_BYTES = 65_536;

export interface Source {
  /** The user's name for it. */
  readonly name: string;
  readonly format: Format;
  readonly bytes: number;
  /** The default path of its refused rows, as the user would write it. */
  readonly refusedPath: string;
  /** All bytes from the start; may be called again when the previous reading has ended. */
  chunks(onBytes?: (count: number) => void): AsyncIterable<Uint8Array>;
  /** True if the file has changed since it was opened. */
  changed(): Promise<boolean>;
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly stdin: Readable;
  readonly cwd: string;
  /** The user's name for FILE, if that is not its path. */
  readonly name?: string;
  /** If omitted, detected from the content. */
  readonly format: Format | undefined;
  /** Aborts the copying of a stream. */
  readonly signal: AbortSignal;
}

/**
 * Opens FILE, or stdin for `-`.
 * @throws CommandError if it is not a file, not text, or empty, and if a stream cannot be copied;
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

/** The identity of FILE, or of the shell's `< FILE` for `-`, which must not be overwritten. Undefined if unknown. */
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
    // An interrupted command reports only the interruption, whatever the file contains.
    signal.throwIfAborted();
    const code = errorCode(error);
    if (code === 'ENOENT') throw misuse(`There is no file ${printable(name)}.`);
    if (code === 'EACCES' || code === 'EPERM')
      throw misuse(`${printable(name)} cannot be read: ${causeOf(error)}.`);
    throw misuse(`${printable(name)} cannot be opened: ${causeOf(error)}.`);
  }
}

async function openStream(
  stream: Readable,
  name: string,
  { format, signal }: SourceOptions,
): Promise<Source> {
  const uncopied = (to: string) => (error: unknown) => {
    signal.throwIfAborted();
    throw new CommandError(
      `${printable(name)} cannot be copied to ${to}: ${causeOf(error)}. Set TMPDIR to another folder for copies.`,
    );
  };
  const parent = tmpdir();
  const folder = await mkdtemp(join(parent, 'ota-updater-')).catch(uncopied(parent));
  try {
    const path = join(folder, 'input');
    const copy = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    await pipeline(stream, copy, { signal }).catch(uncopied(folder));
    const handle = await open(path, 'r');
    const refusedPath = `${basename(name)}.refused.csv`;
    return await describe(handle, name, refusedPath, format).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
  } finally {
    // The open handle keeps the content; without a name, not even a crash leaves the file behind.
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

/** The beginning of the file as text. @throws CommandError if the file is not text. */
async function probeText(probe: Buffer, name: string): Promise<string> {
  const foreign = foreignContent(probe);
  if (foreign !== undefined) throw misuse(`${printable(name)} ${foreign}.`);
  const text = (await Array.fromAsync(readText(Readable.from([probe])))).join('');
  if (text.trim() === '' && probe.length < PROBE_BYTES) {
    throw misuse(`${printable(name)} is empty: there is nothing to do.`);
  }
  return text;
}

/** CSV never begins with a bracket: no column has such a name. */
function formatOf(text: string, name: string): Format {
  const begun = text.trimStart();
  if (begun.startsWith('[')) return 'json';
  // An object over several lines is JSON; an object on one line is a line of JSON Lines.
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
  // Never read beyond the initial size: rows appended since were not validated.
  const stream = handle.createReadStream({ start: 0, end: size - 1, autoClose: false });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield chunk;
    onBytes?.(chunk.length);
  }
}
