/** `console` as a command: what it refuses to start with, and a start and an end. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { configureConsole } from '../../src/console/commands/command.ts';
import { sleep } from '../../src/time/clock.ts';
import { ask, formTokenOf, signIn, tokens } from '../../testing/console/serve.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ota-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const start = (env: Record<string, string>, args: readonly string[] = []) => {
  const context = fakeContext({
    env: { CONSOLE_PORT: '0', STATE_DIR: folder, HTTP_PORT: 'off', ...env },
    cwd: folder,
    sleep,
  });
  return {
    context,
    ran: runConfigured((command, io) => configureConsole(command, io, 0), 'console', args, context),
  };
};

describe('is refused', () => {
  const token = `ann:operator:${tokens.ann}`;
  test.each([
    ['without anybody who could sign in', {}, [], /^Nobody could sign in\. Set CONSOLE_TOKENS_FILE/],
    ['open to read beyond this machine', { CONSOLE_HOST: '0.0.0.0' }, ['--open-reading'], /on loopback only/],
    ['with a file of tokens that is not there', { CONSOLE_TOKENS_FILE: 'none' }, [], /there is no such file/],
    [
      'with an identity header of anybody',
      { CONSOLE_IDENTITY_HEADER: 'X-User' },
      [],
      /CONSOLE_TRUSTED_PROXIES: is required/,
    ],
    [
      'with a load balancer among anybody',
      {
        CONSOLE_IDENTITY_ALB_ARN:
          'arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/50dc6c495c0c9188',
      },
      [],
      /CONSOLE_TRUSTED_PROXIES: is required/,
    ],
    [
      'with a load balancer and a header, which would not be believed',
      {
        CONSOLE_TRUSTED_PROXIES: '10.0.0.1',
        CONSOLE_IDENTITY_HEADER: 'X-User',
        CONSOLE_IDENTITY_ALB_ARN:
          'arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/50dc6c495c0c9188',
      },
      [],
      /CONSOLE_IDENTITY_HEADER: must not be set with CONSOLE_IDENTITY_ALB_ARN/,
    ],
    [
      'with another thing for a load balancer',
      { CONSOLE_IDENTITY_ALB_ARN: 'arn:aws:sqs:eu-west-1:123456789012:updates' },
      [],
      /must be the ARN of an Application Load Balancer/,
    ],
    [
      'with a token that is too short',
      { CONSOLE_TOKENS: 'ann:operator:secret' },
      [],
      /must be NAME:ROLE:TOKEN/,
    ],
    [
      'with another role',
      { CONSOLE_TOKENS: token.replace('operator', 'admin') },
      [],
      /must be NAME:ROLE:TOKEN/,
    ],
    [
      'with proxies that are no addresses',
      { CONSOLE_TRUSTED_PROXIES: '10.0.0.0/33' },
      [],
      /must be addresses or networks/,
    ],
  ] as const)('%s', async (_what, env, args, why) => {
    const { ran } = start(env, args);
    const { exitCode, error } = await ran;
    expect(error).toMatch(why);
    expect(error).not.toContain('secret');
    expect(exitCode).toBe(2);
  });

  test('with a line of the file that is none, which it does not repeat', async () => {
    writeFileSync(join(folder, 'tokens'), `# who may\n\nann:operator:${tokens.ann}\nvic:viewer:hunter2\n`);
    const { error } = await start({ CONSOLE_TOKENS_FILE: 'tokens' }).ran;
    expect(error).toMatch(/line 4 must be NAME:ROLE:TOKEN/);
    expect(error).not.toContain('hunter2');
  });
});

const started = async (env: Record<string, string>) => {
  const { context, ran } = start(env, ['--no-send']);
  await expect.poll(() => context.output.stdout).toContain('The console is at');
  const url = /http:\S+/.exec(context.output.stdout)?.[0] ?? '';
  const end = async () => {
    context.signal('SIGTERM');
    expect((await ran).exitCode).toBe(0);
  };
  return { url, end, output: context.output };
};

test('a session that was signed out stays so with the next console, and the others stay signed in', async () => {
  const env = { CONSOLE_TOKENS: `ann:operator:${tokens.ann}` };
  const statusOf = async (url: string, cookie: string) =>
    (await ask(`${url}/task`, { headers: { cookie } })).status;
  const first = await started(env);
  const [out, stays] = [await signIn(first.url, tokens.ann), await signIn(first.url, tokens.ann)];
  const form = { formToken: await formTokenOf(`${first.url}/task`, out) };
  expect((await ask(`${first.url}/sign-out`, { headers: { cookie: out }, form })).status).toBe(303);
  await first.end();
  const file = join(folder, 'console-signed-out');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const id = JSON.parse(Buffer.from(out.replace(/^.*?=|\..*$/g, ''), 'base64url').toString()).id;
  expect(readFileSync(file, 'utf8')).not.toContain(id);
  const second = await started(env);
  expect([await statusOf(second.url, out), await statusOf(second.url, stays)]).toEqual([303, 200]);
  await second.end();
  // What cannot be read may have named any of them.
  writeFileSync(file, 'spilt');
  const third = await started(env);
  expect(third.output.stdout).toContain('everybody who was signed in must sign in again');
  expect(await statusOf(third.url, stays)).toBe(303);
  expect(await statusOf(third.url, await signIn(third.url, tokens.ann))).toBe(200);
  await third.end();
  const fourth = await started(env);
  expect(await statusOf(fourth.url, stays)).toBe(303);
  await fourth.end();
});

test('every page is there, also where nothing else is; the tokens are read again; a signal ends it', async () => {
  const file = join(folder, 'tokens');
  writeFileSync(file, `ann:operator:${tokens.ann}\r\n`);
  const { context, ran } = start({ CONSOLE_TOKENS_FILE: 'tokens' }, ['--no-send']);
  await expect.poll(() => context.output.stdout).toMatch(/^The console is at http:\/\/127\.0\.0\.1:\d+\n/);
  const url = /http:\S+/.exec(context.output.stdout)?.[0] ?? '';
  const get = (path: string, token: string) =>
    ask(url + path, { headers: { authorization: `Bearer ${token}` } });
  const pages = await Promise.all(
    ['/', '/dead-letters', '/task', '/changes'].map((path) => get(path, tokens.ann)),
  );
  expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(pages[0]?.body).toContain('No worker was asked');
  expect(pages[1]?.body).toContain('QUEUE_URL: is required');
  writeFileSync(file, `vic:viewer:${tokens.vic}\n`);
  await expect.poll(() => context.output.stdout).toContain('The tokens were read again.');
  expect((await get('/', tokens.ann)).status).toBe(401);
  expect((await get('/', tokens.vic)).status).toBe(200);
  context.signal('SIGTERM');
  expect((await ran).exitCode).toBe(0);
  await expect(get('/', tokens.vic)).rejects.toThrow();
});

test.each([
  [
    '0.0.0.0',
    /^The console is at http:\/\/127\.0\.0\.1:\d+ and at every other address of this machine \(CONSOLE_HOST is 0\.0\.0\.0\)$/m,
  ],
  ['127.0.0.1', /^The console is at http:\/\/127\.0\.0\.1:\d+$/m],
])('listening on %s, it says where it is to be found', async (host, text) => {
  const { end, output } = await started({
    CONSOLE_HOST: host,
    CONSOLE_TOKENS: `ann:operator:${tokens.ann}`,
  });
  expect(output.stdout).toMatch(text);
  await end();
});
