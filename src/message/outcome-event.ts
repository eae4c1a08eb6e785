/** An outcome as a CloudEvent, in the JSON format. The schema is the source of the type. PURE. */
import { z } from 'zod';
import { utcInstant } from './instant.ts';
import { jsonSchemaText, schemaId } from './json-schema.ts';
import { type Outcome, outcomeSchema } from './outcome.ts';

const endings = outcomeSchema.shape.Outcome.options.map((ending) => `ota-updater.update.${ending}` as const);

export const outcomeEventSchema = z
  .object({
    specversion: z.literal('1.0'),
    id: z
      .string()
      .min(1)
      .describe('MessageId and Outcome: an outcome that is published twice has the same id and source.'),
    source: z.string().min(1).describe('The URL of the source queue.'),
    type: z.enum(endings),
    subject: z.string().min(1).describe('The Identifier, if it could be read.').exactOptional(),
    time: utcInstant.describe('When the update ended, UTC.'),
    datacontenttype: z.literal('application/json'),
    dataschema: z.literal(schemaId('outcome')),
    data: outcomeSchema,
  })
  .meta({
    $id: schemaId('outcome-event'),
    title: 'OTA task update outcome as a CloudEvent',
    description:
      'The body of one message on the outcome queue of ota-updater with OUTCOME_FORMAT=cloudevents. CloudEvents 1.0, structured mode.',
  });

type OutcomeEvent = z.infer<typeof outcomeEventSchema>;

/** @param source the URL of the queue that the update came from. */
export function toOutcomeEvent(outcome: Outcome, source: string): OutcomeEvent {
  return {
    specversion: '1.0',
    id: `${outcome.MessageId}:${outcome.Outcome}`,
    source,
    type: `ota-updater.update.${outcome.Outcome}`,
    ...(outcome.Identifier !== undefined && { subject: outcome.Identifier }),
    time: outcome.At,
    datacontenttype: 'application/json',
    dataschema: schemaId('outcome'),
    data: outcome,
  };
}

/** The text of `schema/outcome-event.schema.json`. */
export function outcomeEventJsonSchema(): string {
  return jsonSchemaText(outcomeEventSchema);
}
