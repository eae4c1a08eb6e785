import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSource, type Source, type SourceOptions } from '../../src/input/source.ts';

let cwd: string;
const opened: Source[] = [];

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'source-'));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
  rmSync(cwd, { recursive: true });
});

async function open(file: string, given: Partial<SourceOptions> = {}): Promise<Source> {
  const options = { stdin: Readable.from([]), cwd, format: undefined, signal: new AbortController().signal };
  const source = await openSource(file, { ...options, ...given });
  opened.push(source);
  return source;
}

describe('openSource', () => {
  test('reads a file twice, and counts its bytes', async () => {
    writeFileSync(join(cwd, 'tasks.csv'), 'Identifier\na1\n');
    const source = await open('tasks.csv');
    let bytes = 0;
    expect(await text(source.chunks((count) => (bytes += count)))).toBe('Identifier\na1\n');
    expect(await text(source.chunks())).toBe('Identifier\na1\n');
    expect({ bytes, size: source.bytes }).toEqual({ bytes: 14, size: 14 });
  });

  test('reads stdin twice', async () => {
    const source = await open('-', { stdin: Readable.from([Buffer.from('{"a":'), Buffer.from('1}')]) });
    expect(source).toMatchObject({ name: 'stdin', format: 'jsonl', refusedPath: 'stdin.refused.csv' });
    expect([await text(source.chunks()), await text(source.chunks())]).toEqual(['{"a":1}', '{"a":1}']);
  });

  test('reads a named pipe twice', async () => {
    const pipe = join(cwd, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [source] = await Promise.all([open(pipe), writeFile(pipe, 'Identifier\na1\n')]);
    expect(source).toMatchObject({ name: pipe, format: 'csv', refusedPath: 'pipe.refused.csv' });
    expect([await text(source.chunks()), await text(source.chunks())]).toEqual(
      Array(2).fill('Identifier\na1\n'),
    );
  });

  test('notices that a file grew, and reads no further than it went at first', async () => {
    writeFileSync(join(cwd, 'tasks.csv'), 'Identifier\na1\n');
    const source = await open('tasks.csv');
    expect(await source.changed()).toBe(false);
    appendFileSync(join(cwd, 'tasks.csv'), 'b2\n');
    expect(await source.changed()).toBe(true);
    expect(await text(source.chunks())).toBe('Identifier\na1\n');
  });

  test('stays with the file it opened when another takes its name', async () => {
    writeFileSync(join(cwd, 'tasks.csv'), 'Identifier\na1\n');
    const source = await open('tasks.csv');
    writeFileSync(join(cwd, 'new.csv'), 'Identifier\nb2\n');
    renameSync(join(cwd, 'new.csv'), join(cwd, 'tasks.csv'));
    expect(await text(source.chunks())).toBe('Identifier\na1\n');
    expect(await source.changed()).toBe(false);
  });
});
