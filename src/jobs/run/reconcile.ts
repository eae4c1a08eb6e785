/** What became of rows whose outcome never came: decided by the tasks themselves. */
import type { Failure } from '../../message/failure.ts';
import type { OtaTask, ReadAnswer } from '../../ota/reader.ts';
import { isAsWanted } from '../plan/decisions.ts';
import { type ReadTasksOptions, readTasks } from '../plan/refresh.ts';
import type { TaskChange } from '../plan/types.ts';

/**
 * - `applied`: the task is as the row wants it, by whoever's doing.
 * - `again`: it is not, or may not be read: to be sent again, which does no harm.
 * - `gone`: there is no such task; an update for it would be dead-lettered.
 * - `unknown`: it could not be read now; nothing is known.
 */
export type Reconciliation =
  | { readonly decision: 'applied' | 'again' }
  | { readonly decision: 'gone' | 'unknown'; readonly failure: Failure };

/** PURE. */
export function decideReconciliation(change: TaskChange, answer: ReadAnswer<OtaTask>): Reconciliation {
  if (answer.ok) return { decision: isAsWanted(change, answer.value) ? 'applied' : 'again' };
  const { failure } = answer;
  if (failure.kind === 'rejected' && failure.status === 404) return { decision: 'gone', failure };
  // Who may not read a task may still be allowed to update it.
  if (failure.kind === 'denied' || failure.kind === 'rejected') return { decision: 'again' };
  return { decision: 'unknown', failure };
}

/** A row without an outcome. */
export interface OpenRow {
  readonly identifier: string;
  readonly change: TaskChange;
}

/**
 * Reads the task of every row and decides; answers in the order of the rows. Ends early when interrupted.
 * @throws EnqueueFailure when tasks cannot be read at all; see `readTasks`.
 */
export async function* reconcileRows<Row extends OpenRow>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  options: ReadTasksOptions,
): AsyncGenerator<{ readonly row: Row; readonly reconciliation: Reconciliation }, undefined> {
  for await (const { item, answer } of readTasks(rows, ({ identifier }) => identifier, options)) {
    yield { row: item, reconciliation: decideReconciliation(item.change, answer) };
  }
}
