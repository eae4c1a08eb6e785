/**
 * Makes `ota-updater-VERSION.tgz` of the bundle: by `npm pack`, in a folder of its own, whose manifest names no dependency. That of the checkout is never
 * another one, wherever this ends. Prints where the file is.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { dist: { type: 'string', default: join(root, 'dist') }, to: { type: 'string', default: '.' } },
});
const to = resolve(values.to);
const folder = await mkdtemp(join(tmpdir(), 'ota-updater-package-'));
try {
  for (const name of ['package.json', 'README.md', 'LICENSE', 'bin'])
    await cp(join(root, name), join(folder, name), { recursive: true });
  await cp(values.dist, join(folder, 'dist'), { recursive: true });
  await run(join(root, 'node_modules/.bin/clean-package'), [], { cwd: folder });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', to], {
    cwd: folder,
  });
  process.stdout.write(`${join(to, stdout.trim())}\n`);
} finally {
  await rm(folder, { recursive: true });
}
