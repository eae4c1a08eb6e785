/** Files and folders that only the user of this process may access, and that are never opened through a link. */
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../errors.ts';

export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_RDWR, O_WRONLY } = constants;

/**
 * Creates a folder and its missing parents. An existing folder keeps its mode, since somebody has chosen it.
 * @throws ENOTDIR if something else is in its place.
 */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    // Node's code if the last part of the path is a file: "it exists" would be misleading.
    throw errorCode(error) === 'EEXIST' ? Object.assign(error as Error, { code: 'ENOTDIR' }) : error;
  }
}

/** Creates a file and opens it for writing. @returns the descriptor. @throws EEXIST, also for a dangling link. */
export function createPrivate(path: string): number {
  return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
}

/** Opens a file for appending and reading; creates it and its folder if needed. @throws ELOOP for a link. */
export async function appendPrivate(path: string): Promise<FileHandle> {
  makePrivateFolder(dirname(path));
  return await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, FILE_MODE);
}

/** Creates an empty file if there is none. SQLite gives its additional files the mode of this one. @throws ELOOP for a link. */
export function ensurePrivate(path: string): void {
  makePrivateFolder(dirname(path));
  closeSync(openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, FILE_MODE));
}
