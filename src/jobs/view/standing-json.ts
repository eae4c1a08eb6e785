/** Where a job stands, for scripts. PURE. */
import { jsonLine } from '../../text/printable.ts';
import type { JobStanding } from '../ledger/job.ts';
import type { JobState } from '../ledger/state.ts';
import { outlookJson } from './outlook-text.ts';
import { settingsJson } from './settings-text.ts';
import type { RunNotes } from './standing.ts';
import { idleSettings, notDone, rateOf, repeatedShare, rowsOf, wasStopped } from './standing-facts.ts';

/** The standing as one JSON object on one line. */
export function standingJson(standing: JobStanding, notes: RunNotes = {}): string {
  const { job, counts, leased, times, reconciled, foreign, unmatched } = standing;
  const { plan } = job;
  const json = {
    job: job.jobId,
    ...(notes.end !== undefined && { end: notes.end }),
    source: plan?.source ?? null,
    digest: plan?.digest ?? null,
    issuedAt: plan?.issuedAt ?? null,
    startedAt: isoOf(times?.startedAt),
    endedAt: isoOf(times?.endedAt),
    seconds: times === undefined ? null : times.ms / 1_000,
    rowsPerSecond: rateOf(times) ?? null,
    sending: leased,
    rows: rowsOf(job, counts),
    leftOut: plan?.leftOut ?? null,
    ended: counts.ended,
    applied: counts.applied,
    superseded: counts.superseded,
    failed: counts.failed,
    cancelled: counts.notSent,
    failedByError: Object.fromEntries(counts.causes.map(({ cause, rows: count }) => [cause, count])),
    inFlight: counts.inFlight,
    mayHaveArrived: leased ? 0 : counts.sending,
    notSent: rowsOf(job, counts) - counts.ended - counts.inFlight,
    reconciled,
    maybeSentTwice: plan?.maybeTwice ?? 0,
    ...(notes.maybeTwice !== undefined && { maybeSentTwiceNow: notes.maybeTwice }),
    ...(notes.retried !== undefined && { triedAgain: notes.retried }),
    foreignOutcomes: foreign,
    outcomesOfNoRow: unmatched,
    repeatedCallShare: Number(repeatedShare(counts).toFixed(4)),
    state: plan === undefined ? null : stateJson(plan.state),
    stopped:
      notes.reason ?? (plan !== undefined && wasStopped(plan.state) ? plan.state.why : undefined) ?? null,
    lastFailed: standing.lastFailed.map(({ Row, Identifier, end }) => ({
      row: Row,
      identifier: Identifier,
      error: end.error?.name ?? end.reason ?? null,
    })),
    notDone: notDone(job, counts) ?? null,
    undoneBy: standing.undos.map(({ jobId, applied, isDone }) => ({
      job: jobId,
      restored: applied,
      done: isDone,
    })),
    complete: plan?.complete ?? null,
    settings: plan === undefined ? null : settingsJson(plan.settings),
    idleSettings: idleSettings(job, counts),
    ...outlookJson(notes.outlook),
  };
  return jsonLine(json);
}

function stateJson({ name, towards, since, who, why }: JobState) {
  return { name, towards: towards ?? null, since: isoOf(since), who, why: why ?? null };
}

function isoOf(epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : new Date(epochMs).toISOString();
}
