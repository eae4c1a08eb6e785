/**
 * ota-updater's worker that can be asked for its CPU time ('cpu'), or for that and its heap after a forced
 * collection ('heap'), with `node --expose-gc` and a message from the parent. Otherwise it does what
 * `src/commands/worker.ts` does.
 */

import { compileSooner } from '../../src/cli/v8-flags.ts';
import { assemble } from '../../src/commands/assemble.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/observe/logger.ts';

export interface Measured {
  /** Up to the request: a requested collection is not included. */
  readonly cpuMs: number;
  /** Total heap; after the collection, if one was requested. */
  readonly heapMb: number;
}

compileSooner();
const config = readConfig(process.env);
const log = createLogger(config.logLevel, process.stdout);
const { worker, close } = assemble({ config, env: process.env, log });

process.on('message', (question) => {
  const { user, system } = process.cpuUsage();
  if (question === 'heap') {
    // Collects everything possible, as before a heap runs out: a plain gc() keeps V8's caches from the start for a
    // while, 5 MB that a long run loses by itself.
    globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'sync' });
  }
  const heapMb = process.memoryUsage().heapUsed / 1_048_576;
  const measured: Measured = { cpuMs: (user + system) / 1_000, heapMb };
  process.send?.(measured);
});
process.once('SIGTERM', async () => {
  await worker.stop();
  await close();
  process.disconnect?.();
});
await worker.start();
