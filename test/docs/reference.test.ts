import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('schema/ and docs/reference/ are what `npm run generate` writes', async () => {
  const stale = await promisify(execFile)(process.execPath, ['scripts/generate.ts', '--check'], { cwd: root })
    .then(({ stdout }) => stdout)
    .catch((error: { stdout: string; stderr: string }) => error.stdout + error.stderr);
  expect(stale.trim(), 'run `npm run generate` and commit').toBe('');
});
