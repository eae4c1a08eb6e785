/** The tests of the console's pages in a real browser, apart from the others: they take a core for minutes. */
import { defineConfig } from 'vitest/config';
import { test } from './vitest.config.ts';

export default defineConfig({
  test: { ...test, include: ['test/**/*.browser.test.ts'], exclude: [], maxWorkers: 2 },
});
