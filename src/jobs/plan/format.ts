/**
 * The plan file, in JSON Lines: a header, a row of the plan for each row of the source, and a footer with the digest
 * of everything before it.
 */
import type { Hash } from 'node:crypto';
import { z } from 'zod';
import { updateSchema } from '../../message/update.ts';

/** The fields of an update that change a task. */
export interface TaskChange {
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
}

/** Incremented by every change of the file format that a reader must know. */
export const PLAN_FORM = 3;
/** Readable forms. In form 2, left-out rows have no values that are invalid in an update, and no job is an undo. */
const readableForms = [2, PLAN_FORM] as const;

/** The first line. It is written before the rows, so nothing in it depends on them. */
export interface PlanHeader {
  readonly Plan: (typeof readableForms)[number];
  readonly JobId: string;
  readonly CreatedAt: string;
  /** For people: the name of the source file, or the conditions on live tasks. */
  readonly Source: string;
  /** The job that this one undoes. */
  readonly Undoes?: string;
}

/** A row of the source in the plan: to change, or left out. Rows are numbered from 1, without gaps. */
export type PlanRow = ChangeRow | LeftOutRow;

export interface ChangeRow extends TaskChange {
  readonly Row: number;
  readonly Identifier: string;
  /**
   * The values that the change replaces, as far as they were read: `jobs undo` restores them. A field that was read
   * and is empty, or that the task does not have, is `''`; a field that was not read is absent. The API wrote these values,
   * so they need not obey the rules of an update.
   */
  readonly Former?: TaskChange;
}

/** The task already has these values; the row cannot be applied; a later row names the same task. */
export const leftOutStates = ['as-wanted', 'refused', 'duplicate'] as const;
export type LeftOutState = (typeof leftOutStates)[number];

/** A row that changes nothing. It is in the plan so that the report covers every row of the source. */
export interface LeftOutRow {
  readonly Row: number;
  readonly LeftOut: LeftOutState;
  /** The row's Identifier, if it is text. In a refused row it can be anything, up to MAX_LEFT_OUT_IDENTIFIER. */
  readonly Identifier?: string;
  /** The value that the row would set. In a refused row it can be any text, up to MAX_LEFT_OUT_VALUE. */
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
  /** A sentence without its full stop, of at most MAX_LEFT_OUT_REASON characters. */
  readonly Reason?: string;
}

export const MAX_LEFT_OUT_IDENTIFIER = 200;
export const MAX_LEFT_OUT_VALUE = 300;
export const MAX_LEFT_OUT_REASON = 500;

/** The number of source rows of each kind. */
export interface PlanCounts {
  readonly toChange: number;
  readonly alreadyAsWanted: number;
  readonly refused: number;
  /** Rows whose Identifier occurs again in a later row. */
  readonly duplicates: number;
}

const countNames = {
  'as-wanted': 'alreadyAsWanted',
  refused: 'refused',
  duplicate: 'duplicates',
} as const satisfies Record<LeftOutState, keyof PlanCounts>;

/** The count that a row belongs to. */
export function countedAs(row: PlanRow): keyof PlanCounts {
  return 'LeftOut' in row ? countNames[row.LeftOut] : 'toChange';
}

/** The last line. */
export interface PlanFooter {
  readonly Counts: PlanCounts;
  /** `sha256:` and the hex digest of all lines before this one, including line ends, and of `Counts` as JSON. */
  readonly Digest: string;
}

const { Identifier, Description, TaskConfigurationId, JobId } = updateSchema.shape;

/** A job's name. */
export const jobIdSchema = JobId.unwrap();

const headerSchema = z.strictObject({
  Plan: z.literal(readableForms),
  JobId: jobIdSchema,
  CreatedAt: z.iso.datetime(),
  Source: z.string(),
  Undoes: jobIdSchema.optional(),
});

const Row = z.number().int().min(1);

const changeRowSchema = z
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

const leftOutRowSchema = z.strictObject({
  Row,
  LeftOut: z.enum(leftOutStates),
  Identifier: z.string().max(MAX_LEFT_OUT_IDENTIFIER).optional(),
  Description: z.string().max(MAX_LEFT_OUT_VALUE).optional(),
  TaskConfigurationId: z.string().max(MAX_LEFT_OUT_VALUE).optional(),
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

/** A line of a plan file, including its line feed. */
export function toLine(value: PlanHeader | PlanRow | PlanFooter): string {
  return `${JSON.stringify(value)}\n`;
}

export function parseHeader(line: string): PlanHeader | undefined {
  return headerSchema.safeParse(toJson(line)).data as PlanHeader | undefined;
}

export function parseRow(line: string): PlanRow | undefined {
  const value = toJson(line);
  const leftOut = typeof value === 'object' && value !== null && Object.hasOwn(value, 'LeftOut');
  return (leftOut ? leftOutRowSchema : changeRowSchema).safeParse(value).data as PlanRow | undefined;
}

export function parseFooter(line: string): PlanFooter | undefined {
  return footerSchema.safeParse(toJson(line)).data;
}

/** The form of a plan, even of a later release; undefined if the line does not begin a plan. */
export function planVersion(line: string): number | undefined {
  return z.object({ Plan: z.number() }).safeParse(toJson(line)).data?.Plan;
}

/** Whether it is the first line of a plan, of any release. A line that merely contains `Plan` may be from any file. */
export function beginsPlan(line: string): boolean {
  const { JobId, CreatedAt } = headerSchema.shape;
  return z.object({ Plan: z.number(), JobId, CreatedAt }).safeParse(toJson(line)).success;
}

function toJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The digest for the last line. @param hash must contain the lines before it. */
export function planDigest(hash: Hash, counts: PlanCounts): string {
  return `sha256:${hash.update(JSON.stringify(counts)).digest('hex')}`;
}
