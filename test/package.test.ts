/** What installs the project: package.json and its lock file. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { completeLockfile, type Lockfile } from '../testing/lockfile.ts';

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

describe('package-lock.json', () => {
  const text = read('package-lock.json');
  const lockfile = JSON.parse(text) as Lockfile;

  test('is complete for every platform, and asks for no version of the machine’s own Node', () => {
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

describe('completeLockfile', () => {
  const packages = {
    'node_modules/a': {
      version: '1.0.0',
      dev: true,
      engines: { node: '>=22' },
      optionalDependencies: { '@a/linux-x64': '1.0.0', '@a/darwin-arm64': '^1.0.0', b: '1.0.0' },
    },
    'node_modules/@a/linux-x64': { version: '1.0.0', cpu: ['x64'], os: ['linux'], optional: true },
  };

  test('adds what other platforms need, and no optional package of all platforms', () => {
    expect(completeLockfile({ packages }).packages).toEqual({
      'node_modules/@a/darwin-arm64': {
        version: '1.0.0',
        cpu: ['arm64'],
        dev: true,
        optional: true,
        os: ['darwin'],
      },
      'node_modules/@a/linux-x64': packages['node_modules/@a/linux-x64'],
      'node_modules/a': {
        version: '1.0.0',
        dev: true,
        optionalDependencies: packages['node_modules/a'].optionalDependencies,
      },
    });
  });
});
