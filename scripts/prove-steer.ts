/**
 * Proves a job that is steered while its senders are killed (testing/proof/prove-steer.ts). Fails when the report and the simulated
 * API do not agree, or when more rows than a window were sent after a pause.
 *
 *   npm run prove-steer -- --rows 50000 --rate 1000 --senders 1 --kills 5
 *   npm run prove-steer -- --senders 2 --kills 1 --postgres
 */
import { parseArgs } from 'node:util';
import { startPostgres } from '../testing/postgres/server.ts';
import { proveSteer } from '../testing/proof/prove-steer.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '50000' },
    rate: { type: 'string', default: '1000' },
    window: { type: 'string', default: '2000' },
    'job-rate': { type: 'string', default: '1000' },
    'slow-rate': { type: 'string', default: '300' },
    senders: { type: 'string', default: '1' },
    kills: { type: 'string', default: '5' },
    /** Starts a server on this machine for it. */
    postgres: { type: 'boolean', default: false },
  },
});
const window = Number(values.window);
const server = values.postgres ? await startPostgres() : undefined;
const proof = await proveSteer({
  rows: Number(values.rows),
  rate: Number(values.rate),
  window,
  jobRate: Number(values['job-rate']),
  slowRate: Number(values['slow-rate']),
  senders: Number(values.senders),
  kills: Number(values.kills),
  stopAt: 0.8,
  ...(server !== undefined && { ledgerUrl: await server.createDatabase() }),
  say: (line) => void process.stderr.write(`${line}\n`),
});
await server?.remove();
const shown = { ...proof, mismatches: proof.mismatches.slice(0, 20), mismatching: proof.mismatches.length };
process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
process.exitCode = proof.mismatches.length === 0 && proof.sentAfterPause <= window ? 0 : 1;
