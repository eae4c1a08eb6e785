/** What becomes of a row when the present values of its task are known. PURE. */
import type { OtaTask } from '../../ota/answers.ts';
import type { ReadAnswer } from '../../ota/reader.ts';
import { type Conditions, unmet } from './conditions.ts';
import type { ChangeRow, LeftOutRow, PlanRow, TaskChange } from './format.ts';

export const changeFields = ['Description', 'TaskConfigurationId'] as const;

/** A longer former value was never set by UpdateOtaTask, and is not recorded. */
const MAX_FORMER_LENGTH = 1_000;

/** Only the fields that change a task. */
export function changeOf({
  Description,
  TaskConfigurationId,
}: {
  readonly [Field in keyof TaskChange]?: string | undefined;
}): TaskChange {
  return {
    ...(Description !== undefined && { Description }),
    ...(TaskConfigurationId !== undefined && { TaskConfigurationId }),
  };
}

/** The values that `change` would replace in a task that was read completely: `''` for those that it does not have. */
export function formerOf(change: TaskChange, task: TaskChange): TaskChange {
  const former: { -readonly [Field in keyof TaskChange]: string } = {};
  for (const field of changeFields) {
    if (change[field] === undefined) continue;
    const value = task[field] ?? '';
    if (value.length <= MAX_FORMER_LENGTH) former[field] = value;
  }
  return former;
}

/** Whether the task is known to have every value that `change` sets. */
export function isAsWanted(change: TaskChange, present: TaskChange | undefined): boolean {
  return changeFields.every((field) => change[field] === undefined || change[field] === present?.[field]);
}

/** Whether every replaced value is known, so that the change can be undone. */
export function isUndoable(row: TaskChange & Pick<ChangeRow, 'Former'>): boolean {
  return changeFields.every((field) => row[field] === undefined || row.Former?.[field] !== undefined);
}

/** Whether a task could not be read for a reason that is not about the task. */
export function isUnread(answer: ReadAnswer<OtaTask> | undefined): boolean {
  return answer !== undefined && !answer.ok && answer.failure.kind !== 'rejected';
}

/**
 * The row as it goes into the plan. A task that could not be read may still be changeable, so its row stays, without
 * former values.
 * @param answer the answer of GetOtaTask, if it was asked.
 * @param conditions on live tasks, which may have changed since they were listed.
 */
export function decide(
  row: ChangeRow,
  answer: ReadAnswer<OtaTask> | undefined,
  conditions: Conditions | undefined,
): PlanRow {
  let present = row;
  if (answer?.ok) {
    const field = conditions && unmet(answer.value, conditions);
    if (field !== undefined) return refused(row, `${field} has changed since the tasks were listed`);
    present = { ...row, Former: formerOf(row, answer.value) };
  } else if (answer?.failure.kind === 'rejected') {
    const { status, name, message } = answer.failure;
    return refused(row, status === 404 ? 'there is no such task (404)' : `${name}: ${message}`);
  }
  if (!isAsWanted(present, present.Former)) return present;
  const { Row, Identifier } = row;
  return { Row, LeftOut: 'as-wanted', Identifier, ...changeOf(row) };
}

/** A row that should be changed but cannot. */
export function refused(row: ChangeRow, Reason: string): LeftOutRow {
  const { Row, Identifier } = row;
  return { Row, LeftOut: 'refused', Identifier, ...changeOf(row), Reason };
}
