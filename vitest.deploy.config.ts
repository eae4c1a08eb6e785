/** The checks of deploy/, which need packages of their own: `npm run test:deploy`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['deploy/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});
