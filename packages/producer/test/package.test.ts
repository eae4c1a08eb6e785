/** The package as it is published. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { Update as WorkersUpdate } from '../../../src/message/update.ts';
import { startCloud } from '../../../src/sandbox/cloud.ts';
import type { Update } from '../src/index.ts';

const run = promisify(execFile);
const here = join(import.meta.dirname, '..');
const root = join(here, '../..');
const read = (path: string): Promise<string> => readFile(path, 'utf8');

/** A project that has installed the package. */
let project: string;
let installed: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'ota-updater-producer-'));
  const modules = join(project, 'node_modules');
  installed = join(modules, 'ota-updater-producer');
  await mkdir(installed, { recursive: true });
  await run(process.execPath, [join(here, 'build.ts'), join(installed, 'dist')]);
  await cp(join(here, 'package.json'), join(installed, 'package.json'));
  for (const name of ['zod', '@aws-sdk', '@smithy', '@types'])
    await symlink(join(root, 'node_modules', name), join(modules, name));
});
afterAll(() => rm(project, { recursive: true, force: true }));

describe('the package', () => {
  test('is small, and needs nothing that its manifest does not name', async () => {
    const bundle = await read(join(installed, 'dist/index.mjs'));
    expect(bundle.length).toBeLessThan(64_000);
    const needed = [...bundle.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name = '']) => name);
    const manifest = JSON.parse(await read(join(here, 'package.json'))) as Record<
      string,
      Record<string, string>
    >;
    const named = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect(needed.filter((name) => !name.startsWith('node:')).sort()).toEqual(named.sort());
  });

  test('has the schema of the worker', async () => {
    expect(await read(join(installed, 'dist/update.schema.json'))).toBe(
      await read(join(root, 'schema/update.schema.json')),
    );
  });

  test('depends on the zod that the worker has', async () => {
    const { dependencies } = JSON.parse(await read(join(root, 'package.json'))) as {
      dependencies: Record<string, string>;
    };
    const own = JSON.parse(await read(join(here, 'package.json'))) as {
      dependencies: Record<string, string>;
    };
    expect(own.dependencies.zod).toBe(dependencies.zod);
  });

  test('has the type of an update that the worker has', () => {
    expectTypeOf<WorkersUpdate>().toMatchTypeOf<Update>();
    expectTypeOf<Update>().toMatchTypeOf<Readonly<WorkersUpdate>>();
  });

  test('compiles and runs in a project of its own, and the update arrives', async () => {
    const readme = await read(join(here, 'README.md'));
    const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    await writeFile(join(project, 'package.json'), '{ "type": "module" }');
    await writeFile(join(project, 'send.ts'), example);
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const compiled = await run(process.execPath, [tsc, ...options, 'send.ts'], { cwd: project });
    expect(compiled.stdout).toBe('');

    const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 't', api: {} });
    const env = {
      ...process.env,
      QUEUE_URL: cloud.queueUrl,
      AWS_ENDPOINT_URL_SQS: cloud.sqsUrl,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
    const sent = await run(process.execPath, ['send.ts'], { cwd: project, env });
    await cloud.close();
    expect(sent).toEqual({ stdout: 'sent 2, refused 0, unsent 0\n', stderr: '' });
  });
});
