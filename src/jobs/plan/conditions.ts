/** Which live tasks a plan is made for: conditions on the fields that ListOtaTasks returns. PURE. */

import type { OtaTask } from '../../ota/answers.ts';
import { printable } from '../../text/printable.ts';

/** All fields of a listed task except times and ARN. */
export const whereFields = ['Status', 'TaskConfigurationId', 'TaskId'] as const;
export type WhereField = (typeof whereFields)[number];

/** A field with several values matches any of them; all fields must match. */
export type Conditions = ReadonlyMap<WhereField, ReadonlySet<string>>;

export function toConditions(pairs: readonly (readonly [WhereField, string])[]): Conditions {
  const conditions = new Map<WhereField, Set<string>>();
  for (const [field, value] of pairs) {
    const values = conditions.get(field);
    if (values === undefined) conditions.set(field, new Set([value]));
    else values.add(value);
  }
  return conditions;
}

/** The first condition that a task does not meet; undefined if it meets all. */
export function unmet(task: OtaTask, conditions: Conditions): WhereField | undefined {
  for (const [field, values] of conditions) if (!values.has(task[field] ?? '')) return field;
  return undefined;
}

/** The conditions in words. */
export function describeTasks(conditions: Conditions): string {
  if (conditions.size === 0) return 'all live tasks';
  const said = [...conditions].map(([field, values]) =>
    [...values].map((value) => `${field}=${printable(value)}`).join(' or '),
  );
  return `live tasks where ${said.join(' and ')}`;
}
