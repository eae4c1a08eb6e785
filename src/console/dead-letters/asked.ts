/** What the form of a change asks for: which letters, and how. PURE. */
import { z } from 'zod';
import { readWhere, type WhereResult } from '../../dead-letters/letters/conditions.ts';
import { decimalField, wholeField } from '../pages/number-fields.ts';
import { PageError } from '../pages/page-error.ts';

/** Maximum number of letters that one may tick. */
const MOST_IDS = 500;

const blank = z.literal('').transform(() => undefined);

/** Fields that a purge would ignore although their sender expects an effect. */
const ofRedrive = ['rate', 'canary', 'force'] as const;

/** A check of the request: a purge with a field of a redrive is refused. */
export function refuseForPurge({
  value,
  issues,
}: z.core.ParsePayload<
  { readonly action: string } & { readonly [Name in (typeof ofRedrive)[number]]?: unknown }
>): void {
  if (value.action !== 'purge') return;
  for (const name of ofRedrive)
    if (value[name] !== undefined && value[name] !== false)
      issues.push({
        code: 'custom',
        path: [name],
        message: 'is only for a redrive, not for a purge',
        input: value[name],
      });
}

/** The labels of the fields in the form of a change. */
export const askedLabels = {
  limit: 'At most',
  rate: 'Per second',
  canary: 'Put back first',
  force: 'Also those that were put back too often, …',
} as const;

const fields = z.object({
  action: z.enum(['redrive', 'purge']),
  group: z.string().regex(/^[0-9a-f]{8}$/, 'must be a group’s eight characters'),
  id: z
    .union([z.string(), z.array(z.string()).max(MOST_IDS)])
    .optional()
    .transform((ids) => (ids === undefined ? [] : typeof ids === 'string' ? [ids] : ids)),
  limit: z.union([blank, wholeField]).optional(),
  rate: z.union([blank, decimalField]).optional(),
  canary: z.union([blank, wholeField]).optional(),
  force: z.literal('yes').optional(),
});
/** A form's fields. One tick is a text, several ticks are a list. */
export const askedFields = fields.check(refuseForPurge);

export interface Asked {
  readonly action: 'redrive' | 'purge';
  /** Conditions, as `--where` takes them. */
  readonly where: readonly string[];
  readonly limit: number | undefined;
  /** Letters per second. */
  readonly rate: number | undefined;
  readonly canary: number | undefined;
  readonly force: boolean;
}

export function toAsked({
  action,
  group,
  id,
  limit,
  rate,
  canary,
  force,
}: z.output<typeof askedFields>): Asked {
  const where = [`group=${group}`, ...id.map((each) => `id=${each}`)];
  return { action, where, limit, rate, canary, force: force === 'yes' };
}

/** @throws PageError for a condition that cannot be parsed. */
export function filterOf({ where }: Asked): Extract<WhereResult, { ok: true }>['matches'] {
  const read = readWhere(where);
  if (read.ok) return read.matches;
  throw new PageError(`It is not clear which letters are meant: ${read.message}`);
}
