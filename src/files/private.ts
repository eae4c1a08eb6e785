/** Files and folders for nobody but the user that the program runs as, and never through a link. */
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../errors.ts';

export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_RDWR, O_WRONLY } = constants;

/**
 * Makes a folder and those above it that are missing. One that is there keeps its mode: somebody has chosen it.
 * @throws ENOTDIR where something else is in its place.
 */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    // Node's name for a file at the very end of the path: it exists already, which says nothing.
    throw errorCode(error) === 'EEXIST' ? Object.assign(error as Error, { code: 'ENOTDIR' }) : error;
  }
}

/** Opens a file that is not there yet, to write it. @returns the descriptor. @throws EEXIST, also for a link to nowhere. */
export function createPrivate(path: string): number {
  return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
}

/** Opens a file to append to it, and to read it, and makes it if needed, with its folder. @throws ELOOP for a link. */
export async function appendPrivate(path: string): Promise<FileHandle> {
  makePrivateFolder(dirname(path));
  return await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, FILE_MODE);
}

/** Makes an empty file if there is none, for what gives its own files the modes of this one: SQLite. @throws ELOOP for a link. */
export function ensurePrivate(path: string): void {
  makePrivateFolder(dirname(path));
  closeSync(openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, FILE_MODE));
}
