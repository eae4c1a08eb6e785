/** `sandbox` at a terminal: what it prints, its files, and what another command can do with them. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sampleRows } from '../../src/sandbox/commands/sample.ts';
import { configureSandbox } from '../../src/sandbox/commands/sandbox.ts';
import { sleep } from '../../src/time/clock.ts';
import { ask } from '../../testing/console/serve.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';
import { runInProcess } from '../../testing/stages/letters.ts';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-updater-sandbox-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Starts it, and waits until it has said how to use it. */
async function start(cwd: string, args: readonly string[] = [], isTerminal = true) {
  const setVariables = (variables: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  };
  onTestFinished(() => void vi.unstubAllEnvs());
  const context = fakeContext({ cwd, isTerminal, sleep, setVariables });
  const running = runConfigured(configureSandbox, 'sandbox', args, context);
  while (!context.output.stderr.includes('Ctrl-C ends it.'))
    await Promise.race([once(context.stderr, 'data'), running]);
  return { context, running, said: context.output.stderr };
}

test('is enough for a followed job, with nothing typed that was not printed', async () => {
  const folder = await newFolder();
  // The flag is from when outcomes were not published by default.
  const { context, running, said } = await start(folder, ['--outcomes', '--api-latency', '0']);
  expect(said).toContain(
    '\n  ota-updater --env-file .ota-updater/sandbox.env jobs plan .ota-updater/sandbox.csv\n',
  );
  const [, health = ''] = /^ {2}health +(\S+)$/m.exec(said) ?? [];
  expect(await (await fetch(health)).json()).toMatchObject({ status: 'ok' });
  const path = join(folder, '.ota-updater', 'sandbox.env');
  const env = parseEnv(await readFile(path, 'utf8')) as Record<string, string>;
  // The SDK reads the process's own.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const [head, ...rows] = (await readFile(join(folder, '.ota-updater', 'sandbox.csv'), 'utf8'))
    .trim()
    .split('\n');
  expect(rows).toHaveLength(5_000);
  const [file, plan] = [join(folder, 'few.csv'), join(folder, 'few.jsonl')];
  await writeFile(file, `${[head, ...rows.slice(0, 3)].join('\n')}\n`);
  expect(await runInProcess(['jobs', 'plan', file, '--job', 'few', '--out', plan], { env })).toMatchObject({
    exitCode: 0,
  });
  const applied = await runInProcess(['jobs', 'apply', plan, '--yes', '--json'], { env });
  expect(JSON.parse(applied.stdout)).toMatchObject({ applied: 3, failed: 0 });
  // Its address is the first thing that is printed: who is here may read, and change something with the token.
  const [, url = '', token = ''] =
    /^Console: (http:\S+)\n {2}to change something, sign in there with the token (\S+)\n/.exec(said) ?? [];
  await expect.poll(async () => (await ask(url)).body).toMatch(/<td[^>]*>running/);
  expect((await ask(`${url}/jobs`)).body).toContain('/jobs/of/few');
  const jobs = { action: `${url}/jobs/of/few/verify`, reason: 'a test' };
  expect((await ask(jobs.action, { form: jobs })).headers.location).toMatch(/^\/sign-in/);
  const bearer = { authorization: `Bearer ${token}` };
  const verified = await ask(`${url}/api/v1/jobs/few/verify`, {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'a test' }),
  });
  expect(verified.status).toBe(200);
  // The ledger is none of real jobs.
  expect(env.STATE_DIR).toBe(join(folder, '.ota-updater', 'sandbox'));
  context.signal('SIGINT');
  expect(await running).toMatchObject({ exitCode: 0, stdout: '', error: '' });
  // One line of what it did, and no line of a log.
  expect(context.output.stderr.slice(said.length)).toContain('applied 3   dead-lettered 0');
  expect(context.output.stderr).not.toMatch(/^\{/m);
  expect(existsSync(path)).toBe(false);
});

test('leaves the files of others alone: a second one takes another name, one of a dead process is replaced', async () => {
  const folder = await newFolder();
  const first = await start(folder, ['--no-worker', '--no-console']);
  const second = await start(folder, ['--no-worker', '--no-console'], false);
  expect(second.said).toContain('.ota-updater/sandbox-2.env');
  for (const { context, running } of [first, second]) {
    context.signal('SIGTERM');
    await running;
  }
  const path = join(folder, '.ota-updater', 'sandbox.env');
  await writeFile(path, 'mine=1\n');
  // No process has this number.
  await writeFile(
    join(folder, '.ota-updater', 'sandbox-2.env'),
    '# ota-updater sandbox, process 2147483647\nx=1\n',
  );
  await writeFile(join(folder, '.ota-updater', 'sandbox.csv'), 'mine');
  const third = await start(folder, ['--no-worker', '--no-console'], false);
  expect(third.said).toContain('.ota-updater/sandbox-2.env');
  third.context.signal('SIGTERM');
  await third.running;
  expect(await readFile(path, 'utf8')).toBe('mine=1\n');
  expect(await readFile(join(folder, '.ota-updater', 'sandbox.csv'), 'utf8')).toBe('mine');
});

test('without a place for files prints its variables', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, '.ota-updater'), 'a file');
  const { context, running, said } = await start(folder, ['--no-worker', '--no-console']);
  expect(said).toMatch(
    /^Its variables cannot be written to a file: a part of the path is not a folder \(ENOTDIR\)\. In another shell:$/m,
  );
  expect(said).toMatch(/^ {2}export QUEUE_URL=http:\S+\/ota-updates$/m);
  context.signal('SIGINT');
  await running;
  expect((await stat(join(folder, '.ota-updater'))).size).toBe(6);
});

test('the sample has some rows that fail', () => {
  expect(sampleRows().match(/^unknown/gm)).toHaveLength(25);
});

test('the demo with --open goes on after its file, with the console, until a signal', async () => {
  const folder = await newFolder();
  const rows = Array.from({ length: 20 }, (_, i) => `task${i},Nightly ${i}\n`).join('');
  await writeFile(join(folder, 'updates.csv'), `Identifier,Description\n${rows}`);
  const demo = ['--demo', 'updates.csv', '--open', '--api-latency', '0'];
  const { context, running, said } = await start(folder, demo, false);
  const [, url = ''] = /^Console: (http:\S+)\n/.exec(said) ?? [];
  await expect.poll(() => context.output.stdout).toContain('The sandbox and its console keep running.');
  expect(context.output.stdout).toMatch(/^applied +21$/m);
  await expect.poll(async () => (await ask(url)).body).toContain('since the start Invalid 3');
  context.signal('SIGINT');
  expect(await running).toMatchObject({ exitCode: 0, error: '' });
  await expect(ask(url)).rejects.toThrow();
});

test('the demo ends with commands that repeat it, as it was called', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'my updates.csv'), 'Identifier,Description\ntask1,x\n');
  const demo = ['--demo', 'my updates.csv', '--api-latency', '0'];
  const { stdout } = await runConfigured(
    configureSandbox,
    'sandbox',
    demo,
    fakeContext({ cwd: folder, sleep }),
  );
  const [, next = ''] = stdout.split('Next:\n');
  expect(next.split('\n').filter((line) => /^ {2}[^# ]/.test(line))).toEqual([
    "  ota-updater sandbox --demo 'my updates.csv' --api-latency 0 --open",
    '  ota-updater sandbox',
    "  LOG_LEVEL=debug ota-updater sandbox --demo 'my updates.csv' --api-latency 0",
    '  ota-updater enqueue --help',
  ]);
});
