import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { configureConfigs } from '../../../src/configs/commands/command.ts';
import type { SimulatedApiOptions } from '../../../src/sandbox/simulated-api/index.ts';
import { startApi } from '../../../testing/stages/api.ts';
import { fakeContext, runConfigured } from '../../../testing/stages/context.ts';
import { useApi } from '../../../testing/stages/jobs.ts';

async function stage(options: SimulatedApiOptions = {}) {
  const api = await startApi(options);
  useApi(api);
  const run = (...args: readonly string[]) =>
    runConfigured(
      configureConfigs,
      'configs',
      args,
      fakeContext({ env: { AWS_REGION: 'eu-west-1', RATE_LIMIT: 'unlimited' }, sleep: async () => {} }),
    );
  const json = async (...args: readonly string[]) => {
    const { stdout } = await run(...args, '--json');
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { api, run, json };
}

describe('configs list', () => {
  test('lists all of them, page by page', async () => {
    const ids = Array.from({ length: 1_050 }, (_, i) => `cfg${i}`);
    const { api, json, run } = await stage({ settings: { configurations: { kind: 'listed', ids } } });
    expect((await json('list')).map(({ id }) => id)).toEqual(ids);
    expect(api.stats().reads.calls).toBe(2);
    expect((await run('list')).stdout).toMatch(/^cfg0 +\S+Z +Simulated cfg0$/m);
  });
});

describe('configs show', () => {
  test('shows every setting by name', async () => {
    const { run, json } = await stage();
    const { exitCode, stdout } = await run('show', 'cfgB7');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^cfgB7\n {2}Name +Simulated cfgB7$/m);
    expect(stdout).toMatch(/^ {2}MaximumPerMinute +\d+$/m);
    expect(stdout).toMatch(/^ {2}AbortOnFailed +\d+%\/\d+$/m);
    expect(stdout).toMatch(/^ {2}AbortOnRejected +-$/m);
    const [shown] = await json('show', 'cfgB7');
    expect(shown).toMatchObject({ id: 'cfgB7', pushConfig: { RolloutConfig: {} } });
  });

  test.each([
    ['unknown', [], 1, 'There is no task configuration cfgB7.'],
    [
      'denied',
      ['GetOtaTaskConfiguration' as const],
      1,
      'the credentials need iotmanagedintegrations:GetOtaTaskConfiguration',
    ],
  ])('says so when it is %s', async (_what, deniedOperations, code, says) => {
    const { run } = await stage({
      settings: { configurations: { kind: 'listed', ids: [] }, deniedOperations: [...deniedOperations] },
    });
    const { exitCode, error } = await run('show', 'cfgB7');
    expect({ exitCode, error }).toEqual({ exitCode: code, error: expect.stringContaining(says) });
  });

  test('refuses what is no id before it asks', async () => {
    const { api, run } = await stage();
    expect(await run('show', 'cfg-b7')).toMatchObject({
      exitCode: 2,
      error: 'ID cfg-b7: the id of a task configuration is 1 to 64 letters and digits.',
    });
    expect(api.stats().reads.calls).toBe(0);
  });

  test('prints nothing from the API that could control a terminal', async () => {
    const { run } = await stage();
    // The API itself takes no such name: this one comes from somewhere else.
    const answer = { TaskConfigurationId: 'cfgB7', Name: '\u001b[2Jowned\u202e' };
    const server = createServer((_request, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer)),
    ).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', `http://127.0.0.1:${port}`);
    const { stdout } = await run('show', 'cfgB7');
    expect(stdout).toContain('owned');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('configs diff', () => {
  test('shows what differs, side by side', async () => {
    const { run, json } = await stage();
    const { stdout } = await run('diff', 'cfgA0', 'cfgA1');
    expect(stdout).toMatch(/^ +cfgA0 +cfgA1$/m);
    expect(stdout).toMatch(/^Name +Simulated cfgA0 +Simulated cfgA1$/m);
    const [diff] = await json('diff', 'cfgA0', 'cfgA1');
    expect(diff).toMatchObject({
      from: 'cfgA0',
      to: 'cfgA1',
      same: false,
      settings: expect.arrayContaining([{ setting: 'Name', from: 'Simulated cfgA0', to: 'Simulated cfgA1' }]),
    });
    expect((await run('diff', 'cfgA0', 'cfgA0')).stdout).toBe('cfgA0 and cfgA0 have the same settings.\n');
  });
});

describe('configs create', () => {
  test('makes one from another, and says how to point tasks at it', async () => {
    const { api, run, json } = await stage();
    const { exitCode, stdout, error } = await run(
      ...['create', '--from', 'cfgA0', '--set', 'MaximumPerMinute=7', '--set', 'AbortOnFailed='],
    );
    expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' });
    const id = /^(\w+) created from cfgA0$/m.exec(stdout)?.[1] ?? '';
    expect(stdout).toMatch(/^ {2}MaximumPerMinute +\d+ +7$/m);
    expect(stdout).toMatch(/^ {2}AbortOnFailed +\d+%\/\d+ +-$/m);
    expect(stdout).toContain(`TaskConfigurationId=${id}`);
    const [diff] = await json('diff', 'cfgA0', id);
    expect(diff?.settings).toMatchObject([{ setting: 'MaximumPerMinute' }, { setting: 'AbortOnFailed' }]);
    expect(api.stats().applied).toBe(0);
  });

  test('makes one from nothing, with --json', async () => {
    const { json } = await stage();
    const [made] = await json('create', '--set', 'Name=Night 2', '--set', 'InProgressTimeoutInMinutes=30');
    expect(made).toEqual({
      id: expect.stringMatching(/^\w+$/),
      from: null,
      settings: [
        { setting: 'Name', from: null, to: 'Night 2' },
        { setting: 'InProgressTimeoutInMinutes', from: null, to: '30' },
      ],
    });
  });

  test.each([
    [[], 'Give the settings of the configuration, as in --set MaximumPerMinute=100.'],
    [['--set', 'MaximumPerMinut=1'], 'Did you mean "MaximumPerMinute"?'],
    [['--set', 'MaximumPerMinute=0'], '--set MaximumPerMinute=0: must be a whole number from 1'],
    [['--set', 'MaximumPerMinute=1', '--set', 'MaximumPerMinute=2'], 'set twice, to different values'],
    [['--from', '', '--set', 'MaximumPerMinute=1'], '--from : the id of a task configuration is'],
    [
      ['--from', 'cfgA0', '--set', 'Name=Simulated cfgA0'],
      'cfgA0 already has all of these settings, so it can be used itself.',
    ],
  ])('refuses %j with a sentence and creates nothing', async (args, says) => {
    const { run } = await stage();
    expect(await run('create', ...args)).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining(says),
    });
  });
});
