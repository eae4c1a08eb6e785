/**
 * Builds the program once per test run, as for the image: a process that a test starts then needs half the CPU
 * to start. Tests of `bin/` show how a checkout starts it from the source.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUILT_PROGRAM, root } from './ota.ts';

/** The processes that run the tests inherit the variable with its path. */
export async function buildProgram(): Promise<void> {
  const folder = join(root, 'node_modules/.cache/test-program');
  const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
  await promisify(execFile)(process.execPath, [rolldown, '-c', 'rolldown.config.ts', '-d', folder], {
    cwd: root,
  });
  process.env[BUILT_PROGRAM] = join(folder, 'main.mjs');
}
