import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withNewFile } from '../../src/dead-letters/commands/output.ts';
import { exitCodes } from '../../src/errors.ts';

describe('withNewFile', () => {
  const name = 'letters.jsonl';
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'letters-'));
    path = join(folder, name);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('keeps what was written, also when the work fails', async () => {
    const failed = new Error('the queue is gone');
    const work = withNewFile(name, folder, async (write) => {
      await write('a letter\n');
      throw failed;
    });
    await expect(work).rejects.toBe(failed);
    expect(readFileSync(path, 'utf8')).toBe('a letter\n');
  });

  test('refuses a file that exists, and leaves it as it is', async () => {
    writeFileSync(path, 'the only copy');
    const work = withNewFile(name, folder, (write) => write('x'));
    await expect(work).rejects.toMatchObject({
      message: expect.stringContaining('letters.jsonl already exists'),
      exitCode: exitCodes.misuse,
    });
    expect(readFileSync(path, 'utf8')).toBe('the only copy');
  });

  test('reports what the disk says as a fault of the file, not of SQS', async () => {
    const away = `${folder}-away`;
    const work = withNewFile(name, folder, async (write) => {
      renameSync(folder, away);
      await write('a letter\n').finally(() => renameSync(away, folder));
    });
    await expect(work).rejects.toThrow(/^The export cannot be written to letters\.jsonl: /);
  });
});
