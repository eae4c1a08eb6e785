/**
 * The licences of everything in the bundle, as their authors require: `licences.txt` beside the program. A plugin for
 * Rolldown; the one in the registry would also need Rollup.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'rolldown';

/** A third-party package in the bundle. */
interface Carried {
  readonly name: string;
  readonly version: string;
  /** From its package.json. */
  readonly license: string;
  /** Its licence, and its notice if it has one. */
  readonly texts: readonly string[];
}

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt|markdown))?$/i;

/** @param files what is shipped in addition to the bundle's modules. */
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

/** The folder of the package that a file belongs to; empty for a file of this project. */
function packageFolder(file: string): string[] {
  if (!file.includes('/node_modules/')) return [];
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    // A package.json without a name, inside a package, only gives the kind of its modules.
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
