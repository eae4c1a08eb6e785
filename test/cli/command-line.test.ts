import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { commandLineOf } from '../../src/cli/command-line.ts';

/** An installed program. */
const installed = {
  argv: ['/usr/bin/node', '/usr/local/bin/ota-updater'],
  env: { PATH: '/usr/local/bin:/usr/bin' },
  cwd: '/',
  exists: () => true,
};

const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const source = `${checkout}/src/main.ts`;

describe('a hint can be pasted', () => {
  test.each([
    { where: 'in a checkout', script: source, cwd: checkout, prints: 'npx ota-updater jobs status a' },
    {
      where: 'in a folder of it',
      script: source,
      cwd: `${checkout}/deploy/cdk`,
      prints: `${checkout}/bin/ota-updater.js jobs status a`,
    },
    { where: 'elsewhere', script: source, cwd: '/', prints: `${checkout}/bin/ota-updater.js jobs status a` },
  ])('$where', ({ script, cwd, prints }) => {
    expect(commandLineOf({ argv: ['node', script], env: {}, cwd })('jobs', 'status', 'a')).toBe(prints);
  });

  const app = '/home/ann/app';
  const fetched = '/home/ann/.npm/_npx/1a2b/node_modules/.bin';
  test.each([
    { where: 'in the image', script: '/usr/local/bin/ota-updater', prints: 'ota-updater check' },
    {
      where: 'where the package is installed',
      script: `${app}/node_modules/.bin/ota-updater`,
      prints: 'npx ota-updater check',
    },
    {
      where: 'where another package manager has installed it',
      script: `${app}/node_modules/.pnpm/ota-updater@0.1.0/node_modules/ota-updater/bin/ota-updater.js`,
      prints: 'npx ota-updater check',
    },
    {
      where: 'in a folder of the one with the package',
      script: `${app}/node_modules/.bin/ota-updater`,
      cwd: `${app}/updates`,
      prints: `${app}/node_modules/.bin/ota-updater check`,
    },
    {
      where: 'where npx has fetched it',
      script: `${fetched}/ota-updater`,
      prints: `${fetched}/ota-updater check`,
    },
    {
      where: 'behind another one on the PATH',
      script: '/usr/bin/ota-updater',
      prints: '/usr/bin/ota-updater check',
    },
    { where: 'off the PATH', script: '/opt/ota/ota-updater', prints: '/opt/ota/ota-updater check' },
    {
      where: 'as a file for Node',
      script: '/opt/ota/main.mjs',
      prints: 'node -- /opt/ota/main.mjs check',
    },
    {
      where: 'as a file for a Node that is not on the PATH',
      node: '/opt/node/bin/node',
      script: '/opt/ota/main.mjs',
      prints: '/opt/node/bin/node -- /opt/ota/main.mjs check',
    },
  ])('$where', ({ node = '/usr/bin/node', script, cwd = app, prints }) => {
    // As npm sets it for a script, and npx for a program.
    const PATH = `${app}/node_modules/.bin:${fetched}:/usr/local/bin:/usr/bin`;
    const exists = (path: string): boolean =>
      [node, script, '/usr/bin/node', '/usr/local/bin/ota-updater'].includes(path);
    expect(commandLineOf({ argv: [node, script], env: { PATH }, cwd, exists })('check')).toBe(prints);
  });

  test('where a container is started anew for each command', () => {
    const env = { OTA_UPDATER_COMMAND: 'docker compose run --rm worker' };
    const line = commandLineOf({ ...installed, env });
    expect(line('jobs', 'list')).toBe('docker compose run --rm worker jobs list');
  });

  test.each([
    [['--env-file', 'my sandbox.env', 'jobs', 'list']],
    [['jobs', 'list', '--env-file=my sandbox.env', '--json']],
  ])('with the --env-file that was given: %j', (args) => {
    const line = commandLineOf({ ...installed, argv: [...installed.argv, ...args] });
    expect(line('check')).toBe("ota-updater --env-file 'my sandbox.env' check");
  });

  test('with its arguments quoted', () => {
    const line = commandLineOf(installed);
    expect(line('jobs', 'apply', "Mia's plan")).toBe("ota-updater jobs apply 'Mia'\\''s plan'");
  });
});

test('no text of the program names one of its commands in another way', () => {
  const named = globSync('src/**/*.ts', { cwd: checkout }).flatMap((path) =>
    readFileSync(`${checkout}/${path}`, 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line))
      .flatMap((line) => line.match(/['"`](?:npx )?ota-updater (?:[a-z-]+|--)/g) ?? [])
      .map((text) => `${path}: ${text}`),
  );
  expect(named).toEqual([]);
});
