/**
 * Builds the program once per test run, as for the image: a process that a test starts then needs half the CPU
 * to start. Tests of `bin/` show how a checkout starts it from the source.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { BUILT_PROGRAM, root } from './ota.ts';

/** The folder of each program that was built, under the digest of what is in it: no other run replaces one that is in use. */
const BUILT = join(root, 'node_modules/.cache/test-programs');
/** No run lasts this long, in milliseconds. */
const UNUSED_MS = 24 * 3_600_000;

/** The processes that run the tests inherit the variable with its path. */
export async function buildProgram(): Promise<void> {
  await mkdir(BUILT, { recursive: true });
  const made = await mkdtemp(join(BUILT, 'new-'));
  const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
  await promisify(execFile)(process.execPath, [rolldown, '-c', 'rolldown.config.ts', '-d', made], {
    cwd: root,
  });
  await chmod(made, 0o755);
  const folder = join(BUILT, await digestOf(made));
  // Another run has made the same, perhaps at this moment.
  await rename(made, folder).catch(() => rm(made, { recursive: true }));
  await utimes(folder, new Date(), new Date());
  process.env[BUILT_PROGRAM] = join(folder, 'main.mjs');
  await removeUnused();
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  for (const path of paths.sort()) hash.update(relative(folder, path)).update(await readFile(path));
  return hash.digest('hex').slice(0, 16);
}

async function removeUnused(): Promise<void> {
  for (const name of await readdir(BUILT)) {
    const path = join(BUILT, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < Date.now() - UNUSED_MS) await rm(path, { recursive: true, force: true });
  }
}
