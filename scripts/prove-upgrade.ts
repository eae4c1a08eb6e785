/**
 * Proves an upgrade during work (testing/proof/prove-upgrade.ts): old and new workers on one Redis, and a job that is taken over.
 *
 *   npm run prove-upgrade -- CHECKOUT    an earlier checkout of this repository, installed
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { proveJobTakenOver, proveOneBudget } from '../testing/proof/prove-upgrade.ts';
import { redisInstalled } from '../testing/redis/server.ts';

const [from = ''] = process.argv.slice(2);
if (!existsSync(join(from, 'node_modules'))) {
  process.stderr.write('usage: npm run prove-upgrade -- CHECKOUT, in which `npm ci` has run\n');
  process.exit(2);
}
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const proofs = [proveJobTakenOver, ...(redisInstalled() ? [proveOneBudget] : [])];
for (const prove of proofs) if ((await prove({ from, say })).some(({ met }) => !met)) process.exitCode = 1;
