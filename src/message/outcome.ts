/** The outcome: how one update ended, as published on the outcome queue. One schema for type, check and JSON Schema. */
import { z } from 'zod';
import { updateSchema } from './update.ts';

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

/** The outcome as JSON Schema, the text of `schema/outcome.schema.json`. */
export function outcomeJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(outcomeSchema, { target: 'draft-2020-12' }), null, 2)}\n`;
}
