/**
 * Proves a bulk job of many rows (testing/proof/prove-jobs.ts). Fails when the report and the simulated API do not
 * agree, or when a command of `jobs` takes too much memory.
 *
 *   npm run prove-jobs -- --rows 50000 --rate 1000
 */
import { parseArgs } from 'node:util';
import { proveJobs } from '../testing/proof/prove-jobs.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '50000' }, rate: { type: 'string', default: '1000' } },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const proof = await proveJobs({ rows: Number(values.rows), rate: Number(values.rate), say });
const shown = { ...proof, mismatches: proof.mismatches.slice(0, 20), mismatching: proof.mismatches.length };
process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
process.exitCode = proof.mismatches.length === 0 ? 0 : 1;
