/** What is said of an error that nobody foresaw: a sentence for the user, and the stack for who mends it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { printable, printableLines } from '../text/printable.ts';
import { remoteStack, remoteText } from '../text/remote.ts';

/**
 * What to print, ending in a line feed. The stack goes to a file of its own, which is named; where none can be written, and
 * in a log, whose reader has no files, it is printed before the sentence.
 * @param inLog whether it is printed into the log of a service.
 */
export function crashText(error: unknown, version: string, inLog: boolean): string {
  const stack = stackOf(error);
  const file = inLog ? undefined : keep(`ota-updater ${version}, Node ${process.version}\n${stack}\n`);
  const said = printable(remoteText(messageOf(error)));
  const sentence = `This is a bug in ota-updater: ${said.replace(/[.,\s]+$/, '')}. Please report it with the stack`;
  return file === undefined
    ? `${stack}\n${sentence} above.\n`
    : `${sentence}, which is in ${printable(file)}.\n`;
}

/** A message can be of any origin: it may hold secrets, or control a terminal. */
function stackOf(error: unknown): string {
  return printableLines(remoteStack(error instanceof Error ? (error.stack ?? error.message) : String(error)));
}

/** @returns the path of a new file that holds `text`; undefined where it cannot be written. */
function keep(text: string): string | undefined {
  try {
    const path = join(mkdtempSync(join(tmpdir(), 'ota-updater-crash-')), 'stack.txt');
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return path;
  } catch {
    return undefined;
  }
}
