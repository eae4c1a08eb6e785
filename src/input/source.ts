/** The input, to be read more than once: a file as it is, a stream from a temporary copy. */
import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError, causeOf, errorCode, misuse } from '../errors.ts';
import { type FileIdentity, identityOf } from '../files/inspect.ts';
import { printable } from '../text/printable.ts';
import type { Format } from './rows.ts';

/** How much of the beginning decides between text and binary, and between CSV and JSON Lines. */
const PROBE_BYTES = 65_536;

const FORMATS: Readonly<Record<string, Format>> = { '.csv': 'csv', '.jsonl': 'jsonl', '.ndjson': 'jsonl' };

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
  /** By extension when omitted; of a stream by its first character. */
  readonly format: Format | undefined;
  /** Ends the copying of a stream. */
  readonly signal: AbortSignal;
}

/**
 * Opens FILE, or stdin for `-`.
 * @throws CommandError for what is no file, no text, empty, or of unknown format, and when a stream cannot be copied;
 * the signal's AbortError.
 */
export async function openSource(file: string, options: SourceOptions): Promise<Source> {
  if (file === '-') return openStream(options.stdin, 'stdin', options);
  const path = resolve(options.cwd, file);
  const handle = await openHandle(path, file);
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw misuse(`${printable(file)} is a directory, not a file.`);
    if (stat.isFile()) {
      const format = options.format ?? FORMATS[extname(file).toLowerCase()];
      return await describe(handle, { name: file, refusedPath: `${file}.refused.csv`, format, sniff: false });
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

async function openHandle(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
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
        if (signal.aborted) throw error;
        throw new CommandError(
          `${printable(name)} cannot be copied to ${folder}: ${causeOf(error)}. TMPDIR says where copies go.`,
        );
      },
    );
    const handle = await open(path, 'r');
    const refusedPath = `${basename(name)}.refused.csv`;
    return await describe(handle, { name, refusedPath, format, sniff: true }).catch(
      async (error: unknown) => {
        await handle.close();
        throw error;
      },
    );
  } finally {
    // The open handle keeps the bytes; with the name gone, not even a crash leaves them behind.
    await rm(folder, { recursive: true, force: true });
  }
}

interface Description {
  readonly name: string;
  readonly refusedPath: string;
  readonly format: Format | undefined;
  readonly sniff: boolean;
}

async function describe(
  handle: FileHandle,
  { name, refusedPath, format, sniff }: Description,
): Promise<Source> {
  const { size, mtimeMs } = await handle.stat();
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, 0);
  const probe = buffer.subarray(0, bytesRead);
  const text = probeText(probe, name);
  const known = format ?? (sniff ? sniffFormat(text) : undefined);
  if (known === undefined) {
    throw misuse(
      `The format of ${printable(name)} is not clear from its name: give --format csv or --format jsonl.`,
    );
  }
  return {
    name,
    format: known,
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

function probeText(probe: Buffer, name: string): string {
  if (probe.includes(0)) {
    const utf16 = (probe[0] === 0xff && probe[1] === 0xfe) || (probe[0] === 0xfe && probe[1] === 0xff);
    throw misuse(
      utf16
        ? `${printable(name)} is UTF-16 text: save it as UTF-8.`
        : `${printable(name)} is a binary file (it holds NUL bytes), neither CSV nor JSON Lines.`,
    );
  }
  const text = new TextDecoder().decode(probe);
  if (text.trim() === '' && probe.length < PROBE_BYTES) {
    throw misuse(`${printable(name)} is empty: there is nothing to do.`);
  }
  return text;
}

function sniffFormat(text: string): Format {
  return text.trimStart().startsWith('{') ? 'jsonl' : 'csv';
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
