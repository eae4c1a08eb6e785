/** Follows a job of a ledger to its end as a sender and a collector would, without queues. */
import type { Counts, JobRecord } from '../../src/jobs/ledger/job.ts';
import type { Ledger } from '../../src/jobs/ledger/ledger.ts';
import { requestIdOf } from '../../src/jobs/ledger/row.ts';

/** As many as a sender claims. */
const CLAIM_ROWS = 200;
/** Rows per transaction: more than for a collector, which has eight polls of ten messages. */
const END_ROWS = 1_000;
/** One row out of this many fails. */
const FAILS_EVERY = 100;

interface SentRow {
  readonly Identifier: string;
  readonly RequestId: string;
  readonly MessageId: string;
}

/** Claims rows, records them as sent, and ends them by outcomes. @throws if another process has the job. */
export async function followToTheEnd(
  ledger: Pick<Ledger, 'lease' | 'end' | 'count'>,
  { key, jobId }: Pick<JobRecord, 'key' | 'jobId'>,
): Promise<Counts> {
  const lease = await ledger.lease(key);
  if (lease === undefined) throw new Error(`job ${jobId} is being sent`);
  const at = new Date().toISOString();
  let sent: SentRow[] = [];
  const end = async (): Promise<void> => {
    await ledger.end(sent.map((one, i) => ({ outcome: outcomeOf(one, jobId, at, i % FAILS_EVERY === 0) })));
    sent = [];
  };
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
    await ledger.count(key);
    if (sent.length >= END_ROWS) await end();
  }
  await end();
  await lease.release();
  return await ledger.count(key);
}

function outcomeOf(row: SentRow, JobId: string, At: string, fails: boolean) {
  const common = { ...row, JobId, At, Attempts: 1 };
  return fails
    ? {
        ...common,
        Outcome: 'dead-lettered' as const,
        Reason: 'Rejected' as const,
        Error: { name: 'Gone', message: 'no' },
      }
    : { ...common, Outcome: 'applied' as const };
}
