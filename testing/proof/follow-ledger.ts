/**
 * Follows a job of the ledger to its end. Run as a separate process, so that its memory can be measured.
 *
 *   node testing/proof/follow-ledger.ts JOB    with STATE_DIR and LEDGER_URL
 */
import { openLedgerAt } from '../../src/jobs/ledger/open.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { followToTheEnd } from './follow.ts';

const [jobId = ''] = process.argv.slice(2);
const place = { stateDir: process.env.STATE_DIR ?? '', ledgerUrl: process.env.LEDGER_URL };
const options = { clock: systemClock, sleep, random: Math.random, holder: 'proof' };
const ledger = await openLedgerAt(place, 'write', options);
const job = await ledger.job(jobId);
if (job === undefined) throw new Error(`there is no job ${jobId}`);
const counts = await followToTheEnd(ledger, job);
process.stdout.write(`${JSON.stringify(counts)}\n`);
await ledger.close();
