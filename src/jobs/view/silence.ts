/** What may be wrong with a job whose rows do not end. PURE. */
import { counted } from '../../text/numbers.ts';
import type { CommandLine } from '../../text/shell.ts';
import type { Counts } from '../ledger/job.ts';

/** If rows were sent and none has ended for this long, most likely no worker runs. */
const NO_WORKER_MS = 15_000;
/** If rows had ended before, a silence longer than this is worth a hint. */
const QUIET_HINT_MS = 60_000;

/** A note up to the command that helps, and the command as typed. */
export type Note = readonly [what: string, command?: string];

export interface SilentJob {
  readonly jobId: string;
  readonly counts: Pick<Counts, 'inFlight'>;
  /** Whether no row has ended since the job is being followed. */
  readonly noneEnded: boolean;
  /** Time since the last row ended. */
  readonly quietMs: number;
}

/** The first note says what is observed. @param end how to end the process that sends the job. */
export function silence(
  { quietMs, noneEnded, counts, jobId }: SilentJob,
  end: string,
  commandLine: CommandLine,
): Note[] {
  if (counts.inFlight === 0 || quietMs < (noneEnded ? NO_WORKER_MS : QUIET_HINT_MS)) return [];
  const seconds = Math.round(quietMs / 1_000);
  const lost: Note = [`if outcomes were lost: ${end}, then`, commandLine('jobs', 'reconcile', jobId)];
  const workers = commandLine('status');
  if (!noneEnded) return [[`no row has ended for ${seconds} s: do the workers still run?`, workers], lost];
  return [
    [`${counted(counts.inFlight, 'row')} sent, none ended for ${seconds} s: does a worker run?`, workers],
    ['it needs this QUEUE_URL and this OUTCOME_QUEUE_URL:', commandLine('check')],
    ...(quietMs < QUIET_HINT_MS ? [] : [lost]),
  ];
}
