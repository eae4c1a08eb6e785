import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withNewFile, write } from '../../src/dead-letters/commands/output.ts';
import { CommandError, exitCodes } from '../../src/errors.ts';

describe('withNewFile', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'letters-'));
    path = join(folder, 'letters.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('keeps what was written, also when the work fails', async () => {
    const failed = new Error('the queue is gone');
    const work = withNewFile(path, async (file) => {
      await write(file, 'a letter\n');
      throw failed;
    });
    await expect(work).rejects.toBe(failed);
    expect(readFileSync(path, 'utf8')).toBe('a letter\n');
  });

  test('refuses a file that exists, and leaves it as it is', async () => {
    writeFileSync(path, 'the only copy');
    const work = withNewFile(path, (file) => write(file, 'x'));
    await expect(work).rejects.toMatchObject({ message: /^--out: EEXIST/, exitCode: exitCodes.misuse });
    expect(readFileSync(path, 'utf8')).toBe('the only copy');
  });

  test('reports a full disk as a fault of --out, not of SQS', async () => {
    const work = withNewFile(path, async (file) => {
      file.destroy(new Error('ENOSPC: no space left on device, write'));
      await write(file, 'a letter\n');
    });
    await expect(work).rejects.toThrow(new CommandError('--out: ENOSPC: no space left on device, write'));
  });
});
