/**
 * Proves that a job in stages stops in the stage in which its rows begin to fail (testing/proof/prove-stages.ts). Fails if more than a
 * stage of rows failed after the rule was broken.
 *
 *   npm run prove-stages -- --rows 50000 --stage 500 --first 1,5000,49000
 */
import { parseArgs } from 'node:util';
import { proveStages } from '../testing/proof/prove-stages.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '50000' },
    stage: { type: 'string', default: '500' },
    first: { type: 'string', default: '1,5000,49000' },
    rate: { type: 'string', default: '1000' },
  },
});
const stage = Number(values.stage);
for (const first of values.first.split(',')) {
  const rate = Number(values.rate);
  const proof = await proveStages({ rows: Number(values.rows), stage, first: Number(first), rate });
  process.stdout.write(`${JSON.stringify(proof)}\n`);
  if (proof.exitCode !== 4 || proof.failedAfter > stage) process.exitCode = 1;
}
