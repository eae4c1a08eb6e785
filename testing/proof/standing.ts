/** The state of a proof's job, read directly from its ledger: it is read repeatedly, and a command takes half a second of CPU to start. */
import type { Counts } from '../../src/jobs/ledger/job.ts';
import { type LedgerPlace, openLedgerAt } from '../../src/jobs/ledger/open.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { JOB } from './job.ts';

export interface Standing {
  readonly state: string;
  /** Rows that may have been sent twice. */
  readonly maybeTwice: number;
  readonly counts: Counts;
}

/** @throws LedgerError if the ledger cannot be read. */
export async function standingOf(place: LedgerPlace): Promise<Standing> {
  const context = { clock: systemClock, sleep, random: Math.random, holder: 'proof' };
  const ledger = await openLedgerAt(place, 'read', context);
  try {
    const job = await ledger.job(JOB);
    if (job?.plan === undefined) throw new Error('the ledger has no plan of the job');
    const { state, maybeTwice } = job.plan;
    return { state: state.name, maybeTwice, counts: await ledger.count(job.key) };
  } finally {
    await ledger.close();
  }
}
