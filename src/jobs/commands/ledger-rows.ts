/** The ledger as `jobs undo` reads it. */

import { type Environment, readConfig } from '../../config.ts';
import { systemClock } from '../../time/clock.ts';
import { openLedger } from '../ledger/ledger.ts';
import type { JobRows } from './undo.ts';

/** Rows of jobs in the ledger of `STATE_DIR`. */
export function ledgerRows(env: Environment): JobRows {
  const ledger = openLedger(readConfig(env, ['stateDir']).stateDir, systemClock.wall);
  return {
    rows: (jobId) => {
      const job = ledger.job(jobId);
      return job?.plan === undefined ? undefined : ledger.rows(job.key);
    },
    close: () => ledger.close(),
  };
}
