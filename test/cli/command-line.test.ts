import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { commandLineOf } from '../../src/cli/command-line.ts';

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
    {
      where: 'in the image',
      script: '/usr/local/bin/ota-updater',
      cwd: '/',
      prints: 'ota-updater jobs status a',
    },
  ])('$where', ({ script, cwd, prints }) => {
    expect(commandLineOf({ argv: ['node', script], env: {}, cwd })('jobs', 'status', 'a')).toBe(prints);
  });

  test.each([
    {
      where: 'where the package is installed',
      script: '/home/ann/app/node_modules/.bin/ota-updater',
      prints: 'npx ota-updater check',
    },
    {
      where: 'where npx has fetched it',
      script: '/home/ann/.npm/_npx/1a2b/node_modules/.bin/ota-updater',
      prints: '/home/ann/.npm/_npx/1a2b/node_modules/.bin/ota-updater check',
    },
  ])('called by npx, $where', ({ script, prints }) => {
    const env = { npm_command: 'exec' };
    expect(commandLineOf({ argv: ['node', script], env, cwd: '/home/ann/app' })('check')).toBe(prints);
  });

  test('where a container is started anew for each command', () => {
    const env = { OTA_UPDATER_COMMAND: 'docker compose run --rm worker' };
    const line = commandLineOf({ argv: ['node', '/usr/local/bin/ota-updater'], env, cwd: '/' });
    expect(line('jobs', 'list')).toBe('docker compose run --rm worker jobs list');
  });

  test.each([
    [['--env-file', 'my sandbox.env', 'jobs', 'list']],
    [['jobs', 'list', '--env-file=my sandbox.env', '--json']],
  ])('with the --env-file that was given: %j', (args) => {
    const line = commandLineOf({ argv: ['node', 'ota-updater', ...args], env: {}, cwd: '/' });
    expect(line('check')).toBe("ota-updater --env-file 'my sandbox.env' check");
  });

  test('with its arguments quoted', () => {
    const line = commandLineOf({ argv: ['node', 'x'], env: {}, cwd: '/' });
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
