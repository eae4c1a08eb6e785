/** Opens what the user names to be read. */
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_NONBLOCK = 0, O_WRONLY } = constants;

const LET_GO_EVERY_MS = 20;

/**
 * Opens a file. A named pipe that nobody writes to is waited for, as any program does, until somebody opens it or `signal` aborts:
 * the wait is the operating system's, so without that even the process could not end.
 * @throws what opening throws; the signal's reason once it is aborted.
 */
export async function openToRead(path: string, signal: AbortSignal): Promise<FileHandle> {
  signal.throwIfAborted();
  let again: NodeJS.Timeout | undefined;
  // Once may be too early: the wait begins on another thread.
  const endWait = (): void => {
    letGo(path);
    again = setInterval(letGo, LET_GO_EVERY_MS, path);
  };
  signal.addEventListener('abort', endWait, { once: true });
  try {
    const handle = await open(path, 'r').catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    if (!signal.aborted) return handle;
    await handle.close();
    throw signal.reason;
  } finally {
    clearInterval(again);
    signal.removeEventListener('abort', endWait);
  }
}

/** Who opens a pipe to write lets those go on who wait for that. Nothing is written, and only a pipe is opened. */
function letGo(path: string): void {
  try {
    if (statSync(path).isFIFO()) closeSync(openSync(path, O_WRONLY | O_NONBLOCK));
  } catch {
    // Nobody waits: there is no reader, or the pipe is gone.
  }
}
