/** Brings a job whose sender is gone to rest: does what the sender would have done at its end. */
import type { JobRecord, NewNotice, NoticeKind } from '../ledger/job.ts';
import { ANY_TARGET, type Ledger } from '../ledger/ledger.ts';
import type { JobEvent } from '../ledger/state.ts';
import { awaitsDevices } from '../rules/decide.ts';
import { awaitsUndo } from '../run/undo-on-abort.ts';

/** Rows ended per transaction. */
const CANCEL_ROWS = 5_000;

export interface ConcludeOptions {
  readonly who: string;
  /** Names of the targets for notices; if none, a process that has targets sends the notice. */
  readonly targets: readonly string[];
}

/**
 * Updates the state of a job that no process sends, from its rows: `done` if all have ended; at rest if it was stopping.
 * @returns whether anything was changed.
 */
export async function concludeJob(
  ledger: Pick<Ledger, 'count' | 'change' | 'cancelRows' | 'lease'>,
  job: JobRecord,
  { who, targets }: ConcludeOptions,
): Promise<boolean> {
  const { key, plan } = job;
  if (plan === undefined || ['done', 'cancelled', 'aborted', 'elsewhere'].includes(plan.state.name))
    return false;
  const counts = await ledger.count(key);
  const { towards, since } = plan.state;
  // The undo comes first, and only a sender makes it.
  if (awaitsUndo(job)) return false;
  const allEnded = plan.complete && counts.ended === counts.total;
  // Only a sender looks at devices.
  const isDone = allEnded && !awaitsDevices(plan.settings, plan.progress, counts);
  if (towards === undefined && !isDone) return false;
  const lease = await ledger.lease(key);
  if (lease === undefined) return false;
  try {
    if (towards === 'cancelled') {
      while ((await ledger.cancelRows(key, CANCEL_ROWS)) > 0);
      if (counts.inFlight > 0) return false;
    }
    const [event, kind]: readonly [JobEvent, NoticeKind | undefined] =
      towards === undefined ? ['finish', 'done'] : ['settle', towards === 'aborted' ? 'aborted' : undefined];
    const notice: NewNotice | undefined = kind && {
      kind,
      targets: targets.length === 0 ? [ANY_TARGET] : targets,
    };
    return await ledger.change(key, { event, who, since, ...(notice !== undefined && { notice }) });
  } finally {
    await lease.release();
  }
}
