import { defineConfig } from 'rolldown';

/** The program as the image carries it: one folder, no node_modules. */
export default defineConfig({
  input: { main: 'src/main.ts' },
  platform: 'node',
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
    cleanDir: true,
    sourcemap: false,
    minify: 'dce-only',
  },
  // Bottleneck looks for Redis clients through eval; ours is passed in.
  checks: { eval: false },
  // A warning here is a program that may fail where nobody looks.
  onLog: (level, log, handle) => handle(level === 'warn' ? 'error' : level, log),
});
