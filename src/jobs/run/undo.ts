/** What can be put back of what a job changed. PURE. */
import { updateSchema } from '../../message/update.ts';
import type { OtaTask, ReadAnswer } from '../../ota/reader.ts';
import { changeFields } from '../plan/decisions.ts';
import type { TaskChange } from '../plan/types.ts';

/** A row of a job, as the ledger has it. */
export interface JobRow {
  readonly row: number;
  readonly identifier: string;
  readonly change: TaskChange;
  readonly former: TaskChange | undefined;
  readonly state: string;
  /** How often it was given to the queue, over all tries. */
  readonly sends: number;
}

/** Whether a row can have changed its task, or why nobody can say yet. */
export function mayHaveChanged({
  state,
  sends,
}: Pick<JobRow, 'state' | 'sends'>): boolean | { readonly reason: string } {
  switch (state) {
    case 'applied':
    // Its call may have taken effect, and the answer was lost.
    case 'dead-lettered':
      return true;
    // To be sent again: an earlier sending may have arrived, an earlier try may have taken effect.
    case 'planned':
      return sends > 0;
    // The sending that SQS refused is one of them.
    case 'refused':
      return sends > 1;
    case 'sending':
    case 'sent':
      return { reason: 'has not ended: see `jobs resume` and `jobs reconcile`, then undo' };
    default:
      return false;
  }
}

/** What is to be done about one row. */
export interface UndoDecision {
  /** The values to put back; empty when there is nothing to do, or nothing that can be done. */
  readonly change: TaskChange;
  /** The values that this replaces. */
  readonly former: TaskChange;
  /** Why the rest of it cannot be undone, a sentence each. */
  readonly faults: readonly string[];
}

/** Field by field: what the job set and nobody has changed since goes back to what was read before. */
export function decideUndo(row: Omit<JobRow, 'sends'>, answer: ReadAnswer<OtaTask>): UndoDecision {
  if (!answer.ok) {
    const { status, name, message } = answer.failure;
    const fault = status === 404 ? 'there is no such task any more' : `cannot be read (${name}: ${message})`;
    return { change: {}, former: {}, faults: [fault] };
  }
  const change: { -readonly [Field in keyof TaskChange]: string } = {};
  const former: { -readonly [Field in keyof TaskChange]: string } = {};
  const faults: string[] = [];
  for (const field of changeFields) {
    const wanted = row.change[field];
    if (wanted === undefined) continue;
    const before = row.former?.[field];
    const now = answer.value[field] ?? '';
    if (now === before) continue;
    if (now !== wanted) {
      if (row.state === 'applied') faults.push(`${field}: the task was changed since`);
    } else if (before === undefined) faults.push(`${field}: no former value was recorded`);
    else if (before === '') faults.push(`${field}: was empty before, and the API cannot empty it`);
    else if (!updateSchema.shape[field].safeParse(before).success) {
      faults.push(`${field}: its former value is none that UpdateOtaTask takes`);
    } else {
      change[field] = before;
      former[field] = now;
    }
  }
  return { change, former, faults };
}
