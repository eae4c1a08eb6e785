/** What is at a path: which file, of what kind, with what in it. */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY } = constants;

/** Which file it is, whatever it is called: all names of a file (hard links) have the same. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Which file a path, or an open file's descriptor, leads to; undefined where that cannot be known. */
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

/** `a link`, for a sentence about what is no regular file. */
export function kindOf(there: BigIntStats): string {
  if (there.isSymbolicLink()) return 'a link';
  if (there.isDirectory()) return 'a folder';
  if (there.isFIFO()) return 'a pipe';
  return there.isSocket() ? 'a socket' : 'a device';
}

const BEGINNING_BYTES = 4_096;
const CHUNK_BYTES = 65_536;

/** The first 4,096 bytes of a regular file as text; empty where they cannot be read: then nothing is known of it. */
export function beginningOf(path: string): string {
  return withRegularFile(path, (file) => readChunk(file, 0, BEGINNING_BYTES).toString('utf8')) ?? '';
}

/** Whether both are regular files that hold the same bytes; false also where that cannot be known. */
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

/** Undefined for what is no regular file, or cannot be read. Opening a pipe without O_NONBLOCK would wait for a writer. */
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
