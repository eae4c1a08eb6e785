/** package-lock.json: makes it fit for every machine, and finds what is missing in it. PURE. */
interface LockedPackage {
  readonly integrity?: string;
  /** A folder of this repository. */
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  packages: Record<string, LockedPackage & Record<string, unknown>>;
}

/**
 * The lock file without the Node versions that packages require: npm compares them with the machine's Node and warns,
 * but the program runs on the Node that is installed with it.
 */
export function completeLockfile(lockfile: Lockfile): Lockfile {
  const packages = structuredClone(lockfile.packages);
  for (const locked of Object.values(packages)) delete locked.engines;
  const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...lockfile, packages: Object.fromEntries(sorted) };
}

/**
 * Entries that are not pinned, one per line. npm leaves out optional packages for other platforms if the registry in use
 * does not have them; `npm ci` then refuses such a lock file on those platforms, or installs them unchecked.
 */
export function lockfileFaults({ packages }: Lockfile): string[] {
  const names = new Set(Object.keys(packages).map((key) => key.slice(key.lastIndexOf('node_modules/'))));
  return Object.entries(packages).flatMap(([key, { integrity = '', link, optionalDependencies = {} }]) => {
    const pinned = !key.includes('node_modules/') || link === true || integrity.startsWith('sha512-');
    const missing = Object.keys(optionalDependencies).filter((name) => !names.has(`node_modules/${name}`));
    return [
      ...(pinned ? [] : [`${key} has no integrity`]),
      ...missing.map((name) => `${name}, which ${key || 'this package'} may need, is missing`),
    ];
  });
}
