/** A dead letter's record. The schema is the source of the type and of `schema/dead-letter.schema.json`. PURE. */
import { z } from 'zod';
import { utcInstant } from './instant.ts';
import { jsonSchemaText, schemaId } from './json-schema.ts';
import { updateSchema } from './update.ts';

export const deadLetterReasons = [
  'Rejected',
  'Invalid',
  'RetriesExhausted',
  'Expiring',
  'InternalError',
] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];

/** The error that ended an update. */
export const endErrorSchema = z.object({
  name: z.string().describe("The error's code."),
  status: z.number().int().describe('The HTTP status, when there was an answer.').exactOptional(),
  message: z.string().describe('Cut short or empty if SQS leaves no room for it.'),
  requestId: z.string().describe("AWS's request id.").exactOptional(),
});
export type DeadLetterError = Readonly<z.infer<typeof endErrorSchema>>;

const count = z.number().int().min(0);
const { JobId, RequestId } = updateSchema.shape;

/** Times are ISO 8601 UTC. Readers ignore unknown fields, so that fields can be added. */
const deadLetterRecordSchema = z
  .object({
    reason: z.enum(deadLetterReasons).describe('Why it was dead-lettered.'),
    error: endErrorSchema.describe('The last error.'),
    attempts: count.describe('API calls made in the last delivery.'),
    receiveCount: count.describe('How often SQS had delivered the message.'),
    sentAt: utcInstant.describe('When the message was first sent; a redrive keeps it.'),
    deadLetteredAt: utcInstant.describe('When the worker dead-lettered it.'),
    sourceMessageId: z.string().min(1).describe('The id of the message on the source queue.'),
    originalMessageId: z
      .string()
      .min(1)
      .describe('The id of the message that was first sent, when this one was redriven.')
      .exactOptional(),
    sourceQueueUrl: z.string().describe('The queue that the worker received it from.'),
    jobId: JobId.unwrap().describe('The JobId of the update, if it is valid.').exactOptional(),
    requestId: RequestId.unwrap().describe('The RequestId of the update, if it is valid.').exactOptional(),
    redriveCount: count.describe('How often the message had been redriven.'),
    traceparent: z
      .string()
      .describe('W3C trace context of the span in which the worker dead-lettered it, if it was traced.')
      .exactOptional(),
  })
  .meta({
    $id: schemaId('dead-letter'),
    title: 'DeadLetter record',
    description:
      'The JSON in the String attribute `DeadLetter` of a message on the dead-letter queue of ota-updater. Body and other attributes are those of the original message.',
  });

/** The content of the `DeadLetter` attribute, as JSON. */
export type DeadLetterRecord = Readonly<z.infer<typeof deadLetterRecordSchema>>;

/** The text of `schema/dead-letter.schema.json`: unknown fields are allowed, since it is for readers. */
export function deadLetterJsonSchema(): string {
  return jsonSchemaText(deadLetterRecordSchema);
}
