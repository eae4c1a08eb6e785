/**
 * Adds to package-lock.json the optional packages of other platforms that the registry in use does not carry.
 * npm leaves them out then, and `npm ci` refuses a lock file in which they are missing. Run after every change of
 * dependencies: `node scripts/complete-lockfile.ts`.
 */
import { readFile, writeFile } from 'node:fs/promises';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lockfile {
  packages: Record<string, LockedPackage & Record<string, unknown>>;
}

const platforms = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'aix',
  'win32',
];
const cpus = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

/** What the name says of where the package runs, as npm wants it; npm skips it elsewhere without fetching it. */
export function platformOf(name: string): { os: string[]; cpu: string[] } {
  const parts = name.split(/[/-]/);
  const os = platforms.filter((platform) => parts.includes(platform));
  const cpu = cpus.filter((each) => parts.includes(each));
  // A WebAssembly build runs anywhere; npm installs it only where asked to.
  return { os, cpu: name.includes('wasm32') ? ['wasm32'] : cpu };
}

/** Adds the missing entries; answers their names. */
export function completeLockfile(lockfile: Lockfile): string[] {
  const added: string[] = [];
  for (const locked of Object.values(lockfile.packages)) {
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      const { os, cpu } = platformOf(name);
      if (lockfile.packages[key] !== undefined || os.length + cpu.length === 0) continue;
      lockfile.packages[key] = {
        version: version.replace(/^[\^~]/, ''),
        ...(cpu.length > 0 && { cpu }),
        ...(locked.dev === true && { dev: true }),
        optional: true,
        ...(os.length > 0 && { os }),
      };
      added.push(name);
    }
  }
  const sorted = Object.entries(lockfile.packages).sort(([a], [b]) => (a < b ? -1 : 1));
  lockfile.packages = Object.fromEntries(sorted);
  return added;
}

if (import.meta.main) {
  const lockfile = JSON.parse(await readFile('package-lock.json', 'utf8')) as Lockfile;
  const added = completeLockfile(lockfile);
  await writeFile('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
  process.stdout.write(`${added.length} added: ${added.join(' ')}\n`);
}
