import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { HANGS_MS, NEVER_CAME_MS } from './testing/hangs.ts';
import { WaitsAmongWork } from './testing/sequencer.ts';

// Every process that a test starts loads the same program: V8 compiles it for the first of them only.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('node_modules/.cache/node-compile-cache', import.meta.url),
);

/** How all tests are run. */
export const test: NonNullable<ViteUserConfig['test']> = {
  include: ['test/**/*.test.ts', 'chaos/test/*.test.ts', 'packages/*/test/**/*.test.ts'],
  // They take a core for minutes: `npm run test:browser`, which CI runs as well.
  exclude: ['**/*.browser.test.ts'],
  globalSetup: 'testing/prepare-run.ts',
  setupFiles: 'testing/sqlite/without-sync.ts',
  // The tests mostly wait for servers: more of them at once than there are cores.
  maxWorkers: 12,
  sequence: { sequencer: WaitsAmongWork },
  // Files share a process and what it has loaded (the SDK alone takes half a second); no module of ours has state.
  isolate: false,
  testTimeout: HANGS_MS,
  hookTimeout: HANGS_MS,
  // `npm run coverage`: what ran in the tests' own processes; it does not see the processes that tests start.
  coverage: {
    include: ['src/**/*.ts', 'packages/*/src/**/*.ts'],
    reporter: ['text-summary', 'json-summary', 'html'],
    reportsDirectory: 'node_modules/.cache/coverage',
  },
  expect: { poll: { timeout: NEVER_CAME_MS } },
};

export default defineConfig({ test });
