/** Opens a file that the user names, for reading. */
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_NONBLOCK = 0, O_WRONLY } = constants;

const LET_GO_EVERY_MS = 20;

/**
 * Opens a file. For a named pipe without a writer it waits, as any program does, until a writer opens it or `signal` aborts. The
 * wait happens in the operating system: without such an abort, the process could not even end.
 * @throws what opening throws; the signal's reason once it is aborted.
 */
export async function openToRead(path: string, signal: AbortSignal): Promise<FileHandle> {
  signal.throwIfAborted();
  let again: NodeJS.Timeout | undefined;
  // Once may be too early, because the wait begins on another thread.
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

/** Ends a wait for a writer by opening the pipe for writing. Nothing is written, and only a pipe is opened. */
function letGo(path: string): void {
  try {
    if (statSync(path).isFIFO()) closeSync(openSync(path, O_WRONLY | O_NONBLOCK));
  } catch {
    // Nobody waits: the pipe has no reader, or is gone.
  }
}
