/** Outputs any number of letters to a pipe or a file. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { OutputFile } from '../../files/output-file.ts';

/**
 * Writes, and waits while the reader is slow: a million letters must not accumulate in memory.
 * @throws if the stream has closed.
 */
export async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.writable) throw new Error('the output is closed');
  if (stream.write(text)) return;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } finally {
    settled.abort();
  }
}

/** Writes a line of output, and waits while the reader is slow. */
export type WriteText = (text: string) => Promise<void>;

/**
 * Runs `work` with a new file, and never replaces an existing one: an export may be the only copy of letters that were
 * purged since. However `work` ends, the file contains what it wrote; if `work` fails before writing, there is no file.
 * @throws CommandError if the file cannot be created or written; otherwise what `work` throws.
 */
export async function withNewFile(
  name: string,
  cwd: string,
  work: (write: WriteText) => Promise<void>,
): Promise<void> {
  const kind = { title: 'The export', flag: '--out' };
  const file = new OutputFile(kind, name, { cwd });
  try {
    await work(async (text) => file.write(text));
  } catch (error) {
    if (file.begun) file.place();
    throw error;
  }
  file.place();
}
