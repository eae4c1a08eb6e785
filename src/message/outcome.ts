/** The outcome of an update, as published on the outcome queue. The schema is the source of type and JSON Schema. */
import { z } from 'zod';
import { deadLetterReasons, endErrorSchema } from './dead-letter-record.ts';
import type { Disposition } from './disposition.ts';
import { utcInstant } from './instant.ts';
import { jsonSchemaText, schemaId } from './json-schema.ts';
import { type Update, type UpdateIds, updateSchema } from './update.ts';

const { Identifier, JobId, RequestId, IssuedAt, Description, TaskConfigurationId } = updateSchema.shape;

/** Published at least once for every update that ends. Readers ignore unknown fields, so that fields can be added. */
export const outcomeSchema = z
  .object({
    MessageId: z
      .string()
      .min(1)
      .describe('The id, on the source queue, of the message that carried the update.'),
    OriginalMessageId: z
      .string()
      .min(1)
      .describe(
        'The id of the message that was first sent, when this one was redriven and its DeadLetter record says so.',
      )
      .optional(),
    Identifier: Identifier.optional(),
    JobId,
    RequestId,
    IssuedAt,
    Description,
    TaskConfigurationId,
    Outcome: z.enum(['applied', 'superseded', 'dead-lettered']).describe('How the update ended.'),
    Reason: z.enum(deadLetterReasons).describe('Why it was dead-lettered.').optional(),
    Error: endErrorSchema.describe('The error, as in the dead letter.').optional(),
    Attempts: z.number().int().min(0).describe('API calls made in the last delivery.'),
    At: utcInstant.describe('When it ended, UTC.'),
  })
  .meta({
    $id: schemaId('outcome'),
    title: 'OTA task update outcome',
    description: 'The body of one message on the outcome queue of ota-updater.',
  });

export type Outcome = z.infer<typeof outcomeSchema>;

/** A disposition that ends an update. */
export type EndingDisposition = Extract<Disposition, { action: 'acknowledge' | 'dead-letter' }>;

/** The fields of an outcome that do not depend on the disposition. */
export interface OutcomeFacts {
  readonly messageId: string;
  /** Of the message that was first sent, as recorded in the `DeadLetter` record of a redriven one. */
  readonly originalMessageId?: string | undefined;
  /** The ids that could be read. */
  readonly ids: UpdateIds;
  /**
   * undefined: the message held no valid update. Its values identify the row that ends when the message id is unknown.
   */
  readonly update?: Update | undefined;
  /** API calls made in this delivery. */
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

export function outcomeOf(facts: OutcomeFacts, disposition: EndingDisposition): Outcome {
  const { identifier, jobId, requestId } = facts.ids;
  const { IssuedAt, Description, TaskConfigurationId } = facts.update ?? {};
  return {
    MessageId: facts.messageId,
    ...(facts.originalMessageId !== undefined && { OriginalMessageId: facts.originalMessageId }),
    ...(identifier !== undefined && { Identifier: identifier }),
    ...(jobId !== undefined && { JobId: jobId }),
    ...(requestId !== undefined && { RequestId: requestId }),
    ...(IssuedAt !== undefined && { IssuedAt }),
    ...(Description !== undefined && { Description }),
    ...(TaskConfigurationId !== undefined && { TaskConfigurationId }),
    ...endingOf(disposition),
    Attempts: facts.attempts,
    At: new Date(facts.now).toISOString(),
  };
}

function endingOf(disposition: EndingDisposition): Pick<Outcome, 'Outcome' | 'Reason' | 'Error'> {
  if (disposition.action === 'acknowledge') return { Outcome: disposition.outcome };
  return { Outcome: 'dead-lettered', Reason: disposition.reason, Error: disposition.error };
}

/** The text of `schema/outcome.schema.json`: unknown fields are allowed, since it is for readers. */
export function outcomeJsonSchema(): string {
  return jsonSchemaText(outcomeSchema);
}
