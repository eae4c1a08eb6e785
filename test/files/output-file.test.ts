import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { identityOf } from '../../src/files/inspect.ts';
import { OutputFile, type OutputFileOptions } from '../../src/files/output-file.ts';

const kind = {
  title: 'The plan',
  flag: '--out',
  replaces: { noun: 'a plan', isOurs: (beginning: string) => beginning.startsWith('ours') },
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'output-'));
  path = join(folder, 'p.csv');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function output(options: Partial<OutputFileOptions> = {}): OutputFile {
  return new OutputFile(kind, 'p.csv', { cwd: folder, force: false, ...options });
}

function write(file: OutputFile, text: string): string {
  file.write(text);
  return file.place();
}

/** What is in the folder: the type, inode and content of everything. */
function world(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => {
      const stat = lstatSync(join(folder, name));
      const content = stat.isFile() ? readFileSync(join(folder, name), 'utf8') : '';
      return [name, `${stat.mode} ${stat.ino} ${stat.mtimeMs} ${content}`];
    }),
  );
}

const put = {
  'a file of the operator': () => writeFileSync(path, "the operator's"),
  'an empty file': () => writeFileSync(path, ''),
  'a file of ours': () => writeFileSync(path, 'ours'),
  'a link to a file of ours': () => {
    writeFileSync(join(folder, 'target'), 'ours');
    symlinkSync('target', path);
  },
  'a link to nothing': () => symlinkSync('nowhere', path),
  'a folder': () => mkdirSync(path),
  'a pipe': () => execFileSync('mkfifo', [path]),
} as const;

describe.each(Object.keys(put) as (keyof typeof put)[])('where %s is', (what) => {
  test.each([
    ['without --force', false],
    ['with --force', true],
  ])('%s', (_flag, force) => {
    put[what]();
    const before = world();
    if (force && what === 'a file of ours') {
      expect(write(output({ force }), 'ours, new')).toBe('p.csv');
      expect(Object.keys(world())).toEqual(['p.csv']);
      expect(readFileSync(path, 'utf8')).toBe('ours, new');
      return;
    }
    expect(() => output({ force })).toThrow(expect.objectContaining({ name: 'CommandError', exitCode: 2 }));
    expect(world()).toEqual(before);
  });

  test('what comes there meanwhile stays', () => {
    const [plain, forced, numbered] = [
      output(),
      output({ force: true }),
      output({ force: true, numbered: 'meanwhile' }),
    ];
    put[what]();
    const before = world();
    for (const file of [plain, forced]) expect(() => write(file, 'ours, new')).toThrow('already exists');
    expect(world()).toEqual(before);
    expect(write(numbered, 'ours, new')).toBe('p-2.csv');
    expect(world()).toMatchObject(before);
    expect(Object.keys(world())).toHaveLength(Object.keys(before).length + 1);
  });
});

test('a file is never replaced that the command reads, whatever its name', () => {
  writeFileSync(join(folder, 'input'), 'ours');
  linkSync(join(folder, 'input'), path);
  expect(() => output({ force: true, inputs: [identityOf(join(folder, 'input'))] })).toThrow(
    'this command reads that file',
  );
});

test.each([
  ['written to', () => writeFileSync(path, 'ours, and more')],
  [
    'written to, with as many bytes',
    () => {
      writeFileSync(path, 'OURS');
      utimesSync(path, 1, 1);
    },
  ],
  [
    'replaced',
    () => {
      writeFileSync(join(folder, 'other'), 'ours');
      renameSync(join(folder, 'other'), path);
    },
  ],
])('--force does not replace a file that was %s meanwhile', (_what, change) => {
  writeFileSync(path, 'ours');
  const file = output({ force: true });
  change();
  const before = world();
  expect(() => write(file, 'ours, new')).toThrow('somebody wrote to it in the meantime');
  expect(world()).toEqual(before);
});

test('what is not placed leaves nothing behind', () => {
  const file = output();
  file.write('x');
  const [part] = readdirSync(folder);
  expect(part).toMatch(/^p\.csv\.[0-9a-f]{12}\.part$/);
  file.discard();
  expect(readdirSync(folder)).toEqual([]);
});
