/** What is at a path: which file, its kind, and its content. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY } = constants;

/** Identifies a file independently of its name: all names (hard links) of a file have the same identity. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** The identity of the file at a path, or of an open descriptor; undefined if unknown. */
export function identityOf(file: string | number): FileIdentity | undefined {
  try {
    return typeof file === 'number' ? fstatSync(file, { bigint: true }) : statSync(file, { bigint: true });
  } catch {
    return undefined;
  }
}

export function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** `a link`, for a sentence about something that is not a regular file. */
export function kindOf(there: BigIntStats): string {
  if (there.isSymbolicLink()) return 'a link';
  if (there.isDirectory()) return 'a folder';
  if (there.isFIFO()) return 'a pipe';
  return there.isSocket() ? 'a socket' : 'a device';
}

const BEGINNING_BYTES = 4_096;
const CHUNK_BYTES = 65_536;

/** The first 4,096 bytes of a regular file as text; empty if they cannot be read, and then nothing is known about it. */
export function beginningOf(path: string): string {
  return withRegularFile(path, (file) => readChunk(file, 0, BEGINNING_BYTES).toString('utf8')) ?? '';
}

/** Whether both are regular files with the same bytes; false also if that is unknown. */
export function sameContent(first: string, second: string): boolean {
  const same = withRegularFile(first, (a) =>
    withRegularFile(second, (b) => {
      for (let at = 0; ; at += CHUNK_BYTES) {
        const [left, right] = [readChunk(a, at, CHUNK_BYTES), readChunk(b, at, CHUNK_BYTES)];
        if (!left.equals(right)) return false;
        if (left.length < CHUNK_BYTES) return true;
      }
    }),
  );
  return same === true;
}

function readChunk(file: number, at: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  return buffer.subarray(0, readSync(file, buffer, 0, bytes, at));
}

/** Undefined if it is not a regular file, or cannot be read. Opening a pipe without O_NONBLOCK would wait for a writer. */
function withRegularFile<T>(path: string, read: (file: number) => T): T | undefined {
  try {
    const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      return fstatSync(file).isFile() ? read(file) : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
