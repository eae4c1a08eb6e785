/** The outcome: how one update ended, as published on the outcome queue. One schema for type, check and JSON Schema. */
import { z } from 'zod';
import type { Disposition } from './disposition.ts';
import { type UpdateIds, updateSchema } from './update.ts';

const { Identifier, JobId, RequestId } = updateSchema.shape;

const outcomeErrorSchema = z.object({
  name: z.string().describe("The error's code."),
  status: z.number().int().describe('The HTTP status, when there was an answer.').optional(),
  message: z.string(),
  requestId: z.string().describe("AWS's request id.").optional(),
});

/**
 * Field names as in the update's contract. Readers ignore fields they do not know, so that more may come.
 * Published at least once for every update that ends.
 */
export const outcomeSchema = z
  .object({
    MessageId: z.string().min(1).describe('Of the message that carried the update, on the source queue.'),
    Identifier: Identifier.optional(),
    JobId,
    RequestId,
    Outcome: z.enum(['applied', 'superseded', 'dead-lettered']).describe('How the update ended.'),
    Reason: z
      .enum(['Rejected', 'Invalid', 'RetriesExhausted', 'Expiring', 'InternalError'])
      .describe('Why it was dead-lettered.')
      .optional(),
    Error: outcomeErrorSchema.describe('What the dead letter says of the error.').optional(),
    Attempts: z.number().int().min(0).describe('API calls made in the last delivery.'),
    At: z.iso.datetime().describe('When it ended, UTC.'),
  })
  .meta({
    $id: 'https://ota-updater.invalid/schema/outcome.schema.json',
    title: 'OTA task update outcome',
    description: 'The body of one message on the outcome queue of ota-updater.',
  });

/** How one update ended. */
export type Outcome = z.infer<typeof outcomeSchema>;

/** A disposition that ends an update. */
export type EndingDisposition = Extract<Disposition, { action: 'acknowledge' | 'dead-letter' }>;

/** What an outcome says of its message besides how it ended. */
export interface OutcomeFacts {
  readonly messageId: string;
  /** Those that could be read. */
  readonly ids: UpdateIds;
  /** API calls made in this delivery. */
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The outcome of an update that a disposition ends. */
export function outcomeOf(facts: OutcomeFacts, disposition: EndingDisposition): Outcome {
  const { identifier, jobId, requestId } = facts.ids;
  return {
    MessageId: facts.messageId,
    ...(identifier !== undefined && { Identifier: identifier }),
    ...(jobId !== undefined && { JobId: jobId }),
    ...(requestId !== undefined && { RequestId: requestId }),
    ...endingOf(disposition),
    Attempts: facts.attempts,
    At: new Date(facts.now).toISOString(),
  };
}

function endingOf(disposition: EndingDisposition): Pick<Outcome, 'Outcome' | 'Reason' | 'Error'> {
  if (disposition.action === 'acknowledge') return { Outcome: disposition.outcome };
  return { Outcome: 'dead-lettered', Reason: disposition.reason, Error: disposition.error };
}

/** The outcome as JSON Schema, the text of `schema/outcome.schema.json`: as a reader takes it, unknown fields and all. */
export function outcomeJsonSchema(): string {
  const schema = z.toJSONSchema(outcomeSchema, { target: 'draft-2020-12', io: 'input' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
