/** Opening what the user names: also a named pipe that nobody writes to. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openToRead } from '../../src/files/open-to-read.ts';

const folder = mkdtempSync(join(tmpdir(), 'open-to-read-'));
afterAll(() => rmSync(folder, { recursive: true }));
const never = new AbortController().signal;

function pipe(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

describe('a named pipe', () => {
  test('that nobody writes to is waited for until the signal aborts, also at once', async () => {
    const stop = new AbortController();
    const opening = openToRead(pipe('alone'), stop.signal);
    stop.abort();
    await expect(opening).rejects.toThrow('aborted');
  });

  test('is read once somebody writes to it', async () => {
    const path = pipe('written');
    const opening = openToRead(path, never);
    const writer = await open(path, 'w');
    await writer.write('a1\n');
    await writer.close();
    const reader = await opening;
    expect(await reader.readFile('utf8')).toBe('a1\n');
    await reader.close();
  });
});

test('a file is opened, and left as it is when the signal aborts meanwhile', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'mine');
  const stop = new AbortController();
  const opening = openToRead(path, stop.signal);
  stop.abort();
  await expect(opening).rejects.toThrow('aborted');
  const reader = await openToRead(path, never);
  expect(await reader.readFile('utf8')).toBe('mine');
  await reader.close();
});

test('an aborted signal opens nothing', async () => {
  await expect(openToRead(join(folder, 'nothing'), AbortSignal.abort())).rejects.toThrow('aborted');
});
