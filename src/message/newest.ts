/**
 * Newest wins (design 5.7): what an older update says of a field no longer counts once a newer one has set it. PURE.
 *
 * The promise holds only because UpdateOtaTask leaves the fields that a call omits as they are: an older update can
 * then be applied without the fields that it has lost. An API that clears omitted fields would want another rule.
 */
import { readFormerLife } from './dead-letter.ts';
import type { Message } from './message.ts';
import type { Update } from './update.ts';

/** The fields that a call sets, each with a newest value of its own. */
export const newestFields = ['Description', 'TaskConfigurationId'] as const;
export type NewestField = (typeof newestFields)[number];

/** What was last applied of one task: when each field's value was decided, epoch milliseconds; -Infinity: not known. */
export type Marks = Readonly<Record<NewestField, number>>;

const none: readonly NewestField[] = [];

/**
 * When an update was decided on, in epoch milliseconds: its `IssuedAt`, else when it was first sent, also after a
 * redrive. The sent time of a former life counts only where it is a time before this one (see {@link readFormerLife}).
 */
export function decidedAt({ IssuedAt }: Update, message: Message): number {
  const issued = IssuedAt === undefined ? Number.NaN : Date.parse(IssuedAt);
  if (!Number.isNaN(issued)) return issued;
  const former = readFormerLife(message).sentAt;
  return former === undefined ? message.sentAt : Date.parse(former);
}

/** Fields of `update` for which a newer value was applied. Strictly newer: of two decided at once, both are applied. */
export function staleFields(update: Update, at: number, marks: Marks | undefined): readonly NewestField[] {
  if (marks === undefined || (at >= marks.Description && at >= marks.TaskConfigurationId)) return none;
  return newestFields.filter((field) => update[field] !== undefined && at < marks[field]);
}

/** `update` without its `stale` fields: itself when there are none, undefined when nothing is left to apply. */
export function freshPart(update: Update, stale: readonly NewestField[]): Update | undefined {
  if (stale.length === 0) return update;
  const fresh = { ...update };
  for (const field of stale) delete fresh[field];
  return newestFields.some((field) => fresh[field] !== undefined) ? fresh : undefined;
}
