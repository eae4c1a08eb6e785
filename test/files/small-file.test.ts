import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readSmallFile, replaceSmallFile } from '../../src/files/small-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'small-'));
  return () => rm(folder, { recursive: true });
});

const NOBODY = 65_534;
const options = { maxBytes: 10, links: false };

describe('reading', () => {
  test.each([
    ['nothing', ''],
    ['as much as is allowed', '0123456789'],
  ])('%s', async (_, text) => {
    const path = join(folder, 'file');
    await writeFile(path, text);
    expect(await readSmallFile(path, options)).toEqual({ text });
  });

  test('more than is allowed', async () => {
    const path = join(folder, 'file');
    await writeFile(path, '0123456789a');
    expect(await readSmallFile(path, options)).toEqual({ fault: 'it is larger than 10 bytes' });
  });

  test('what is not there, or is no regular file', async () => {
    expect(await readSmallFile(join(folder, 'none'), options)).toEqual({ absent: true });
    expect(await readSmallFile(folder, options)).toEqual({ fault: 'it is not a regular file' });
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await readSmallFile(join(folder, 'pipe'), options)).toEqual({ fault: 'it is not a regular file' });
  });

  test('a link only where links are followed', async () => {
    const path = join(folder, 'link');
    await writeFile(join(folder, 'file'), 'text');
    await symlink('file', path);
    expect(await readSmallFile(path, { ...options, links: true })).toEqual({ text: 'text' });
    expect(await readSmallFile(path, options)).toEqual({
      fault: expect.stringMatching(/^it cannot be read: .*\(ELOOP\)$/),
    });
  });
});

describe('replacing', () => {
  test('makes file and folder for this user alone, and leaves nothing beside it', async () => {
    const path = join(folder, 'state', 'file');
    await replaceSmallFile(path, 'one');
    await replaceSmallFile(path, 'two');
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(join(folder, 'state'))).toEqual(['file']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
  });

  test('puts a file in the place of a link, and leaves what that led to', async () => {
    await writeFile(join(folder, 'other'), 'theirs');
    await symlink('other', join(folder, 'file'));
    await replaceSmallFile(join(folder, 'file'), 'ours');
    expect(await readFile(join(folder, 'other'), 'utf8')).toBe('theirs');
    expect(await readSmallFile(join(folder, 'file'), options)).toEqual({ text: 'ours' });
  });

  test('says what the system says where it cannot, and leaves nothing behind', async () => {
    await mkdir(join(folder, 'file'));
    await writeFile(join(folder, 'no-folder'), '');
    await expect(replaceSmallFile(join(folder, 'file'), 'text')).rejects.toThrow('EISDIR');
    await expect(replaceSmallFile(join(folder, 'no-folder', 'file'), 'text')).rejects.toThrow('ENOTDIR');
    expect(await readdir(folder)).toEqual(['file', 'no-folder']);
  });

  test('says so of a folder that may not be written to', async () => {
    await chmod(folder, 0o555);
    const module = new URL('../../src/files/small-file.ts', import.meta.url).href;
    const program = `
      const { replaceSmallFile } = await import(${JSON.stringify(module)});
      await replaceSmallFile(${JSON.stringify(join(folder, 'file'))}, 'text').catch(({ code }) => console.log(code));`;
    // Root writes everywhere: this is done by a user of its own.
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
      ...user,
      encoding: 'utf8',
    });
    await chmod(folder, 0o700);
    expect(said).toBe('EACCES\n');
    expect(await readdir(folder)).toEqual([]);
  });
});
