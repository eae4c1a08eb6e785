/** Small files: read completely or not at all, and replaced as a whole. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { causeOf, errorCode } from '../errors.ts';
import { FILE_MODE, makePrivateFolder } from './private.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_WRONLY } = constants;

/** What is at a path: its text, nothing, or a phrase that says why it cannot be read. */
export type SmallFile = { readonly text: string } | { readonly absent: true } | { readonly fault: string };

export interface ReadOptions {
  readonly maxBytes: number;
  /** Whether a link at the path is followed. */
  readonly links: boolean;
}

/** Never rejects. */
export async function readSmallFile(path: string, { maxBytes, links }: ReadOptions): Promise<SmallFile> {
  let file: FileHandle | undefined;
  try {
    // A pipe would wait for a writer.
    file = await open(path, O_RDONLY | O_NONBLOCK | (links ? 0 : O_NOFOLLOW));
    const stats = await file.stat();
    if (!stats.isFile()) return { fault: 'it is not a regular file' };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    if (bytesRead > maxBytes) return { fault: `it is larger than ${maxBytes} bytes` };
    return { text: buffer.toString('utf8', 0, bytesRead) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { absent: true };
    return { fault: `it cannot be read: ${causeOf(error)}` };
  } finally {
    await file?.close().catch(() => undefined);
  }
}

/**
 * Replaces what is at the path, even a link, by a file that only this user may access; creates its folder if needed. A reader
 * sees the old or the new file, never a part. Rejects with the system's error; the old file then stays.
 */
export async function replaceSmallFile(path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(6).toString('hex')}.part`;
  const file = await create(part);
  try {
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function create(path: string): Promise<FileHandle> {
  const make = (): Promise<FileHandle> => open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
  try {
    return await make();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    makePrivateFolder(dirname(path));
    return await make();
  }
}
