/**
 * Follows a job of the ledger to its end as a sender and a collector would, without queues: claims rows, records them as sent, and ends
 * them by outcomes. Started as a process of its own, so that its memory can be measured.
 *
 *   node testing/proof/follow-ledger.ts JOB ROWS-TO-END-AT-ONCE    with STATE_DIR and LEDGER_URL
 */
import { openLedgerAt } from '../../src/jobs/ledger/open.ts';
import { requestIdOf } from '../../src/jobs/ledger/row.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';

/** As a sender claims them. */
const CLAIM_ROWS = 200;

const [jobId = '', atOnce = '10000'] = process.argv.slice(2);
const place = { stateDir: process.env.STATE_DIR ?? '', ledgerUrl: process.env.LEDGER_URL };
const ledger = await openLedgerAt(place, 'write', {
  clock: systemClock,
  sleep,
  random: Math.random,
  holder: 'proof',
});
const job = await ledger.job(jobId);
const lease = job && (await ledger.lease(job.key));
if (job === undefined || lease === undefined) throw new Error(`no job ${jobId}, or it is being sent`);

const at = new Date().toISOString();
let sent: { readonly Identifier: string; readonly RequestId: string; readonly MessageId: string }[] = [];

async function end(): Promise<void> {
  await ledger.end(
    sent.map((one, i) => ({
      outcome: {
        ...one,
        JobId: jobId,
        At: at,
        Attempts: 1,
        ...(i % 100 === 0
          ? {
              Outcome: 'dead-lettered' as const,
              Reason: 'Rejected' as const,
              Error: { name: 'Gone', message: 'no' },
            }
          : { Outcome: 'applied' as const }),
      },
    })),
  );
  sent = [];
}

for (;;) {
  const rows = await lease.claim(CLAIM_ROWS);
  if (rows.length === 0) break;
  const claimed = rows.map((row) => ({
    row: row.Row,
    Identifier: row.Identifier,
    RequestId: requestIdOf(row),
    MessageId: `5fea7756-0ea4-451a-a703-${String(row.Row).padStart(12, '0')}`,
  }));
  await lease.settle({
    sent: claimed.map(({ row, MessageId }) => ({ row, messageId: MessageId })),
    refused: [],
    untouched: [],
    maybeTwice: 0,
  });
  for (const { row: _, ...one } of claimed) sent.push(one);
  await ledger.count(job.key);
  if (sent.length >= Number(atOnce)) await end();
}
await end();
process.stdout.write(`${JSON.stringify(await ledger.count(job.key))}\n`);
await lease.release();
await ledger.close();
