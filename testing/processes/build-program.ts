/**
 * Builds the program once for a run of the tests, as the image has it: a process that a test starts then needs half the CPU
 * to begin. How a checkout starts it from the source, tests of `bin/` show.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BUILT_PROGRAM, root } from './ota.ts';

/** The processes that run the tests inherit the variable that names it. */
export async function buildProgram(): Promise<void> {
  const folder = join(root, 'node_modules/.cache/test-program');
  const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
  await promisify(execFile)(process.execPath, [rolldown, '-c', 'rolldown.config.ts', '-d', folder], {
    cwd: root,
  });
  process.env[BUILT_PROGRAM] = join(folder, 'main.mjs');
}
