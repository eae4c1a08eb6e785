/**
 * Newest wins: once an update has set a field, older updates no longer change it. PURE.
 *
 * This relies on UpdateOtaTask not changing omitted fields: an older update is applied without the fields that a newer one has
 * set. An API that clears omitted fields would need another rule.
 */
import type { Update } from './update.ts';

/** The fields that a call sets. Newest wins for each of them separately. */
export const newestFields = ['Description', 'TaskConfigurationId'] as const;
export type NewestField = (typeof newestFields)[number];

/** For each field of one task, when the newest applied value was decided on: epoch milliseconds; -Infinity if unknown. */
export type Marks = Readonly<Record<NewestField, number>>;

const none: readonly NewestField[] = [];

/** Fields of `update` for which a newer value was applied. Updates decided on at the same time do not supersede each other. */
export function staleFields(update: Update, at: number, marks: Marks | undefined): readonly NewestField[] {
  if (marks === undefined || (at >= marks.Description && at >= marks.TaskConfigurationId)) return none;
  return newestFields.filter((field) => update[field] !== undefined && at < marks[field]);
}

/** `update` without its `stale` fields; undefined when nothing is left to apply. */
export function freshPart(update: Update, stale: readonly NewestField[]): Update | undefined {
  if (stale.length === 0) return update;
  const fresh = { ...update };
  for (const field of stale) delete fresh[field];
  return newestFields.some((field) => fresh[field] !== undefined) ? fresh : undefined;
}
