import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { version } from '../../src/version.ts';
import { Child } from '../../testing/processes/child.ts';
import { BUILT_PROGRAM, surroundings } from '../../testing/processes/ota.ts';
import { spawnWorker } from '../../testing/processes/process.ts';
import { redisInstalled, startRedis } from '../../testing/redis/server.ts';
import { setStage } from '../../testing/stages/stage.ts';

/** What the image carries: built as the Dockerfile builds it (testing/processes/build-program.ts), run where there is no node_modules. */
let folder: string;
const run = promisify(execFile);
const program = (): string[] => ['--', join(folder, 'main.mjs')];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ota-updater-bundle-'));
  await cp(dirname(process.env[BUILT_PROGRAM] ?? ''), folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

describe('the bundle', () => {
  test('prints the schema', async () => {
    const { stdout } = await run(process.execPath, [...program(), 'schema'], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ title: 'OTA task update' });
  });

  test('hears its signals before it loads the program', async () => {
    const entry = await readFile(join(folder, 'main.mjs'), 'utf8');
    const heard = entry.indexOf('new SignalInbox(process)');
    const loads = [...entry.matchAll(/\bimport\b/g)].map(({ index }) => index);
    expect(loads).toHaveLength(1);
    expect(loads[0]).toBeGreaterThan(heard);
  });

  test("loads OpenTelemetry's SDK only where something is traced", async () => {
    const chunks = new Map<string, string>();
    for (const name of await readdir(folder))
      if (name.endsWith('.mjs')) chunks.set(name, await readFile(join(folder, name), 'utf8'));
    const holds = (text: string): boolean => text.includes('BatchSpanProcessor');
    const importers = (target: string): string[] =>
      [...chunks].filter(([, text]) => text.includes(`from "./${target}"`)).map(([name]) => name);
    const sdk = [...chunks].filter(([, text]) => holds(text)).map(([name]) => name);
    expect(sdk).toHaveLength(1);
    // Nothing imports it but by `import()`, when it is asked for.
    expect(sdk.flatMap(importers)).toEqual([]);
  });

  test('has its version built in', async () => {
    const { stdout } = await run(process.execPath, [...program(), '--version'], { cwd: folder });
    expect(stdout).toBe(`${version}\n`);
  });

  test('writes its log as readable lines on a terminal', async () => {
    const taken = createServer();
    onTestFinished(() => void taken.close());
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    const { port } = taken.address() as AddressInfo;
    const url = 'http://127.0.0.1:9/000000000000';
    const terminal = ['--import', 'data:text/javascript,process.stdout.isTTY=true'];
    const env = {
      QUEUE_URL: `${url}/updates`,
      DEAD_LETTER_QUEUE_URL: `${url}/dead`,
      AWS_REGION: 'eu-west-1',
    };
    // It logs the proxy, and then cannot listen.
    const failed = await run(process.execPath, [...terminal, ...program(), 'worker'], {
      env: {
        ...surroundings,
        ...env,
        HTTPS_PROXY: 'http://127.0.0.1:9',
        HTTP_PORT: String(port),
        NO_COLOR: '1',
      },
      cwd: folder,
    }).catch((error: { readonly stdout: string }) => error);
    expect(failed.stdout).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: requests to AWS go through a proxy {2}httpsProxy=http:\/\/127\.0\.0\.1:9 [^\n]*\n$/,
    );
  });

  test('has the console’s scripts and styles beside it', async () => {
    const env = { ...surroundings, CONSOLE_PORT: '0', HTTP_PORT: 'off', STATE_DIR: folder };
    const child = Child.startNode([...program(), 'console', '--open-reading'], {
      env,
      cwd: folder,
      keepOutput: true,
    });
    onTestFinished(() => child.end());
    const url = await child.find((line) => /http:\S+/.exec(line)?.[0]);
    const page = await (await fetch(url)).text();
    const assets = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
    expect(assets.length).toBeGreaterThan(5);
    const answers = await Promise.all(assets.map((path) => fetch(`${url}${path}`)));
    expect(answers.map(({ status }) => status)).toEqual(assets.map(() => 200));
    expect(answers.every(({ headers }) => headers.get('cache-control')?.includes('immutable'))).toBe(true);
  });

  test('applies an update', async () => {
    const stage = await setStage();
    onTestFinished(() => stage.strike());
    await stage.send({ Identifier: 'fromTheBundle', Description: 'x' });
    const worker = spawnWorker(stage.environment(), [], program());
    await stage.api.waitFor(() => stage.api.stats().applied === 1);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  test.skipIf(!redisInstalled())('shares its rate through Redis', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    const stage = await setStage();
    onTestFinished(() => stage.strike());
    const worker = spawnWorker(stage.environment({ RATE_LIMIT: '100', REDIS_URL: redis.url }), [], program());
    await worker.waitForEvent('rate_budget.shared');
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });
});
