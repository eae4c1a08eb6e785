import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import { RefusedFile } from '../../src/input/refused.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refused-'));
  path = join(folder, 'tasks.csv.refused.csv');
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(...rows: { line: number; reason: string; raw: string }[]): string[][] {
  const file = new RefusedFile(path);
  for (const row of rows) file.add(row);
  expect(file.finish()).toBe(true);
  return parse(readFileSync(path));
}

describe('RefusedFile', () => {
  test('writes line, reason and row', () => {
    expect(write({ line: 2, reason: 'bad, very', raw: 'a1,"x, y",z' })).toEqual([
      ['line', 'reason', 'row'],
      ['2', 'bad, very', 'a1,"x, y",z'],
    ]);
  });

  test('writes thousands of rows in order', () => {
    const rows = Array.from({ length: 3_000 }, (_, i) => ({ line: i + 2, reason: 'r', raw: `row ${i}` }));
    expect(write(...rows).slice(1)).toEqual(rows.map(({ line, reason, raw }) => [String(line), reason, raw]));
  });

  test.each(['a folder', 'a link'])('leaves alone %s in its place', (kind) => {
    const target = join(folder, 'of the operator');
    writeFileSync(target, 'kept');
    if (kind === 'a folder') mkdirSync(path);
    else symlinkSync(target, path);
    expect(() => new RefusedFile(path)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('is not a regular file'), exitCode: 2 }),
    );
    expect([readFileSync(target, 'utf8'), lstatSync(path).isFile()]).toEqual(['kept', false]);
  });

  test('leaves alone a device in its place', () => {
    expect(() => new RefusedFile('/dev/null')).toThrow(CommandError);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('removes the file of an earlier run when nothing is refused', () => {
    writeFileSync(path, 'stale');
    expect(new RefusedFile(path).finish()).toBe(false);
    expect(existsSync(path)).toBe(false);
  });

  test('replaces the file of an earlier run only when it is complete', () => {
    writeFileSync(path, 'former');
    const file = new RefusedFile(path);
    for (let line = 2; line < 1_000; line++) file.add({ line, reason: 'r', raw: 'x' });
    expect(readFileSync(path, 'utf8')).toBe('former');
    file.discard();
    expect(readFileSync(path, 'utf8')).toBe('former');
    expect(readdirSync(folder)).toEqual([basename(path)]);
  });

  test('says which file cannot be written', () => {
    const file = new RefusedFile(join(folder, 'no', 'such', 'folder.csv'));
    file.add({ line: 2, reason: 'r', raw: 'x' });
    expect(() => file.finish()).toThrow(CommandError);
    expect(() => file.add({ line: 2, reason: 'r', raw: 'x' })).not.toThrow();
    expect(() => file.finish()).toThrow('folder.csv: there is no such file or folder (ENOENT)');
  });

  test.each([
    ['=HYPERLINK("http://evil")', '\'=HYPERLINK("http://evil")'],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['a;=1+1', "a;'=1+1"],
    ['a;  @x', "a;'  @x"],
    ['\u001b]0;owned\u0007', '\\u{1b}]0;owned\\u{7}'],
    ['a\r\nb\tc\0', 'a\\r\\nb\\tc\\u{0}'],
    ['right\u202Eleft', 'right\\u{202e}left'],
    ['\ud800 alone', '\\u{d800} alone'],
    ['täsk 任务', 'täsk 任务'],
  ])('makes %j harmless', (raw, shown) => {
    expect(write({ line: 2, reason: raw, raw })).toEqual([
      ['line', 'reason', 'row'],
      ['2', shown, shown],
    ]);
  });

  test('writes no cell that begins a formula and no control character, whatever the row holds', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'=+-@;,"\n\r\t a') }),
    );
    fc.assert(
      fc.property(text, (raw) => {
        const file = new RefusedFile(path);
        file.add({ line: 2, reason: raw, raw });
        file.finish();
        const written = readFileSync(path, 'utf8');
        expect(written.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
        expect(written).not.toMatch(/;\s*[=+\-@]/);
        for (const cell of parse(written).flat()) expect(cell).not.toMatch(/^[=+\-@]/);
      }),
      { numRuns: 200 },
    );
  });
});
