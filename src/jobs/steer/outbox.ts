/** The ledger as the outbox of notices. */
import { createHash } from 'node:crypto';
import type { Notice } from '../../notices/notice.ts';
import type { Outbox, TargetName } from '../../notices/outbox.ts';
import { counted } from '../../text/numbers.ts';
import type { NoticeKind, PendingNotice } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { STUCK_MS } from '../run/stuck.ts';

/** Causes that a notice names at most. */
const MAX_CAUSES = 10;

/**
 * What a notice says. PURE.
 * @param report where the job's report is filed.
 */
function noticeOf({ id, jobId, kind, at, state, counts }: PendingNotice, report: string | undefined): Notice {
  const { total, planned, inFlight, applied, superseded, failed, causes } = counts;
  return {
    // The ledger's own numbers are those of other ledgers, too.
    id: createHash('sha256').update(`${jobId} ${at} ${id}`).digest('hex').slice(0, 32),
    jobId,
    kind,
    at: new Date(at).toISOString(),
    state: state.name,
    ...whyOf(kind, state.why, inFlight),
    who: state.who,
    counts: { total, planned, inFlight, applied, superseded, failed },
    failedByError: causes.slice(0, MAX_CAUSES).map(({ cause, rows }) => ({ error: cause, rows })),
    ...(report !== undefined && { report }),
  };
}

function whyOf(kind: NoticeKind, why: string | undefined, inFlight: number): { readonly why?: string } {
  if (kind === 'stuck') {
    const rows = counted(inFlight, 'row is', 'rows are');
    return { why: `${rows} in flight, and none has ended for ${STUCK_MS / 60_000} minutes` };
  }
  return why === undefined ? {} : { why };
}

/** @param reportOf where a job's report is filed; undefined: nowhere. */
export function outboxOf(
  ledger: Pick<Ledger, 'takeNotices' | 'noticeTold' | 'noticeFailed'>,
  reportOf: (jobId: string) => string | undefined,
): Outbox {
  return {
    due: async (names, max, hiddenUntil) => {
      const taken = await ledger.takeNotices(names, max, hiddenUntil);
      return taken.flatMap((pending) => {
        const { id: key, targets, told, failures } = pending;
        const notice = noticeOf(pending, reportOf(pending.jobId));
        const left = names.filter(
          (name): name is TargetName => targets.includes(name) && !told.includes(name),
        );
        return left.map((target) => ({ key, notice, target, failures }));
      });
    },
    told: (key, target) => ledger.noticeTold(key, target),
    failed: (key, _, nextAt) => ledger.noticeFailed(key, nextAt),
  };
}
