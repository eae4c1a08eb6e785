/** Completes package-lock.json: to be run after every change of dependencies, by `npm run lockfile`. */
import { readFile, writeFile } from 'node:fs/promises';
import { completeLockfile, type Lockfile } from '../testing/lockfile.ts';

const lockfile = JSON.parse(await readFile('package-lock.json', 'utf8')) as Lockfile;
await writeFile('package-lock.json', `${JSON.stringify(completeLockfile(lockfile), null, 2)}\n`);
