/**
 * The licences of what the bundle carries, as their authors ask for: `licences.txt` beside the program. A plugin for Rolldown;
 * the one in the registry needs Rollup as well.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'rolldown';

/** A package of others that is in the bundle. */
interface Carried {
  readonly name: string;
  readonly version: string;
  /** As its package.json says. */
  readonly license: string;
  /** Its licence, and its notice where it has one. */
  readonly texts: readonly string[];
}

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt|markdown))?$/i;

/** @param files what is carried besides the bundle's modules. */
export function licences(files: readonly string[]): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
      const folders = new Set([...modules, ...files].flatMap(packageFolder));
      const source = textOf([...folders].map(carried));
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source });
    },
  };
}

/** The folder of the package that a file belongs to; none for a file of this project. */
function packageFolder(file: string): string[] {
  if (!file.includes('/node_modules/')) return [];
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    // Inside a package, a package.json without a name only says of what kind its modules are.
    if (existsSync(manifest) && 'version' in read(manifest)) return [folder];
  }
}

function carried(folder: string): Carried {
  const { name, version, license } = read(join(folder, 'package.json'));
  const texts = readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (license === undefined && texts.length === 0)
    throw new Error(`${name} does not say under what licence it is`);
  return { name: String(name), version: String(version), license: license ?? 'see below', texts };
}

function read(manifest: string): Readonly<Partial<Record<'name' | 'version' | 'license', string>>> {
  return JSON.parse(readFileSync(manifest, 'utf8'));
}

function textOf(packages: readonly Carried[]): string {
  const sorted = packages.toSorted(
    (a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version),
  );
  const parts = sorted.map(
    ({ name, version, license, texts }) => `${name} ${version}: ${license}\n\n${texts.join('\n\n')}\n`,
  );
  return `ota-updater carries these packages of others.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
