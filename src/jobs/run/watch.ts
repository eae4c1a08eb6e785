/** A job's progress as someone sees it who has no part in it: read off the ledger. */

import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord } from '../ledger/types.ts';
import { awaitsCanary, endsSince } from './guards.ts';
import type { Pace } from './pace.ts';
import type { JobView } from './run-job.ts';

export function watchedView(ledger: Ledger, { key, jobId, plan }: JobRecord, pace: Pace): JobView {
  const counts = ledger.counts(key);
  pace.observe(counts.ended);
  const { guards = {}, counting, stopped } = plan ?? {};
  const wanted = guards.canary;
  const waits = wanted !== undefined && counting !== undefined && awaitsCanary(guards, counting);
  return {
    jobId,
    counts,
    window: guards.window ?? pace.window,
    perSecond: pace.perSecond,
    quietMs: pace.quietMs,
    canary: waits ? { good: endsSince(counting, counts).good, wanted } : undefined,
    stopped,
  };
}
