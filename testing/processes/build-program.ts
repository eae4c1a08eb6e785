/**
 * Builds the program once for a run of the tests, as the image has it: a process that a test starts then needs half the CPU
 * to begin. How a checkout starts it from the source, tests of `bin/` and the walk-throughs show.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { root } from './ota.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The built program. */
    readonly program: string;
  }
}

/** Called by vitest before the first test. */
export async function setup(project: TestProject): Promise<void> {
  const folder = join(root, 'node_modules/.cache/test-program');
  const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
  await promisify(execFile)(process.execPath, [rolldown, '-c', 'rolldown.config.ts', '-d', folder], {
    cwd: root,
  });
  project.provide('program', join(folder, 'main.mjs'));
}
