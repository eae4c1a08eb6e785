/**
 * The bill of materials of the image, to stdout: CycloneDX from npm, with the packages that the program needs to run.
 * `npm sbom --omit dev` also leaves out packages that development needs as well, such as zod, so the lock file decides
 * instead.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Sbom {
  readonly components: readonly { readonly 'bom-ref': string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

const npm = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const sbom = JSON.parse(execFileSync('npm', npm, { encoding: 'utf8', maxBuffer: 2 ** 26 })) as Sbom;
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>;
};

const left = new Set<string>();
const kept = new Set<string>();
for (const [key, { version, dev, optional, devOptional }] of Object.entries(packages)) {
  const ref = `${key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`;
  if (dev === true || optional === true || devOptional === true) left.add(ref);
  else kept.add(ref);
}
const isKept = (ref: string): boolean => kept.has(ref) || !left.has(ref);

const result = {
  ...sbom,
  components: sbom.components.filter((component) => isKept(component['bom-ref'])),
  dependencies: sbom.dependencies
    .filter(({ ref }) => isKept(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isKept) })),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
