/** Output of any number of letters, to a pipe or to a file. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { CommandError, messageOf, misuse } from '../../errors.ts';
import { createPrivate } from '../../files/private.ts';
import { shortPrintable } from '../../text/printable.ts';

/**
 * Writes, and waits while the reader is slow: a million letters must not pile up in memory.
 * @throws when the stream has closed.
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

/**
 * Runs `work` with a file that does not exist yet: an export may be the only copy of letters that were purged since.
 * However `work` ends, what it wrote is in the file.
 * @throws CommandError when the file cannot be made or written; else what `work` throws.
 */
export async function withNewFile(path: string, work: (file: Writable) => Promise<void>): Promise<void> {
  let fd: number;
  try {
    fd = createPrivate(path);
  } catch (error) {
    throw misuse(`--out: ${shortPrintable(messageOf(error), 300)}`);
  }
  const file = createWriteStream(path, { fd });
  // Reported below; without a listener it would end the process.
  file.on('error', () => {});
  try {
    try {
      await work(file);
    } finally {
      file.end();
      await finished(file);
    }
  } catch (error) {
    if (file.errored === null) throw error;
    throw new CommandError(`--out: ${shortPrintable(file.errored.message, 300)}`);
  }
}
