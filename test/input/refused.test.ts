import {
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
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RefusedFile } from '../../src/input/refused.ts';
import { updateFields } from '../../src/message/update.ts';
import { anyText } from '../../testing/any-text.ts';

let folder: string;
let path: string;

const NAME = 'tasks.csv.refused.csv';
const byDefault = () => new RefusedFile(undefined, NAME, { cwd: folder });
const given = () => new RefusedFile(NAME, 'elsewhere.csv', { cwd: folder });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refused-'));
  path = join(folder, NAME);
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(...rows: { line: number; reason: string; raw: string }[]): string[][] {
  const file = byDefault();
  for (const row of rows) file.add(row);
  expect(file.finish()).toBe(NAME);
  return parse(readFileSync(path)).map((cells) => cells.slice(0, 3));
}

describe('RefusedFile', () => {
  test('writes line, reason and row', () => {
    expect(write({ line: 2, reason: 'bad, very', raw: 'a1,"x, y",z' })).toEqual([
      ['line', 'reason', 'row'],
      ['2', 'bad, very', 'a1,"x, y",z'],
    ]);
  });

  test('writes the values of a row in the columns of an update', () => {
    const file = byDefault();
    const values = { Identifier: 'dev-1', Description: '-x', JobId: 'a b' };
    file.add({ line: 2, reason: 'r', raw: 'dev-1,-x', values });
    file.add({ line: 3, reason: 'r', raw: '"' });
    file.finish();
    const none = Object.fromEntries(updateFields.map((field) => [field, '']));
    expect(parse(readFileSync(path), { columns: true })).toEqual([
      { line: '2', reason: 'r', row: 'dev-1,-x', ...none, ...values, Description: "'-x" },
      { line: '3', reason: 'r', row: '"', ...none },
    ]);
  });

  test('writes thousands of rows in order', () => {
    const rows = Array.from({ length: 3_000 }, (_, i) => ({ line: i + 2, reason: 'r', raw: `row ${i}` }));
    expect(write(...rows).slice(1)).toEqual(rows.map(({ line, reason, raw }) => [String(line), reason, raw]));
  });

  const row = { line: 2, reason: 'r', raw: 'x' };
  const content = 'line,reason,row\n2,"r","x"\n';

  test.each(['a folder', 'a link'])('leaves alone %s in its place', (kind) => {
    const target = join(folder, 'of the operator');
    writeFileSync(target, 'kept');
    if (kind === 'a folder') mkdirSync(path);
    else symlinkSync(target, path);
    expect(() => given()).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`it is ${kind}`), exitCode: 2 }),
    );
    const file = byDefault();
    file.add(row);
    expect(file.finish()).toBe('tasks.csv.refused-2.csv');
    expect([readFileSync(target, 'utf8'), lstatSync(path).isFile()]).toEqual(['kept', false]);
  });

  test('leaves alone what is there when nothing is refused', () => {
    writeFileSync(path, content);
    expect(byDefault().finish()).toBeUndefined();
    expect(new RefusedFile('free.csv', NAME, { cwd: folder }).finish()).toBeUndefined();
    expect(readdirSync(folder)).toEqual([NAME]);
  });

  test('a file that the user is correcting stays: the next run takes the next number, and one for the same rows none', () => {
    writeFileSync(path, 'line,reason,row\n2,r,"corrected"\n');
    const run = (raw: string): string | undefined => {
      const file = byDefault();
      file.add({ ...row, raw });
      return file.finish();
    };
    expect([run('x'), run('y'), run('x'), run('y')]).toEqual(
      [2, 3, 2, 3].map((n) => `tasks.csv.refused-${n}.csv`),
    );
    expect(readFileSync(path, 'utf8')).toContain('corrected');
    expect(readdirSync(folder)).toHaveLength(3);
  });

  test('a name that the user gave and that is taken is refused at once: an earlier file may have been corrected', () => {
    for (const there of ['Identifier\nofTheOperator\n', content]) {
      writeFileSync(path, there);
      expect(() => given()).toThrow(/already exists\. Name a file that does not exist yet with --refused\.$/);
      expect(readFileSync(path, 'utf8')).toBe(there);
      expect(readdirSync(folder)).toEqual([NAME]);
    }
  });

  test('two runs at once lose no rows, whatever names they were given', () => {
    const runs = [given(), given(), byDefault()];
    for (const [i, file] of runs.entries()) file.add({ ...row, raw: `of run ${i}` });
    const names = runs.map((file) => file.finish() ?? '');
    expect(new Set(names).size).toBe(3);
    for (const [i, name] of names.entries())
      expect(readFileSync(join(folder, name), 'utf8')).toContain(`of run ${i}`);
  });

  test('says which file cannot be written', () => {
    const name = join('no', 'such', 'folder.csv');
    expect(() => new RefusedFile(name, NAME, { cwd: folder })).toThrow(
      `folder.csv: there is no folder ${join(folder, 'no', 'such')}`,
    );
    const file = new RefusedFile(undefined, name, { cwd: folder });
    file.add(row);
    expect(() => file.flush()).toThrow(`folder.csv: there is no folder ${join(folder, 'no', 'such')}`);
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
    const text = fc.oneof(anyText(), fc.string({ unit: fc.constantFrom(...'=+-@;,"\n\r\t a') }));
    fc.assert(
      fc.property(text, (raw) => {
        rmSync(path, { force: true });
        const file = byDefault();
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
