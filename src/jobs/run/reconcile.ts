/** Decides about rows whose outcome never came, by what their tasks show now. */
import type { Failure } from '../../message/failure.ts';
import type { OtaTask } from '../../ota/answers.ts';
import type { ReadAnswer } from '../../ota/reader.ts';
import type { Lease, Reconciliation } from '../ledger/ledger.ts';
import { isAsWanted } from '../plan/decisions.ts';
import type { TaskChange } from '../plan/format.ts';
import { type ReadTasksOptions, readTasks } from '../plan/read-tasks.ts';

/** Rows per transaction. */
const BATCH_ROWS = 200;

/**
 * - `applied`: the task is as the row wants it, whoever changed it.
 * - `again`: the task differs or may not be read: send the row again, which does no harm.
 * - `gone`: the task does not exist; an update for it would be dead-lettered.
 * - `unknown`: the task could not be read now.
 */
export type Decision =
  | { readonly decision: 'applied' | 'again' | 'unknown' }
  | { readonly decision: 'gone'; readonly failure: Failure };

/** PURE. */
export function decideReconciliation(change: TaskChange, answer: ReadAnswer<OtaTask>): Decision {
  if (answer.ok) return { decision: isAsWanted(change, answer.value) ? 'applied' : 'again' };
  const { failure } = answer;
  if (failure.kind === 'rejected' && failure.status === 404) return { decision: 'gone', failure };
  // Credentials that may not read a task may still be allowed to update it.
  if (failure.kind === 'denied' || failure.kind === 'rejected') return { decision: 'again' };
  return { decision: 'unknown' };
}

export type Reconciled = Record<Decision['decision'], number>;

/**
 * Reads the task of every row without an outcome, and records what it shows. If interrupted, it ends early and keeps
 * what it has. @param onTask called with the number of tasks read so far.
 * @throws CommandError if tasks cannot be read at all; see `readTasks`.
 */
export async function reconcileJob(
  lease: Pick<Lease, 'reconcile' | 'unended'>,
  read: ReadTasksOptions,
  onTask: (count: number) => void = () => {},
): Promise<Reconciled> {
  const total = { applied: 0, again: 0, gone: 0, unknown: 0 };
  const none = () => ({
    applied: [] as number[],
    again: [] as number[],
    gone: [] as Reconciliation['gone'][number][],
  });
  let found = none();
  let waiting = 0;
  let tasks = 0;
  const record = async (): Promise<void> => {
    const changed = await lease.reconcile(found);
    for (const kind of ['applied', 'again', 'gone'] as const) total[kind] += changed[kind];
    found = none();
    waiting = 0;
  };
  async function* unended() {
    for await (const page of lease.unended()) yield* page;
  }
  for await (const { item: row, answer } of readTasks(unended(), ({ Identifier }) => Identifier, read)) {
    if (answer === undefined) continue;
    onTask(++tasks);
    const decided = decideReconciliation(row, answer);
    if (decided.decision === 'unknown') total.unknown++;
    else if (decided.decision === 'gone') {
      const { name, status, message } = decided.failure;
      found.gone.push({ row: row.Row, error: { name, message, ...(status !== undefined && { status }) } });
    } else found[decided.decision].push(row.Row);
    if (++waiting === BATCH_ROWS) await record();
  }
  await record();
  return total;
}
