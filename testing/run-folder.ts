/** The folder in which a test run makes its temporary files. */
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux's file system in memory: the tests' ledgers and databases need a tenth less CPU there. */
const IN_MEMORY = '/dev/shm';

/** Several times what a run has there at any time, in bytes. */
const ENOUGH = 2e9;

/** Makes the folder: in memory if there is room, otherwise where temporary files go. The caller must remove it. */
export function makeRunFolder(): string {
  const { TMPDIR } = process.env;
  const folder =
    (TMPDIR === undefined ? makeIn(IN_MEMORY) : undefined) ?? mkdtempSync(join(tmpdir(), 'ota-tests-'));
  // Servers that do not run as this user have folders of their own in it.
  chmodSync(folder, 0o711);
  return folder;
}

/** @returns undefined if the parent does not exist, has not enough room, or does not let programs run. */
function makeIn(parent: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(parent);
    if (bavail * bsize < ENOUGH) return undefined;
    const folder = mkdtempSync(join(parent, 'ota-tests-'));
    try {
      const program = join(folder, 'program');
      writeFileSync(program, '', { mode: 0o700 });
      accessSync(program, constants.X_OK);
      return folder;
    } catch {
      rmSync(folder, { recursive: true });
    }
  } catch {}
  return undefined;
}
