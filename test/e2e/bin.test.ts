/** The program as `npx ota-updater` starts it: what passes through the file that does. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommand, spawnWorker } from '../../testing/processes/process.ts';
import { setStage } from '../../testing/stages/stage.ts';

const bin = fileURLToPath(new URL('../../bin/ota-updater.js', import.meta.url));
const script = [bin];

describe('in this checkout', () => {
  test('leaves --env-file to the program, by its first line', async () => {
    const { stderr, code } = await execFileResult(bin, ['--env-file', '/nonexistent.env', 'worker']);
    expect([code, stderr]).toEqual([
      2,
      '--env-file: /nonexistent.env cannot be read: there is no such file or folder (ENOENT).\n',
    ]);
  });

  test('passes arguments, streams and the exit code', async () => {
    const good = await runCommand(['schema'], { script });
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(good.stdout)).toMatchObject({ title: 'OTA task update' });
    const stdin = 'Identifier,Description\nbad-1,x\n';
    const folder = await mkdtemp(join(tmpdir(), 'ota-updater-bin-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const refused = await runCommand(
      ['enqueue', '-', '--format', 'csv', '--dry-run', '--refused', join(folder, 'refused.csv')],
      { stdin, script },
    );
    expect(refused.stdout).toMatch(/^ {2}refused +1 /m);
    expect(await runCommand(['--nothing'], { script })).toMatchObject({ code: 2, stdout: '' });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('a %s drains the worker, which ends with 0', async (signal) => {
    const stage = await setStage({ api: { latency: { minMs: 1, maxMs: 1 } }, holdAnswers: true });
    onTestFinished(() => stage.strike());
    await stage.sendUpdates(20);
    const worker = spawnWorker(stage.environment({ MAX_CONCURRENCY: '5', HTTP_PORT: 'off' }), [], script);
    await stage.api.waitFor(() => stage.api.stats().inFlight === 5);
    worker.kill(signal);
    await worker.waitForEvent('worker.draining');
    stage.letAnswer();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(stage.api.stats()).toMatchObject({ calls: 5, applied: 5 });
    expect(stage.left()).toEqual({ ready: 15, inFlight: 0 });
  });

  test('a second signal ends it at once', async () => {
    const stage = await setStage({ api: { latency: { minMs: 60_000, maxMs: 60_000 } } });
    onTestFinished(() => stage.strike());
    await stage.sendUpdates(1);
    const env = stage.environment({
      CALL_TIMEOUT_MS: '600000',
      SHUTDOWN_GRACE_SECONDS: '600',
      HTTP_PORT: 'off',
    });
    const worker = spawnWorker(env, [], script);
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    worker.kill('SIGTERM');
    await worker.waitForEvent('worker.draining');
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 143, signal: null });
  });
});

describe('anywhere', () => {
  /** A folder with the file and what else there is; returns the path of the file. */
  async function install(files: Readonly<Record<string, string>>, { node = false } = {}): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'ota-updater-bin-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const name of ['bin', 'src', 'dist', 'node_modules/.bin'])
      await mkdir(join(folder, name), { recursive: true });
    const copy = join(folder, 'bin', 'ota-updater.js');
    await copyFile(bin, copy);
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    if (node) await symlink(process.execPath, join(folder, 'node_modules/.bin/node'));
    return copy;
  }

  test('a checkout runs its source on its own Node, whatever is built', async () => {
    const source = "process.stdout.write([process.execPath, ...process.argv.slice(2)].join(' ') as string);";
    const copy = await install({ 'src/main.ts': source, 'dist/main.mjs': 'throw 1;' }, { node: true });
    const { code, stdout } = await runCommand(['a', '--b'], { script: [copy] });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${process.execPath} a --b` });
  });

  test('it ends by the signal that ended the program', async () => {
    const copy = await install({ 'src/main.ts': "process.kill(process.pid, 'SIGKILL');" }, { node: true });
    expect(await runCommand([], { script: [copy] })).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('a checkout that is not installed says what to do', async () => {
    const copy = await install({ 'src/main.ts': '' });
    const stderr = 'ota-updater: run `npm ci` first: it installs the Node that this checkout runs on.\n';
    expect(await runCommand([], { script: [copy] })).toMatchObject({ code: 1, stdout: '', stderr });
  });

  test('a package runs its bundle in the same process', async () => {
    const bundle =
      "process.stdout.write([process.ppid, ...process.argv.slice(2)].join(' ')); process.exitCode = 3;";
    const copy = await install({ 'dist/main.mjs': bundle });
    const { code, stdout } = await runCommand(['a'], { script: [copy] });
    expect({ code, stdout }).toEqual({ code: 3, stdout: `${process.pid} a` });
  });
});

/** Runs a file as its first line says. */
function execFileResult(file: string, args: readonly string[]): Promise<{ code: unknown; stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, args, (error, _, stderr) => resolve({ code: error?.code ?? 0, stderr }));
  });
}
