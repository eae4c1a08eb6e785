/** Scripts, styles and the icon: our own, and those of packages in `node_modules`. In the bundle, all are beside it. */
import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Keyed by the name in the URL: the specifier of a module, or a file beside this one. */
export const assetSources = {
  'console.css': './web/console.css',
  'jobs.css': './web/jobs.css',
  'console.js': './web/console.js',
  'drafts.js': './web/drafts.js',
  'icon.svg': './web/icon.svg',
  'htmx.js': 'htmx.org/dist/htmx.min.js',
  'htmx-sse.js': 'htmx.org/dist/ext/hx-sse.min.js',
  'uplot.js': 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
} as const;

export type AssetName = keyof typeof assetSources;

export interface Asset {
  readonly name: AssetName;
  /** With a digest of the content, so that browsers may cache it forever. */
  readonly url: string;
  readonly content: Buffer;
}

/** Reads all of them. @throws the system's error if one is missing: the program is incomplete. */
export function loadAssets(): readonly Asset[] {
  const bundled = new URL('./assets/', import.meta.url);
  const beside = existsSync(bundled);
  return (Object.keys(assetSources) as AssetName[]).map((name) => {
    const content = readFileSync(beside ? new URL(name, bundled) : assetPath(name));
    return { name, content, url: `/assets/${hash('sha256', content).slice(0, 12)}/${name}` };
  });
}

/** Its path in a checkout. */
export function assetPath(name: AssetName): string {
  const source = assetSources[name];
  return source.startsWith('.')
    ? fileURLToPath(new URL(source, import.meta.url))
    : fileURLToPath(import.meta.resolve(source));
}
