/** What `npm run package` makes: a package that runs by `npx`, without another one. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { version } from '../../src/version.ts';
import { BUILT_PROGRAM, root } from '../../testing/processes/ota.ts';

const run = promisify(execFile);
/** The package, unpacked. */
let unpacked: string;

const script = join(root, 'scripts/package.ts');
const dist = () => dirname(process.env[BUILT_PROGRAM] ?? '');
const readManifest = () => readFile(join(root, 'package.json'), 'utf8');

async function newFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'ota-updater-pack-'));
}

beforeAll(async () => {
  const folder = await newFolder();
  const { stdout } = await run(process.execPath, [script, '--dist', dist(), '--to', folder]);
  expect(stdout).toBe(`${join(folder, `ota-updater-${version}.tgz`)}\n`);
  await run('tar', ['-xzf', `ota-updater-${version}.tgz`], { cwd: folder });
  unpacked = join(folder, 'package');
  return () => rm(folder, { recursive: true });
});

const manifest = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8'));

test('is packed after a build, and not by npm in the checkout', async () => {
  const { scripts } = JSON.parse(await readManifest()) as { scripts: Record<string, string> };
  expect(scripts).toMatchObject({ package: 'npm run -s build && node scripts/package.ts' });
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  await expect(run('npm', ['pack', '--pack-destination', folder], { cwd: root })).rejects.toMatchObject({
    stderr: expect.stringContaining('Use `npm run package`'),
  });
  expect(await readdir(folder)).toEqual([]);
});

test('leaves the checkout as it is, even where it is killed in the middle', async () => {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'npm'), '#!/bin/sh\nkill -KILL $PPID\n', { mode: 0o755 });
  const before = [await readManifest(), await readdir(root)];
  const killed = run(process.execPath, [script, '--dist', dist(), '--to', folder], {
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, TMPDIR: folder },
  });
  await expect(killed).rejects.toMatchObject({ signal: 'SIGKILL' });
  expect([await readManifest(), await readdir(root)]).toEqual(before);
});

test('has the bundle, its licences, and nothing to install', async () => {
  const { name, version: packed, bin, engines, license, ...rest } = await manifest();
  expect({ name, packed, bin, engines, license }).toEqual({
    name: 'ota-updater',
    packed: version,
    bin: { 'ota-updater': 'bin/ota-updater.js' },
    engines: { node: '>=24.5' },
    license: 'Apache-2.0',
  });
  expect(Object.keys(rest).filter((key) => /dependencies|scripts|private/i.test(key))).toEqual([]);
  expect(await readdir(unpacked)).toEqual(['LICENSE', 'README.md', 'bin', 'dist', 'package.json']);
  const licences = await readFile(join(unpacked, 'dist/licences.txt'), 'utf8');
  for (const carried of ['fastify', 'zod', 'htmx.org', '@aws-sdk/client-sqs'])
    expect(licences).toMatch(new RegExp(`^${carried} \\d+\\.\\d+\\.\\d+: `, 'm'));
});

test('runs where there is nothing but Node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-npx-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(unpacked, folder, { recursive: true });
  const { stdout } = await run(process.execPath, [join(folder, 'bin/ota-updater.js'), '--version'], {
    cwd: folder,
  });
  expect(stdout.trim()).toBe(version);
});

test('says in a sentence that an older Node is too old', async () => {
  const older = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"24.4.1"})';
  const ended = run(process.execPath, ['--import', older, join(unpacked, 'bin/ota-updater.js'), '--version']);
  await expect(ended).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'ota-updater: needs Node 24.5 or later; this is 24.4.1.\n',
  });
});
