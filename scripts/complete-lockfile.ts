/** Completes package-lock.json. Run it after every change of dependencies, with `npm run lockfile`. */
import { readFile, writeFile } from 'node:fs/promises';
import { completeLockfile, type Lockfile, lockfileFaults } from '../testing/lockfile.ts';

const lockfile = JSON.parse(await readFile('package-lock.json', 'utf8')) as Lockfile;
await writeFile('package-lock.json', `${JSON.stringify(completeLockfile(lockfile), null, 2)}\n`);
const faults = lockfileFaults(lockfile);
if (faults.length > 0) {
  process.stderr.write(
    `${faults.join('\n')}\nRemove these entries, and run \`npm install --package-lock-only\` with a registry that has them.\n`,
  );
  process.exitCode = 1;
}
