/** The bundle that images and packages carry: what a worker of it has in memory. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { otaProgram } from '../../testing/processes/ota.ts';
import { runCommand, spawnWorker } from '../../testing/processes/process.ts';
import { setStage } from '../../testing/stages/stage.ts';

/** Says at the end what it has loaded: Node's own modules, and files of the bundle. */
const tell = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  process.on('exit', () => console.log(JSON.stringify({ event: 'loaded', own: process.moduleLoadList, loaded })));
`;

type Loaded = Readonly<Record<'own' | 'loaded', string[]>>;

test('has text of one byte a character, and a worker that does its work loads nothing that it does not use', async () => {
  const main = otaProgram().at(-1) ?? '';
  const chunks = new Map<string, string>();
  for (const name of await readdir(dirname(main)))
    if (name.endsWith('.mjs')) chunks.set(name, await readFile(join(dirname(main), name), 'utf8'));
  const twoBytes = [...chunks].filter(([, code]) => /[^\0-\xff]/.test(code)).map(([name]) => name);
  expect(twoBytes).toEqual([]);

  const textOf = ({ loaded }: Loaded): string =>
    loaded.map((url) => chunks.get(url.slice(url.lastIndexOf('/') + 1)) ?? '').join('');

  const stage = await setStage();
  onTestFinished(() => stage.strike());
  await stage.sendUpdates(3);
  const script = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, main];
  const worker = spawnWorker(stage.environment(), [], script);
  await stage.api.waitFor(() => stage.api.stats().applied === 3);
  const checked = await runCommand(['health'], { script });
  // The workers of other tests are seen, too: where one is not alive, only those that are not are named.
  expect(checked.stderr).toMatch(/^(worker with process id \d+ (is not alive|does not answer): .+\n)*$/);
  const own = `worker with process id ${worker.pid}`;
  expect(`${checked.stderr} `.includes(`${own} `)).toBe(false);
  expect(checked.stdout.includes(own)).toBe(checked.code === 0);
  const ofHealth = JSON.parse(checked.stdout.trimEnd().split('\n').at(-1) ?? '') as Loaded;
  expect(textOf(ofHealth)).not.toMatch(/node_modules/);
  // Two thirds of what a check cost beyond the start of Node.
  expect(ofHealth.own.filter((name) => /myers_diff|stream\/consumers|fs\/promises|_http/.test(name))).toEqual(
    [],
  );

  worker.kill('SIGTERM');
  const ofWorker = (await worker.waitForEvent('loaded')) as unknown as Loaded;
  // Node's own fetch, and HTTP/2.
  expect(ofWorker.own.filter((name) => /deps\/undici|http2/.test(name))).toEqual([]);
  const code = textOf(ofWorker);
  const parts = { undici: 'undici/lib/dispatcher/pool', fastify: '/fastify/', mocks: '/undici/lib/mock/' };
  const there = Object.entries(parts).map(([name, path]) => [name, code.includes(path)]);
  expect(Object.fromEntries(there)).toEqual({ undici: true, fastify: false, mocks: false });
});
