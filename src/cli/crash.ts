/** The output for an unexpected error: a sentence for the user, and the stack for the developer. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { printable, printableLines } from '../text/printable.ts';
import { remoteStack, remoteText } from '../text/remote.ts';

/**
 * The text to print, ending in a line feed. The stack goes to a separate file, which the text names. If no file can be
 * written, and in a log, whose reader has no files, the stack is printed before the sentence.
 * @param inLog whether the text goes into the log of a service.
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

/** A message can have any origin: it may contain secrets, or control a terminal. */
function stackOf(error: unknown): string {
  return printableLines(remoteStack(error instanceof Error ? (error.stack ?? error.message) : String(error)));
}

/** @returns the path of a new file with `text`; undefined if it cannot be written. */
function keep(text: string): string | undefined {
  try {
    const path = join(mkdtempSync(join(tmpdir(), 'ota-updater-crash-')), 'stack.txt');
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return path;
  } catch {
    return undefined;
  }
}
