/** What becomes of a row once the task's present values are known. PURE. */
import type { OtaTask, ReadAnswer } from '../../ota/reader.ts';
import type { Candidate, LeftOut } from './staging.ts';
import type { TaskChange } from './types.ts';
import { type Conditions, unmet } from './where.ts';
import type { NewLeftOut } from './writer.ts';

export const changeFields = ['Description', 'TaskConfigurationId'] as const;

/** A former value that is longer was never set by UpdateOtaTask, and is not recorded. */
const MAX_FORMER_LENGTH = 1_000;

/** The change alone, of whatever carries one. */
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

/** The values that `change` would replace in a task that was read whole: `''` for those it does not have. */
export function formerOf(change: TaskChange, task: TaskChange): TaskChange {
  const former: { -readonly [Field in keyof TaskChange]: string } = {};
  for (const field of changeFields) {
    if (change[field] === undefined) continue;
    const value = task[field] ?? '';
    if (value.length <= MAX_FORMER_LENGTH) former[field] = value;
  }
  return former;
}

/** True when everything that `change` asks for is known to be so. */
export function isAsWanted(change: TaskChange, present: TaskChange | undefined): boolean {
  return changeFields.every((field) => change[field] === undefined || change[field] === present?.[field]);
}

export type Refreshed =
  | { readonly candidate: Candidate }
  /** The task cannot be changed, or is not one of those asked for any more. */
  | { readonly reason: string }
  /** Nothing is known of it but what was known before. */
  | { readonly unread: true; readonly candidate: Candidate };

/**
 * What GetOtaTask's answer makes of a row. A task that may not be read may still be changed: such a row stays,
 * without its former values.
 */
export function decideRefreshed(
  candidate: Candidate,
  answer: ReadAnswer<OtaTask>,
  conditions: Conditions | undefined,
): Refreshed {
  if (!answer.ok) {
    const { kind, status, name, message } = answer.failure;
    if (kind !== 'rejected') return { unread: true, candidate };
    return { reason: status === 404 ? 'there is no such task (404)' : `${name}: ${message}` };
  }
  const field = conditions && unmet(answer.value, conditions);
  if (field !== undefined) return { reason: `${field} has changed since the tasks were listed` };
  return { candidate: { ...candidate, Former: formerOf(candidate, answer.value) } };
}

/** What a plan's file says of a row that is left out. */
export function toLeftOut({ leftOut, Identifier, reason }: LeftOut): NewLeftOut {
  return {
    LeftOut: leftOut,
    ...(Identifier !== undefined && { Identifier }),
    ...(reason !== undefined && { Reason: reason }),
  };
}
