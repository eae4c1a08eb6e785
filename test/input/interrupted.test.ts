/** A command that is interrupted while it reads a file tells that, and never what else was wrong with the file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExportedLetters } from '../../src/dead-letters/commands/exported.ts';
import { CommandError } from '../../src/errors.ts';
import { openToRead } from '../../src/files/open-to-read.ts';
import { openSource } from '../../src/input/source.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'interrupted-'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** Each begins with a path, and ends with an error. */
const readers: Record<string, (path: string, signal: AbortSignal) => Promise<unknown>> = {
  openToRead: (path, signal) => openToRead(join(cwd, path), signal),
  openSource: (file, signal) =>
    openSource(file, { stdin: Readable.from([]), cwd, format: undefined, signal }),
  'a stream that fails': (_, signal) => openSource('-', { stdin: failing(), cwd, format: undefined, signal }),
  'ExportedLetters.read': (path, signal) => ExportedLetters.read(path, cwd, signal),
};

function failing(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error('EIO'));
    },
  });
}

const interruption = new DOMException('The command was interrupted.', 'AbortError');

test.each([
  ['openToRead', 'absent'],
  ['openSource', 'absent'],
  ['openSource', '.'],
  ['a stream that fails', '-'],
  ['ExportedLetters.read', 'absent'],
  ['ExportedLetters.read', '.'],
])('%s of %s', async (name, path) => {
  const seen = new Set<string>();
  // Where exactly the interruption falls is the operating system's matter: a turn of the event loop later each time.
  for (let turns = 0; turns < 40; turns++) {
    const interrupt = new AbortController();
    const reading = readers[name]?.(path, interrupt.signal).then(
      () => 'read',
      (error: unknown) => error,
    );
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    interrupt.abort(interruption);
    const end = await reading;
    seen.add(end === interruption ? 'interrupted' : end instanceof CommandError ? 'told' : String(end));
  }
  const usual = name === 'openToRead' ? /^interrupted$|ENOENT/ : /^interrupted$|^told$/;
  expect([...seen].filter((end) => !usual.test(end))).toEqual([]);
  expect(seen).toContain('interrupted');
});
