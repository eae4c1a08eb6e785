/** A ledger in a file of a folder, for tests. */
import type { Ledger, LedgerUse } from '../../src/jobs/ledger/ledger.ts';
import { openLedger } from '../../src/jobs/ledger/sqlite/ledger.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';

/** @param now epoch milliseconds. */
export async function openFileLedger(
  folder: string,
  now: () => number,
  use: LedgerUse = 'create',
): Promise<Ledger> {
  const clock = { ...systemClock, wall: now };
  return await openLedger(folder, { clock, sleep, random: Math.random }, use);
}
