/**
 * ota-updater's worker with a way to ask for its CPU and its heap after a forced collection: `node --expose-gc`, and a
 * message from the parent. Otherwise what `src/commands/worker.ts` does.
 */
import { assemble } from '../../src/commands/assemble.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/observe/logger.ts';

export interface Measured {
  readonly cpuMs: number;
  /** With what the collection asked for took. */
  readonly cpuMsAfterCollection: number;
  /** After the collection. */
  readonly heapMb: number;
}

const config = readConfig(process.env);
const log = createLogger(config.logLevel, process.stdout);
const { worker, close } = assemble({ config, env: process.env, log });

process.on('message', () => {
  const cpuMs = cpuSoFarMs();
  // The second time collects what finalizers of the first let go.
  globalThis.gc?.();
  globalThis.gc?.();
  const measured: Measured = {
    cpuMs,
    cpuMsAfterCollection: cpuSoFarMs(),
    heapMb: process.memoryUsage().heapUsed / 1_048_576,
  };
  process.send?.(measured);
});
process.once('SIGTERM', async () => {
  await worker.stop();
  await close();
  process.disconnect?.();
});
await worker.start();

function cpuSoFarMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
