/**
 * Proves the bound on a worker's memory (testing/proof/prove-memory.ts), in a cgroup if one can be created. Fails if a
 * message is lost, the worker ends by itself, or its peak exceeds the limit.
 *
 *   npm run prove-memory -- --bodies 5500 --small 500 --concurrency 500
 */
import { parseArgs } from 'node:util';
import { proveMemory } from '../testing/proof/prove-memory.ts';

const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '5500' },
    bytes: { type: 'string', default: '1000000' },
    small: { type: 'string', default: '500' },
    invalid: { type: 'string', default: '0.1' },
    limit: { type: 'string', default: '256' },
    concurrency: { type: 'string' },
    held: { type: 'string' },
    'node-option': { type: 'string', multiple: true, default: [] },
  },
});
/** Without a cgroup the kernel does not enforce the limit: a part is reserved for memory that RSS does not count. */
const UNENFORCED = 240 / 256;
const limitMb = Number(values.limit);
const proof = await proveMemory({
  bodies: Number(values.bodies),
  bodyBytes: Number(values.bytes),
  small: Number(values.small),
  invalid: Number(values.invalid),
  limitMb,
  env: {
    ...(values.concurrency !== undefined && { MAX_CONCURRENCY: values.concurrency }),
    ...(values.held !== undefined && { MAX_HELD_MB: values.held }),
  },
  nodeOptions: values['node-option'],
  say: (line) => void process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(proof, null, 2)}\n`);
const over = !proof.inCgroup && proof.peakRssMb > limitMb * UNENFORCED;
process.exitCode = proof.lost > 0 || proof.crash !== undefined || over ? 1 : 0;
