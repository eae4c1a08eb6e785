/** The lines of a plan file as text and back: one schema each. */
import type { Hash } from 'node:crypto';
import { z } from 'zod';
import { updateSchema } from '../../message/update.ts';
import {
  leftOutStates,
  MAX_LEFT_OUT_IDENTIFIER,
  MAX_LEFT_OUT_REASON,
  PLAN_FORM,
  type PlanCounts,
  type PlanFooter,
  type PlanHeader,
  type PlanLine,
} from './types.ts';

const { Identifier, Description, TaskConfigurationId, JobId } = updateSchema.shape;

/** A job's own name, without which nothing can be followed. */
export const jobIdSchema = JobId.unwrap();

const headerSchema = z.strictObject({
  Plan: z.literal(PLAN_FORM),
  JobId: jobIdSchema,
  CreatedAt: z.iso.datetime(),
  Source: z.string(),
});

const Row = z.number().int().min(1);

const rowSchema = z
  .strictObject({
    Row,
    Identifier,
    Description,
    TaskConfigurationId,
    Former: z
      .strictObject({ Description: z.string().optional(), TaskConfigurationId: z.string().optional() })
      .optional(),
  })
  .refine((row) => row.Description !== undefined || row.TaskConfigurationId !== undefined);

const leftOutSchema = z.strictObject({
  Row,
  LeftOut: z.enum(leftOutStates),
  Identifier: z.string().max(MAX_LEFT_OUT_IDENTIFIER).optional(),
  Description,
  TaskConfigurationId,
  Reason: z.string().max(MAX_LEFT_OUT_REASON).optional(),
});

const count = z.number().int().min(0);

const footerSchema = z.strictObject({
  Counts: z.strictObject({
    toChange: count,
    alreadyAsWanted: count,
    refused: count,
    duplicates: count,
  }),
  Digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
});

/** A line of a plan file, its line feed included. */
export function toLine(value: PlanHeader | PlanLine | PlanFooter): string {
  return `${JSON.stringify(value)}\n`;
}

export function parseHeader(line: string): PlanHeader | undefined {
  return headerSchema.safeParse(toJson(line)).data;
}

/** A row to change, or one that is left out. */
export function parseRow(line: string): PlanLine | undefined {
  const value = toJson(line);
  const leftOut = typeof value === 'object' && value !== null && Object.hasOwn(value, 'LeftOut');
  return (leftOut ? leftOutSchema : rowSchema).safeParse(value).data as PlanLine | undefined;
}

export function parseFooter(line: string): PlanFooter | undefined {
  return footerSchema.safeParse(toJson(line)).data;
}

/** A plan of a later release: its number, to be told from what is no plan. */
export function planVersion(line: string): number | undefined {
  return z.object({ Plan: z.number() }).safeParse(toJson(line)).data?.Plan;
}

function toJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The digest in the last line: of the lines before it, which `hash` has taken in, and of the counts beside it. */
export function planDigest(hash: Hash, counts: PlanCounts): string {
  return `sha256:${hash.update(JSON.stringify(counts)).digest('hex')}`;
}
