/** SIGTERM to a worker process while it loads. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Child } from '../../testing/processes/child.ts';
import { namespace } from '../../testing/processes/namespace.ts';
import { root, surroundings } from '../../testing/processes/ota.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.strike());

/** Makes the process send itself a signal when it is about to load a module whose address ends like this. */
function signalAt(module: string, signal: NodeJS.Signals): string {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) {
      if (url.endsWith(${JSON.stringify(module)})) process.kill(process.pid, ${JSON.stringify(signal)});
      return next(url, context);
    } });`;
  return `data:text/javascript,${encodeURIComponent(hook)}`;
}

async function run(command: readonly string[], module: string, before: readonly string[] = []) {
  const [file = '', ...args] = [
    ...before,
    process.execPath,
    '--import',
    signalAt(module, 'SIGTERM'),
    '--',
    `${root}src/main.ts`,
    ...command,
  ];
  const env = { ...surroundings, ...stage.environment({ HTTP_PORT: '0' }) };
  const child = Child.start(file, args, { env, cwd: root, keepOutput: true });
  const { code, signal } = await child.exited;
  return { code, signal, stdout: child.output.stdout, stderr: child.output.stderr };
}

/** In the order in which they are loaded. */
const modules = ['src/process.ts', 'src/commands/worker.ts', 'src/worker/worker.ts'];

const processOne = namespace('--map-root-user', '--pid', '--fork', '--kill-child');

describe('SIGTERM while a worker loads', () => {
  test('at whatever module: it stops as at any other time, exit code 0', async () => {
    const runs = await Promise.all(modules.map((module) => run(['worker'], module)));
    for (const { code, signal, stdout, stderr } of runs) {
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
      expect(stdout).toContain('"worker.stopped"');
      expect(stdout).not.toContain('"worker.running"');
    }
  });

  test(`as process 1 of a container, which no signal without a handler ends (${processOne.what})`, async () => {
    const { code, stdout } = await run(['worker'], 'src/process.ts', processOne.command);
    expect(code).toBe(0);
    expect(stdout).toContain('"worker.stopped"');
  });

  test('ends a command that has changed nothing, with one sentence or none', async () => {
    const [enqueue, schema] = await Promise.all([
      run(['enqueue', 'examples/updates.csv'], 'src/enqueue/command.ts'),
      run(['schema'], 'src/commands/schema.ts'),
    ]);
    expect(enqueue).toMatchObject({ code: 130, stdout: '', stderr: expect.not.stringMatching(/^ +at /m) });
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
    expect(schema).toMatchObject({ code: 143, stderr: '' });
  });
});
