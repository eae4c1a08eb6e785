/** The ledger as the outbox of notices. */
import { createHash } from 'node:crypto';
import type { Notice } from '../../notices/notice.ts';
import type { Outbox, PendingNotice as PendingOne } from '../../notices/outbox.ts';
import { counted } from '../../text/numbers.ts';
import { reportPlace } from '../file-report/report-place.ts';
import type { NoticeKind, PendingNotice } from '../ledger/job.ts';
import { ANY_TARGET, type Ledger } from '../ledger/ledger.ts';
import { rowCountsOf } from '../ledger/row-counts.ts';
import { DEVICES_STUCK_MS, STUCK_MS } from '../run/stuck.ts';

/** Maximum number of causes that a notice names. */
const MAX_CAUSES = 10;

/**
 * The content of a notice. PURE.
 * @param report where the job's report is filed.
 */
function noticeOf(
  { id, jobId, kind, at, state, counts }: PendingNotice & { readonly kind: NoticeKind },
  report: string | undefined,
): Notice {
  return {
    // The ledger's own ids also occur in other ledgers.
    id: createHash('sha256').update(`${jobId} ${at} ${id}`).digest('hex').slice(0, 32),
    jobId,
    kind,
    at: new Date(at).toISOString(),
    state: state.name,
    ...whyOf(kind, state.why, counts.inFlight),
    who: state.who,
    counts: rowCountsOf(counts),
    failedByError: counts.causes.slice(0, MAX_CAUSES).map(({ cause, rows }) => ({ error: cause, rows })),
    ...(report !== undefined && { report }),
  };
}

function whyOf(kind: NoticeKind, why: string | undefined, inFlight: number): { readonly why?: string } {
  if (kind === 'stuck' && inFlight === 0)
    return {
      why: `It waits for its devices: for ${STUCK_MS / 60_000} minutes they could not be looked at, or for ${DEVICES_STUCK_MS / 60_000} none has ended`,
    };
  if (kind === 'stuck') {
    const rows = counted(inFlight, 'row is', 'rows are');
    return { why: `${rows} in flight, and none has ended for ${STUCK_MS / 60_000} minutes` };
  }
  return why === undefined ? {} : { why };
}

/** Notices of a job that has come to rest and files its report. */
const ends: ReadonlySet<NoticeKind> = new Set(['done', 'aborted']);

export function outboxOf(
  ledger: Pick<Ledger, 'job' | 'takeNotices' | 'noticeTold' | 'noticeFailed'>,
): Outbox {
  return {
    due: async (names, max, hiddenUntil) => {
      const due: PendingOne[] = [];
      for (const pending of await ledger.takeNotices([...names, ANY_TARGET], max, hiddenUntil)) {
        const { id: key, kind, targets, told, failures } = pending;
        if (kind === 'report') continue;
        const job = await ledger.job(pending.jobId);
        const notice = noticeOf(
          { ...pending, kind },
          ends.has(kind) ? reportPlace(job, pending.at) : undefined,
        );
        const left = names.filter((name) => targets.includes(name) && !told.includes(name));
        due.push(...left.map((target) => ({ key, notice, target, failures })));
      }
      return due;
    },
    told: (key, target) => ledger.noticeTold(key, target),
    failed: (key, _, nextAt) => ledger.noticeFailed(key, nextAt),
  };
}
