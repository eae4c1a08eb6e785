import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'rolldown';
import { builtIns } from './scripts/built-ins.ts';
import { licences } from './scripts/licences.ts';
import { light } from './scripts/light.ts';
import { oneByte } from './scripts/one-byte.ts';
import { type AssetName, assetPath, assetSources } from './src/console/assets.ts';

/** What the console's pages load lies in `assets/`, beside the program. */
const assets: Plugin = {
  name: 'assets',
  generateBundle() {
    for (const name of Object.keys(assetSources) as AssetName[])
      this.emitFile({ type: 'asset', fileName: `assets/${name}`, source: readFileSync(assetPath(name)) });
  },
};

/** The program as the image carries it: one folder, no node_modules. */
export default defineConfig({
  input: { main: 'src/main.ts' },
  platform: 'node',
  plugins: [
    light(),
    builtIns(),
    assets,
    oneByte(),
    licences((Object.keys(assetSources) as AssetName[]).map(assetPath)),
  ],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
    cleanDir: true,
    sourcemap: false,
    minify: 'dce-only',
    // `licences.txt` has what authors ask for.
    comments: false,
  },
  // Bottleneck looks for Redis clients through eval; ours is passed in.
  checks: { eval: false },
  // A warning here is a program that may fail where nobody looks.
  onLog: (level, log, handle) => handle(level === 'warn' ? 'error' : level, log),
});
