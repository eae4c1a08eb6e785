/** The update. The schema is the source of the type, of the check and of `schema/update.schema.json`. PURE. */
import { z } from 'zod';
import { epochMs } from '../time/instant.ts';
import { utcInstant } from './instant.ts';
import { anyBut, jsonSchemaText, limitedText, schemaId } from './json-schema.ts';
import { describeOdd } from './odd-text.ts';

/** The characters allowed in the fields, as a character class of a regular expression. */
const alphanumeric = 'A-Za-z0-9';
const descriptive = '0-9A-Za-z_\\- ';
const correlating = '0-9A-Za-z_.:-';

const correlationId = limitedText(correlating, 128, 'may hold only letters, digits and _ . : -');

/** The rules of the first three fields are those of UpdateOtaTask; the other fields are ours. */
export const updateSchema = z
  .strictObject({
    Identifier: limitedText(alphanumeric, 200, 'may hold only letters and digits').describe(
      'The OTA task to update.',
    ),
    Description: limitedText(descriptive, 256, 'may hold only letters, digits, spaces, _ and -')
      .describe('The new description of the task.')
      .optional(),
    TaskConfigurationId: limitedText(alphanumeric, 64, 'may hold only letters and digits')
      .describe('The task configuration to use from now on.')
      .optional(),
    JobId: correlationId.describe('The bulk job this update belongs to.').optional(),
    RequestId: correlationId.describe("The producer's own id of this update.").optional(),
    IssuedAt: utcInstant.describe('When the producer decided on this update; the newest wins.').optional(),
  })
  .refine((u) => u.Description !== undefined || u.TaskConfigurationId !== undefined, {
    message: 'nothing to update: give Description or TaskConfigurationId',
  })
  .meta({
    $id: schemaId('update'),
    title: 'OTA task update',
    description:
      'The body of one SQS message for ota-updater: bare, or in an SNS notification, an EventBridge event or a CloudEvent.',
    // Each branch declares the property that it requires, as strict validators demand.
    anyOf: ['Description', 'TaskConfigurationId'].map((name) => ({
      type: 'object',
      properties: { [name]: {} },
      required: [name],
    })),
  });

/** A valid update of one OTA task. */
export type Update = z.infer<typeof updateSchema>;

/** All fields of an update, in the order of the schema. */
export const updateFields = Object.keys(updateSchema.shape) as readonly (keyof Update)[];

/** How much later than the message's sent time `IssuedAt` may be, in milliseconds. */
export const MAX_ISSUED_AHEAD_MS = 5 * 60_000;

/** The valid ids of an update; the update itself may be invalid. */
export interface UpdateIds {
  readonly identifier?: string;
  readonly jobId?: string;
  readonly requestId?: string;
}

export type UpdateCheck =
  | {
      readonly ok: true;
      readonly update: Update;
      /** When the event around it happened, in epoch milliseconds: the earliest of its envelopes' times. */
      readonly eventAt?: number;
    }
  | { readonly ok: false; readonly message: string; readonly ids: UpdateIds };

/** The ids of an update, or of an invalid body, as far as they could be read. */
export function idsOf(check: UpdateCheck): UpdateIds {
  if (!check.ok) return check.ids;
  const { Identifier, JobId, RequestId } = check.update;
  return {
    identifier: Identifier,
    ...(JobId !== undefined && { jobId: JobId }),
    ...(RequestId !== undefined && { requestId: RequestId }),
  };
}

/**
 * Checks a value against the schema.
 * @param sentAt when the message was sent, in epoch milliseconds; limits `IssuedAt`.
 * @returns the update, or a message that names every invalid field and what is wrong with it. Never throws.
 */
export function checkUpdate(value: unknown, sentAt: number): UpdateCheck {
  try {
    return check(value, sentAt);
  } catch {
    // JSON never does this, but a value from a producer's own program may.
    return { ok: false, message: 'cannot be read: a field of it throws an error', ids: {} };
  }
}

function check(value: unknown, sentAt: number): UpdateCheck {
  const parsed = updateSchema.safeParse(value);
  if (!parsed.success)
    return { ok: false, message: describeIssues(parsed.error.issues, value), ids: readIds(value) };
  const update = parsed.data;
  if (update.IssuedAt !== undefined && epochMs(update.IssuedAt) > sentAt + MAX_ISSUED_AHEAD_MS) {
    const message = `IssuedAt: ${update.IssuedAt} is more than 5 minutes after the message was sent`;
    return { ok: false, message, ids: readIds(value) };
  }
  return { ok: true, update };
}

/** The text of `schema/update.schema.json`. */
export function updateJsonSchema(): string {
  return jsonSchemaText(updateSchema);
}

/** A body can hold thousands of unknown fields; a message names only the first few. */
const MAX_NAMED = 5;

/** By field: the characters that it must not hold. */
const oddCharacters: Readonly<Record<string, RegExp>> = {
  Identifier: anyBut(alphanumeric),
  Description: anyBut(descriptive),
  TaskConfigurationId: anyBut(alphanumeric),
  JobId: anyBut(correlating),
  RequestId: anyBut(correlating),
};

function describeIssues(issues: readonly z.core.$ZodIssue[], value: unknown): string {
  // An empty field breaks two rules, but "empty" describes both.
  return [...new Set(issues.map((issue) => describeIssue(issue, value)))].join('; ');
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const known = `the fields are ${updateFields.join(', ')}`;
    const named = issue.keys.slice(0, MAX_NAMED).map((key) => JSON.stringify(key.slice(0, 80)));
    const more = issue.keys.length > MAX_NAMED ? ` and ${issue.keys.length - MAX_NAMED} more` : '';
    return `unknown field ${named.join(', ')}${more} (${known})`;
  }
  if (issue.path.length === 0) return issue.code === 'custom' ? issue.message : 'not a JSON object';
  const field = issue.path.join('.');
  const odd = oddCharacters[field];
  const text = (value as Readonly<Record<string, unknown>>)[field];
  if (typeof text !== 'string') return `${field}: ${describeType(text, field)}`;
  if (text === '') return `${field}: is empty`;
  if (issue.code === 'too_big')
    return `${field}: is ${text.length} characters long, and may be ${issue.maximum} at most`;
  if (issue.code !== 'invalid_format' || odd === undefined) return `${field}: ${issue.message}`;
  const what = describeOdd(text, odd);
  return `${field}: ${issue.message}${what === undefined ? '' : `; ${what}`}`;
}

/** Describes a value that should be text, and what to do about it. */
function describeType(value: unknown, field: string): string {
  if (value === undefined) return 'is missing';
  if (typeof value === 'number' || typeof value === 'bigint') return 'is a number: put it in quotes';
  if (value === null)
    return field === 'Identifier' ? 'is null, not a text' : 'is null, not a text: leave the field out';
  if (Array.isArray(value)) return 'is a list, not a text';
  if (typeof value === 'boolean') return 'is true or false, not a text';
  return typeof value === 'object' ? 'is an object, not a text' : `is a ${typeof value}, not a text`;
}

/** An invalid id is left out: ids appear in log lines and dead letters. */
function readIds(value: unknown): UpdateIds {
  if (typeof value !== 'object' || value === null) return {};
  const { Identifier, JobId, RequestId } = value as Record<string, unknown>;
  const identifier = updateSchema.shape.Identifier.safeParse(Identifier);
  const jobId = correlationId.safeParse(JobId);
  const requestId = correlationId.safeParse(RequestId);
  return {
    ...(identifier.success && { identifier: identifier.data }),
    ...(jobId.success && { jobId: jobId.data }),
    ...(requestId.success && { requestId: requestId.data }),
  };
}
