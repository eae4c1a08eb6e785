/** What is asked for in the form of a change: which letters, and how. PURE. */
import { z } from 'zod';
import { readWhere, type WhereResult } from '../../dead-letters/letters/conditions.ts';
import { decimalField, wholeField } from '../pages/number-fields.ts';
import { PageError } from '../pages/page-error.ts';

/** Letters that one may tick. */
const MOST_IDS = 500;

const blank = z.literal('').transform(() => undefined);

/** A form's fields. One tick is a text, several are a list. */
export const askedFields = z.object({
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

/** @throws PageError for a condition that cannot be read. */
export function filterOf({ where }: Asked): Extract<WhereResult, { ok: true }>['matches'] {
  const read = readWhere(where);
  if (read.ok) return read.matches;
  throw new PageError(`Which letters is not clear: ${read.message}`);
}
