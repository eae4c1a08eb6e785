/**
 * package-lock.json, made fit for every machine. PURE.
 *
 * - Adds the optional packages of other platforms that the registry in use does not carry: npm leaves them out then, and
 *   `npm ci` refuses a lock file in which they are missing.
 * - Removes the Node versions that packages ask for: npm compares them with the machine's own Node and warns, but the
 *   program runs on the Node that it brings.
 */
interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
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
function platformOf(name: string): { os: string[]; cpu: string[] } {
  const parts = name.split(/[/-]/);
  const os = platforms.filter((platform) => parts.includes(platform));
  const cpu = cpus.filter((each) => parts.includes(each));
  // A WebAssembly build runs anywhere; npm installs it only where asked to.
  return { os, cpu: name.includes('wasm32') ? ['wasm32'] : cpu };
}

/** The lock file as it must be. */
export function completeLockfile(lockfile: Lockfile): Lockfile {
  const packages = structuredClone(lockfile.packages);
  for (const locked of Object.values(packages)) {
    delete locked.engines;
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      const { os, cpu } = platformOf(name);
      if (packages[key] !== undefined || os.length + cpu.length === 0) continue;
      packages[key] = {
        version: version.replace(/^[\^~]/, ''),
        ...(cpu.length > 0 && { cpu }),
        ...(locked.dev === true && { dev: true }),
        optional: true,
        ...(os.length > 0 && { os }),
      };
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...lockfile, packages: Object.fromEntries(sorted) };
}
