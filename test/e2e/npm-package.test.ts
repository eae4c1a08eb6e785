/** What `npm pack` makes: a package that runs by `npx`, without another one. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { version } from '../../src/version.ts';
import { allCases } from '../../testing/cases.ts';
import { BUILT_PROGRAM, root } from '../../testing/processes/ota.ts';

const run = promisify(execFile);
/** The package, unpacked. */
let unpacked: string;

beforeAll(async () => {
  // Elsewhere: for the time of packing, package.json is another one.
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-pack-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['package.json', 'README.md', 'LICENSE', 'bin'])
    await cp(join(root, name), join(folder, name), { recursive: true });
  await cp(dirname(process.env[BUILT_PROGRAM] ?? ''), join(folder, 'dist'), { recursive: true });
  const before = await readFile(join(folder, 'package.json'), 'utf8');
  await run('npx', ['clean-package'], { cwd: folder });
  await run('npm', ['pack', '--ignore-scripts'], { cwd: folder });
  await run('npx', ['clean-package', 'restore'], { cwd: folder });
  expect(await readFile(join(folder, 'package.json'), 'utf8')).toBe(before);
  await run('tar', ['-xzf', `ota-updater-${version}.tgz`], { cwd: folder });
  unpacked = join(folder, 'package');
  return () => rm(folder, { recursive: true });
});

const manifest = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8'));

test('is packed by npm with a manifest of its own', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(scripts).toMatchObject({
    prepack: 'npm run -s build && clean-package',
    postpack: 'clean-package restore',
  });
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

test('says in a sentence that it was packed without its program', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-empty-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(join(unpacked, 'bin'), join(folder, 'bin'), { recursive: true });
  const ended = run(process.execPath, [join(folder, 'bin/ota-updater.js'), '--version']);
  await expect(ended).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      'ota-updater: this package was made without its program: `npm pack` builds it, and must not be told --ignore-scripts.\n',
  });
});

test('the demo ends with commands that a package has', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-demo-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'updates.csv'), 'Identifier,Description\ntask1,x\n');
  const program = join(unpacked, 'bin/ota-updater.js');
  const { stdout } = await run(process.execPath, [program, 'sandbox', '--demo', 'updates.csv'], {
    cwd: folder,
  });
  expect(stdout).toContain(` -- ${program} sandbox --demo updates.csv --open\n`);
  expect(stdout).not.toContain('npm run');
});

test('hints can be pasted, however the program is called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-app-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const app = join(folder, 'app');
  const elsewhere = join(folder, 'elsewhere');
  const project = join(folder, 'project');
  const inside = join(project, 'inside');
  for (const made of [app, elsewhere, project, inside]) await mkdir(made);
  await writeFile(join(project, 'package.json'), '{"name":"project"}');
  await writeFile(
    join(app, 'package.json'),
    JSON.stringify({ name: 'app', version: '1.0.0', scripts: { help: 'ota-updater limits --help' } }),
  );
  const packed = join(dirname(unpacked), `ota-updater-${version}.tgz`);
  // A shell of the user: its PATH has Node and npm, and no folder of a package.
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
  const env = {
    HOME: folder,
    PATH: [dirname(process.execPath), ...path].join(delimiter),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  const inShell = async (command: string, cwd: string) =>
    (await run('sh', ['-c', command], { cwd, env })).stdout;
  await inShell(`npm install ${packed}`, app);

  const ways = [
    { called: 'npx ota-updater limits --help', cwd: app, hints: /^npx ota-updater$/ },
    { called: './node_modules/.bin/ota-updater limits --help', cwd: app, hints: /^npx ota-updater$/ },
    { called: 'npm run --silent help', cwd: app, hints: /^npx ota-updater$/ },
    {
      called: '../app/node_modules/.bin/ota-updater limits --help',
      cwd: elsewhere,
      hints: /^\/.*\/app\/node_modules\//,
    },
    { called: `npx --yes file:${packed} limits --help`, cwd: elsewhere, hints: /^\/.*\/_npx\// },
    // In a subfolder of a project npx does not find a relative path.
    { called: `npx --yes file:${packed} limits --help`, cwd: inside, hints: /^\/.*\/_npx\// },
  ];
  // One for each kind of hint.
  const few = [ways[0], ways[3], ways[5]].filter((way) => way !== undefined);
  for (const { called, cwd, hints } of allCases() ? ways : few) {
    const [, program = ''] = /^ {2}(.+) limits set /m.exec(await inShell(called, cwd)) ?? [];
    expect(program).toMatch(hints);
    expect(await inShell(`${program} --version`, cwd)).toBe(`${version}\n`);
  }
});
