/** The contenders: ota-updater, a loop written with the SDK alone, and the libraries a user would pick instead. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../testing/processes/child.ts';
import { startProcess } from './children.ts';

export interface Contender {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * ota-updater's real worker, started like `npm run ota -- worker`.
 * @param script the program; default: this checkout's source.
 */
export function otaUpdater(
  env: Readonly<Record<string, string>>,
  name = 'ota-updater',
  script = file('../../src/main.ts'),
): Contender {
  return {
    name,
    script,
    args: ['worker'],
    env: { MAX_CONCURRENCY: '100', HTTP_PORT: 'off', LOG_LEVEL: 'warn', ...env },
  };
}

/** The bundle that users run, in this checkout or in another one; `npm run build` must have built it. */
export function bundleIn(checkout = file('../..')): string {
  return resolve(checkout, 'dist/main.mjs');
}

/** The source in another checkout. */
export function sourceIn(checkout: string): string {
  return resolve(checkout, 'src/main.ts');
}

/** @param rate with Bottleneck, one job per call, and p-retry. */
export function byHand(rate?: number): Contender {
  return peer('SDK by hand', 'by-hand.ts', [], rate);
}

/** The SDK's own adaptive retry mode, with up to 100 callers. */
export function sdkAdaptive(): Contender {
  const contender = peer('SDK, adaptive retry mode', 'by-hand.ts', [], undefined);
  return { ...contender, env: { BENCH_RETRY_MODE: 'adaptive' } };
}

/** The handwritten loop with a controller of the simulator: AIMD below `rate`, or always at it. */
export function controlled(controller: 'aimd' | 'fixed', rate: number): Contender {
  const contender = peer(`SDK by hand, ${controller}`, 'by-hand.ts', [], undefined);
  return { ...contender, env: { BENCH_CONTROLLER: controller, BENCH_RATE: String(rate) } };
}

export function sqsConsumer(consumers: number, rate?: number): Contender {
  return peer(`sqs-consumer x${consumers}`, 'sqs-consumer.ts', [String(consumers)], rate);
}

export function squiss(rate?: number): Contender {
  return peer('squiss-ts', 'squiss.ts', [], rate);
}

/** All peers. */
export function peers(rate?: number): Contender[] {
  return [byHand(rate), sqsConsumer(8, rate), sqsConsumer(10, rate), squiss(rate)];
}

/** Calls by another user of the API, at this rate. */
export function stranger(perSecond: number): Contender {
  return { name: 'stranger', script: file('../contenders/stranger.ts'), args: [String(perSecond)], env: {} };
}

export function startContender(
  { script, args, env }: Contender,
  stageEnv: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
  ipc = false,
): Child {
  return startProcess([...nodeOptions, script, ...args], { ...stageEnv, ...env }, ipc);
}

function peer(name: string, script: string, args: readonly string[], rate: number | undefined): Contender {
  return {
    name: rate === undefined ? name : `${name} + Bottleneck + p-retry`,
    script: file(`../contenders/${script}`),
    args,
    env: rate === undefined ? {} : { BENCH_RATE: String(rate) },
  };
}
