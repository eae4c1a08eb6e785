/** The command line: what is printed where, and the exit code. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { runHere } from '../../testing/processes/here.ts';
import { runCommand } from '../../testing/processes/process.ts';
import { redisInstalled, startRedis } from '../../testing/redis/server.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let folder: string;
let stage: Stage | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ota-updater-test-'));
});
afterEach(async () => {
  await stage?.strike();
  stage = undefined;
  await rm(folder, { recursive: true });
});

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const queueUrl = 'http://127.0.0.1:1/000000000000/updates';
/** What a worker needs to start, at addresses where nothing listens. */
const nowhere = {
  QUEUE_URL: queueUrl,
  DEAD_LETTER_QUEUE_URL: `${queueUrl}-dead`,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 's',
};
const noStack = /^\s+at |node:internal|Error:/m;

describe('a configuration with faults', () => {
  const bad = {
    QUEUE_URL: 'updates',
    RATE_LIMIT: 'fast',
    RATE_ADAPTIVE: 'maybe',
    MAX_CONCURRENCY: '0',
    MAX_ATTEMPTS: '1.5',
    RETRY_BASE_MS: '-1',
    CALL_TIMEOUT_MS: '99',
    VISIBILITY_TIMEOUT_SECONDS: '1',
    SHUTDOWN_GRACE_SECONDS: 'forever',
    REDIS_URL: 'http://user:hunter2@redis',
    HTTP_PORT: '70000',
    LOG_LEVEL: 'loud',
    AWS_REGION: '"eu-west-1"',
    AWS_SECRET_ACCESS_KEY: 'hunter2\r',
    AWS_ENDPOINT_URL_SQS: 'http://sqs.eu-west-1.amazonaws.com',
    AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'localhost:8080',
    HTTPS_PROXY: 'socks5://user:hunter2@proxy',
  };

  test.each(['worker', 'check'])(
    'is refused by %s with every fault in one message and exit code 2',
    async (command) => {
      const { code, stdout, stderr } = await runHere([command], { env: bad });
      expect(code).toBe(2);
      expect(stdout).toBe('');
      const named = stderr.split('\n').flatMap((line) => line.match(/^ {2}([A-Z_]+): /)?.[1] ?? []);
      expect(named.sort()).toEqual([...Object.keys(bad), 'DEAD_LETTER_QUEUE_URL'].sort());
      expect(stderr).not.toMatch(noStack);
      expect(stderr).not.toContain('hunter2');
    },
  );

  test('names the missing variables when nothing is set', async () => {
    const { code, stderr } = await runHere(['worker']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'the configuration has 3 faults:\n  QUEUE_URL: is required\n  DEAD_LETTER_QUEUE_URL: is required\n' +
        '  AWS_REGION: is required (such as eu-west-1), unless the profile has a region\n',
    );
  });
});

describe('misuse', () => {
  test('is told last and alone, on stderr, exit code 2', async () => {
    const { code, stdout, stderr } = await runHere(['worker', '--fast']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Unknown option --fast\. See `ota-updater worker --help`\.\n$/);
  });

  test('without a command shows the usage and exits 2', async () => {
    const { code, stderr } = await runHere([]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Usage: ota-updater/m);
  });

  test.each([['--help'], ['help', 'enqueue']])(
    'asked for help (%s %s), prints it on stdout and exits 0',
    async (...args) => {
      const { code, stdout, stderr } = await runHere(args.filter((arg) => arg !== undefined));
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: ota-updater/m);
      expect(stderr).toBe('');
    },
  );
});

describe('--env-file', () => {
  test('is read before the configuration, and variables already set take precedence', async () => {
    const path = await file('env', `QUEUE_URL=${queueUrl}\nRATE_LIMIT=fast\nHTTP_PORT=70000\n`);
    const { code, stderr } = await runCommand(['--env-file', path, 'worker'], { env: { HTTP_PORT: '0' } });
    expect(code).toBe(2);
    expect(stderr).toContain('RATE_LIMIT: must be a number');
    expect(stderr).toContain('DEAD_LETTER_QUEUE_URL: is required');
    expect(stderr).not.toMatch(/^ {2}HTTP_PORT/m);
    // Said, and without its value.
    expect(stderr).toContain(`--env-file: variables that are already set win over ${path}: HTTP_PORT.\n`);
    expect(stderr).not.toMatch(/^ {2}QUEUE_URL/m);
  });

  test.each(['missing', 'a folder'])('that is %s is reported in one sentence, exit code 2', async (what) => {
    const path = what === 'missing' ? join(folder, 'nowhere.env') : folder;
    const { code, stdout, stderr } = await runHere(['--env-file', path, 'worker']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^--env-file: \S+ cannot be read: [^\n]+\.\n$/);
  });

  test.each(['jobs', 'worker', 'schema'])('accepts a file named like a command: %s', async (name) => {
    await file(name, '');
    const { code, stdout, stderr } = await runCommand(['--env-file', name, 'schema'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('"$schema"');
  });

  test('provides region and credentials for the SDK, too', async () => {
    stage = await setStage();
    const lines = Object.entries(stage.environment({ HTTP_PORT: 'off' })).map(
      ([name, value]) => `${name}=${value}`,
    );
    const path = await file('env', lines.join('\n'));
    await stage.sendUpdates(1);
    const { api } = stage;
    const running = runCommand(['--env-file', path, 'worker']);
    const result = await Promise.race([running, api.waitFor(() => api.stats().applied === 1)]);
    expect(result).toBeUndefined();
  });
});

describe('enqueue', () => {
  test.each([
    { name: 'a missing file', content: undefined, says: /^There is no file \S+updates\.csv\.\n$/ },
    {
      name: 'a binary file that begins as text',
      content: `Identifier,Description\n${'task1,x\n'.repeat(20)}\0\0\0`,
      says: /^\S+updates\.csv is a binary file [^\n]+\n$/,
    },
    {
      name: 'a picture without NUL bytes',
      content: Uint8Array.from({ length: 4_096 }, (_, i) => 128 + (i % 128)),
      says: /^\S+updates\.csv[^\n]+\n$/,
    },
  ])('refuses $name in one sentence, exit code 2, and sends nothing', async ({ content, says }) => {
    const path = content === undefined ? join(folder, 'updates.csv') : await file('updates.csv', content);
    // Nothing listens there: a request would fail with another message.
    const { code, stdout, stderr } = await runHere(['enqueue', path], { env: nowhere });
    expect(stderr).toMatch(says);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).not.toMatch(noStack);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('sends the valid rows, reports the others, exits 3', async () => {
    stage = await setStage();
    const path = await file('updates.csv', 'Identifier,Description\ntask1,x\ntask-2,y\ntask3,z\n');
    const env = stage.environment();
    const { code, stdout, stderr } = await runHere(['enqueue', path, '--json'], { env });
    expect(code).toBe(3);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      rows: 3,
      sent: 2,
      refused: 1,
      refusedFile: `${path}.refused.csv`,
    });
    expect(stage.left()).toEqual({ ready: 2, inFlight: 0 });
    expect(await readFile(`${path}.refused.csv`, 'utf8')).toContain('task-2');
  });
});

test('--version prints the version of package.json', async () => {
  const { version } = JSON.parse(
    await readFile(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
  );
  expect(await runCommand(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('schema', () => {
  test('prints the published file, byte for byte', async () => {
    const published = fileURLToPath(new URL('../../schema/update.schema.json', import.meta.url));
    const { code, stdout, stderr } = await runCommand(['schema']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(await readFile(published, 'utf8'));
  });
});

describe('check', () => {
  test('exits 0 when all is ok, 1 when a queue is missing', async () => {
    stage = await setStage({ deadLetterAttributes: { MessageRetentionPeriod: '1209600' } });
    const good = await runHere(['check', '--json'], { env: stage.environment() });
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true });
    stage.sqs.deleteQueue('dead');
    const bad = await runHere(['check'], { env: stage.environment() });
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^FAIL {2}DEAD_LETTER_QUEUE_URL/m);
    expect(bad.stdout + bad.stderr).not.toMatch(noStack);
  });

  test('exits 1 without credentials, and reports that', async () => {
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...env } = nowhere;
    const { code, stdout, stderr } = await runCommand(['check'], {
      env: { ...env, AWS_EC2_METADATA_DISABLED: 'true' },
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}AWS credentials/m);
    expect(stdout + stderr).not.toMatch(noStack);
  });
});

describe('worker', () => {
  test.skipIf(!redisInstalled())(
    'reports in one sentence that the HTTP port is taken, exit code 1, and keeps nothing of what it had begun',
    async () => {
      stage = await setStage();
      const redis = await startRedis();
      onTestFinished(() => redis.kill());
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      onTestFinished(() => void other.close());
      const { port } = other.address() as AddressInfo;
      // Connections to Redis are made before it listens: they would keep the process alive.
      const { code, stdout, stderr } = await runCommand(['worker'], {
        env: stage.environment({ HTTP_PORT: String(port), REDIS_URL: redis.url }),
      });
      expect(stdout).not.toMatch(/"worker\.|"http\./);
      expect(stderr).toMatch(
        new RegExp(
          `^cannot listen on HTTP_HOST 127\\.0\\.0\\.1, HTTP_PORT ${port}: [^\\n]*EADDRINUSE[^\\n]*\\n$`,
        ),
      );
      expect(code).toBe(1);
    },
  );

  test.each([
    ['an address of another machine', { HTTP_HOST: '192.0.2.1' }, /EADDRNOTAVAIL/],
    ['a name that does not resolve', { HTTP_HOST: 'nowhere.invalid' }, /ENOTFOUND|EAI_AGAIN/],
  ])('reports in one sentence that it cannot listen on %s, exit code 1', async (_, env, cause) => {
    // Nothing listens at this Redis: that alone is no reason to end.
    const redis = { REDIS_URL: 'redis://127.0.0.1:1' };
    const { code, stderr } = await runHere(['worker'], { env: { ...nowhere, ...redis, ...env } });
    expect(stderr).toMatch(/^cannot listen on HTTP_HOST [^\n]+\n$/);
    expect(stderr).toMatch(cause);
    expect(code).toBe(1);
  });
});

test('dead-letters says in one sentence that no credentials are set, exit code 1', async () => {
  const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...env } = nowhere;
  const { code, stdout, stderr } = await runCommand(['dead-letters', 'list'], {
    env: { ...env, AWS_EC2_METADATA_DISABLED: 'true' },
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^Failed: no AWS credentials were found: set AWS_PROFILE.*\.\n$/);
});

describe('sandbox --demo', () => {
  test('applies a file of 30 rows and exits 0, with numbers that agree with the file', async () => {
    const good = Array.from({ length: 20 }, (_, i) => `task${i},Nightly ${i}`);
    const unknown = Array.from({ length: 4 }, (_, i) => `unknown${i},Nightly`);
    const denied = ['denied1,Nightly'];
    const refused = Array.from({ length: 5 }, (_, i) => `bad-${i},Nightly`);
    // The denied one first: it is dead-lettered after a later call has succeeded.
    const rows = [...denied, ...good, ...unknown, ...refused];
    const path = await file('updates.csv', `Identifier,Description\n${rows.join('\n')}\n`);
    // Slow enough for calls to begin after the answer to the denied one.
    const env = { RATE_LIMIT: '20' };
    const { code, stdout, stderr } = await runCommand(['sandbox', '--demo', path], { cwd: folder, env });
    const numbers = Object.fromEntries(
      [...stdout.matchAll(/^ *([\w -]+?) {2,}(\d+)/gm)].map(([, name = '', value]) => [name, Number(value)]),
    );
    // Besides the file: four unchecked bodies, one of them a valid update inside an SNS notification.
    expect(numbers).toMatchObject({
      applied: 21,
      'dead-lettered': 8,
      Rejected: 5,
      Invalid: 3,
      'refused by enqueue': 5,
    });
    expect(numbers.calls).toBeGreaterThanOrEqual(26);
    expect(stderr).toContain('30 rows read, 5 refused before sending, 29 messages on the queue');
    expect(stdout + stderr).not.toMatch(noStack);
    expect(code).toBe(0);
  });

  test('refuses a missing file in one sentence, exit code 2', async () => {
    const { code, stdout, stderr } = await runHere(['sandbox', '--demo', join(folder, 'nowhere.csv')]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^There is no file \S+nowhere\.csv\.\n$/);
  });

  test('ends when every row is refused', async () => {
    const path = await file('updates.csv', 'Identifier,Description\nbad-1,x\n');
    const { code, stdout } = await runHere(['sandbox', '--demo', path], { cwd: folder });
    expect(stdout).toMatch(/^applied +1$/m);
    expect(code).toBe(0);
  });

  test.each(['--sqs-port', '--api-port'])(
    'reports in one sentence that the port of %s is taken, exit code 1',
    async (flag) => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      onTestFinished(() => void other.close());
      const { port } = other.address() as AddressInfo;
      const path = await file('updates.csv', 'Identifier,Description\ntask1,x\n');
      const { code, stderr } = await runHere(['sandbox', flag, String(port), '--demo', path]);
      expect(stderr).toMatch(
        /^cannot start the sandbox at 127\.0\.0\.1:\d+: the port is in use already \(EADDRINUSE\)\n$/,
      );
      expect(code).toBe(1);
    },
  );
});
