import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tryState } from '../../src/check/state-folder.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'state-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test('a folder that is there, and one that can be made, are well; none is made', async () => {
  const path = folder();
  expect(await tryState(path)).toMatchObject({ path, fault: undefined });
  expect(await tryState(join(path, 'a', 'b'))).toMatchObject({ fault: undefined });
  expect(existsSync(join(path, 'a'))).toBe(false);
});

test('a file in its place is named, with the path of what is wrong', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  expect((await tryState(file)).fault).toBe('it is not a folder');
  expect((await tryState(join(file, 'a'))).fault).toBe('a part of the path is not a folder (ENOTDIR)');
});
