/**
 * Proves large plans: a plan of a million rows, 1% of them refused, takes less than a minute and flat memory. A plan of a
 * tenth of the rows is made before it, to compare the memory.
 *
 *   npm run prove-plan -- --rows 1000000
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCloud } from '../src/sandbox/cloud.ts';
import { memoryFault } from '../testing/proof/memory.ts';
import { Processes } from '../testing/proof/processes.ts';
import { writeRows } from '../testing/proof/prove-ledger.ts';
import { lineOf } from '../testing/proof/rows.ts';

const MAX_SECONDS = 60;
const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
const folder = mkdtempSync(join(tmpdir(), 'prove-plan-'));
// For `check`, which looks at the queues while the plan is made, and also takes memory.
const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 'proof', api: {} });
const processes = new Processes(cloud, folder, 1_000);
const faults: string[] = [];
try {
  let before: number | undefined;
  const [tenth = 0, all = 0] = [Number(values.rows) / 10, Number(values.rows)].map(Math.round);
  for (const rows of [tenth, all]) {
    writeRows(join(folder, `${rows}.csv`), rows, lineOf);
    const startedAt = performance.now();
    await processes.run('jobs', 'plan', `${rows}.csv`, '--job', String(rows), '--out', `${rows}.jsonl`);
    const seconds = (performance.now() - startedAt) / 1_000;
    const { peakMemory, cpuSeconds } = processes;
    const peak = peakMemory.plan ?? 0;
    const took = `${seconds.toFixed(1)} s (${cpuSeconds.plan?.toFixed(1)} s of a core)`;
    process.stdout.write(`a plan of ${rows.toLocaleString('en')} rows: ${took}, peak ${peak} MB\n`);
    if (seconds > MAX_SECONDS) faults.push(`it took more than ${MAX_SECONDS} s`);
    faults.push(...[memoryFault('the plan', peak, before)].flatMap((fault) => fault ?? []));
    before = peak;
  }
} finally {
  await processes.killAll();
  await cloud.close();
  rmSync(folder, { recursive: true });
}
if (faults.length > 0) {
  process.stdout.write(`FAILED: ${faults.join('; ')}\n`);
  process.exitCode = 1;
}
