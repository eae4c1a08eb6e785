/** A notice: what a job reports about its end. PURE. */

/** `stuck`: nothing of the job has ended for long, and the reason is unknown. */
export type NoticeKind = 'done' | 'aborted' | 'paused-by-rule' | 'stuck';

export interface Notice {
  /** The same each time the notice is sent, so that a receiver can recognize a repetition. `[A-Za-z0-9-]`, 1-64. */
  readonly id: string;
  readonly jobId: string;
  readonly kind: NoticeKind;
  /** When it happened: ISO 8601, UTC. */
  readonly at: string;
  /** The job's state since then. */
  readonly state: string;
  /** A sentence without its full stop. */
  readonly why?: string;
  /** The person or process that caused it: `user@host`. */
  readonly who?: string;
  /** The job's rows: `total` is the sum of the others. */
  readonly counts: {
    readonly total: number;
    /** Neither sent nor ended. */
    readonly planned: number;
    /** Sent and not ended. */
    readonly inFlight: number;
    readonly applied: number;
    readonly superseded: number;
    readonly failed: number;
    /** For a job that is being cancelled: ended without being sent. */
    readonly notSent: number;
  };
  /** The failed rows by error or reason, the most frequent first, at most ten. */
  readonly failedByError: readonly { readonly error: string; readonly rows: number }[];
  /** Where its report is stored: a folder, or an address that begins with `s3://`. */
  readonly report?: string;
}

/** The body that is sent, in the form that Standard Webhooks recommends. */
export interface NoticeBody {
  readonly type: `job.${NoticeKind}`;
  readonly timestamp: string;
  readonly data: Notice;
}

export function bodyOf(notice: Notice): NoticeBody {
  return { type: `job.${notice.kind}`, timestamp: notice.at, data: notice };
}

const happened: Readonly<Record<NoticeKind, string>> = {
  done: 'is done',
  aborted: 'was aborted by a rule',
  'paused-by-rule': 'was paused by a rule',
  stuck: 'is stuck',
};

/** `Job 2026-11-fleet is done`. ASCII, like the ids of jobs. */
export function titleOf({ jobId, kind }: Pick<Notice, 'jobId' | 'kind'>): string {
  return `Job ${jobId} ${happened[kind]}`;
}
