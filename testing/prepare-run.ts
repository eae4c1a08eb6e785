/** What a test run creates once, before the first test. */
import { rmSync } from 'node:fs';
import { makeTemplate } from './postgres/server.ts';
import { buildProgram } from './processes/build-program.ts';
import { makeRunFolder } from './run-folder.ts';

/** Called by vitest. @returns a function that vitest calls after the last test. */
export async function setup(): Promise<() => void> {
  const folder = makeRunFolder();
  // Tests, and the processes that they start, make their folders there.
  process.env.TMPDIR = folder;
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also when the run fails to start, or is interrupted: vitest does not call the function then.
  process.once('exit', remove);
  await Promise.all([makeTemplate(), buildProgram()]);
  return remove;
}
