/**
 * Builds what is published, into `dist` or the folder given: one module with the parts of the worker that it uses, its
 * declarations, and the JSON Schema.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';

const here = import.meta.dirname;
const root = join(here, '../..');
const [out = join(here, 'dist')] = process.argv.slice(2);

await build({
  input: join(here, 'src/index.ts'),
  platform: 'node',
  // What the manifest names is not carried along.
  external: ['zod', /^@aws-sdk\//],
  output: { file: join(out, 'index.mjs'), format: 'esm', minify: 'dce-only' },
  onLog: (level, log, handle) => handle(level === 'warn' ? 'error' : level, log),
});

const declarations = join(out, 'declarations');
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const options = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', root];
const fixed = ['--rewriteRelativeImportExtensions', '--outDir', declarations];
execFileSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.build.json'), ...options, ...fixed], {
  stdio: 'inherit',
});
mkdirSync(out, { recursive: true });
// Only these: they name nothing of the worker's.
for (const name of ['index', 'producer', 'types', 'validate'])
  copyFileSync(join(declarations, `packages/producer/src/${name}.d.ts`), join(out, `${name}.d.ts`));
rmSync(declarations, { recursive: true });
copyFileSync(join(root, 'schema/update.schema.json'), join(out, 'update.schema.json'));
