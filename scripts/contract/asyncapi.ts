/** The AsyncAPI document: what the worker takes from its queue, and what it puts on two others. Made from the schemas it checks with. */
import { deadLetterJsonSchema } from '../../src/message/dead-letter-record.ts';
import { outcomeJsonSchema } from '../../src/message/outcome.ts';
import { outcomeEventJsonSchema } from '../../src/message/outcome-event.ts';
import { updateJsonSchema } from '../../src/message/update.ts';
import { envelopeMessages, envelopeSchemas } from './envelopes.ts';
import { deadLetterExamples, outcomeEventExamples, outcomeExamples, updateExamples } from './examples.ts';

type Json = Readonly<Record<string, unknown>>;

const schemaRef = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const messageRef = (name: string): Json => ({ $ref: `#/components/messages/${name}` });
const channelRef = (channel: string, message: string): Json => ({
  $ref: `#/channels/${channel}/messages/${message}`,
});

/** A schema as a component: its own id would change the meaning of references inside the document. */
function component(text: string): Json {
  const { $schema: _, $id, ...schema } = JSON.parse(text) as Record<string, unknown>;
  return { ...schema, 'x-schema-id': $id };
}

/** Headers that a producer may send for trace context; a redrive keeps both. */
const traceHeaders = {
  type: 'object',
  description: 'Message attributes. `AWSTraceHeader` is a message system attribute.',
  properties: {
    traceparent: { type: 'string', description: 'W3C Trace Context.' },
    tracestate: { type: 'string', description: 'W3C Trace Context.' },
    AWSTraceHeader: { type: 'string', description: 'Of X-Ray.' },
  },
} as const;

const FOURTEEN_DAYS = 14 * 86_400;

interface QueueFacts {
  readonly name: string;
  readonly retentionSeconds: number;
  readonly deadLetterQueue?: string;
}

/** The bindings of a queue's channel, with the attributes that `check` recommends. */
function bindings({ name, retentionSeconds, deadLetterQueue }: QueueFacts): Json {
  const queue = { name, fifoQueue: false, messageRetentionPeriod: retentionSeconds };
  if (deadLetterQueue === undefined) return { sqs: { queue, bindingVersion: '0.2.0' } };
  // High enough that SQS itself never moves a message: AWS's own redrive works only from a queue that a policy names.
  const redrivePolicy = { deadLetterQueue: { name: deadLetterQueue }, maxReceiveCount: 1_000 };
  const dead = { name: deadLetterQueue, fifoQueue: false, messageRetentionPeriod: FOURTEEN_DAYS };
  return { sqs: { queue: { ...queue, redrivePolicy }, deadLetterQueue: dead, bindingVersion: '0.2.0' } };
}

const channels = {
  updates: {
    address: 'ota-updates',
    title: 'Updates',
    description: 'QUEUE_URL. Standard or FIFO.',
    messages: Object.fromEntries(
      ['update', ...Object.keys(envelopeMessages)].map((name) => [name, messageRef(name)]),
    ),
    bindings: bindings({
      name: 'ota-updates',
      retentionSeconds: 4 * 86_400,
      deadLetterQueue: 'ota-updates-dead',
    }),
  },
  deadLetters: {
    address: 'ota-updates-dead',
    title: 'Dead letters',
    description: 'DEAD_LETTER_QUEUE_URL.',
    messages: { deadLetter: messageRef('deadLetter') },
    bindings: bindings({ name: 'ota-updates-dead', retentionSeconds: FOURTEEN_DAYS }),
  },
  outcomes: {
    address: 'ota-updates-outcomes',
    title: 'Outcomes',
    description: 'OUTCOME_QUEUE_URL, where it is set.',
    messages: { outcome: messageRef('outcome'), outcomeEvent: messageRef('outcomeEvent') },
    bindings: bindings({ name: 'ota-updates-outcomes', retentionSeconds: FOURTEEN_DAYS }),
  },
} as const;

const updateMessage = {
  name: 'update',
  title: 'OTA task update',
  summary: 'One change of one OTA task, bare.',
  contentType: 'application/json',
  headers: traceHeaders,
  payload: schemaRef('update'),
  examples: updateExamples,
};

const deadLetterMessage = {
  name: 'deadLetter',
  title: 'Dead letter',
  summary: 'The original body and attributes, byte for byte, and one more attribute that says why.',
  headers: {
    ...traceHeaders,
    description:
      'Message attributes: those of the original message, and `DeadLetter`, which is left off where there is no room.',
    properties: {
      ...traceHeaders.properties,
      DeadLetter: {
        type: 'string',
        contentMediaType: 'application/json',
        description: 'JSON; see the schema `deadLetterRecord`.',
      },
    },
  },
  payload: { description: 'Whatever was sent: an update of any form, or what is none, or no JSON.' },
  examples: deadLetterExamples,
};

/** The document, as an object. @param version that of the program. */
function asyncApi(version: string): Json {
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'ota-updater',
      version,
      description:
        'Applies updates of OTA tasks from an SQS queue to AWS IoT Managed Integrations. At least once. Unknown fields of an update are refused; readers of outcomes and dead letters ignore fields that they do not know.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      aws: {
        host: 'sqs.{region}.amazonaws.com',
        protocol: 'sqs',
        description: 'SQS. The names of the queues are examples: yours are in the variables of the worker.',
        variables: { region: { default: 'eu-west-1', description: 'The region of the queues.' } },
      },
    },
    channels,
    operations: {
      applyUpdates: {
        action: 'receive',
        summary: 'Applies each update, or says why not.',
        channel: { $ref: '#/channels/updates' },
        messages: Object.keys(channels.updates.messages).map((name) => channelRef('updates', name)),
      },
      sendDeadLetters: {
        action: 'send',
        summary: 'An update that cannot be applied is kept with the reason.',
        channel: { $ref: '#/channels/deadLetters' },
        messages: [channelRef('deadLetters', 'deadLetter')],
      },
      sendOutcomes: {
        action: 'send',
        summary: 'How each update ended; as CloudEvents with OUTCOME_FORMAT=cloudevents.',
        channel: { $ref: '#/channels/outcomes' },
        messages: [channelRef('outcomes', 'outcome'), channelRef('outcomes', 'outcomeEvent')],
      },
    },
    components: {
      messages: {
        update: updateMessage,
        ...envelopeMessages,
        deadLetter: deadLetterMessage,
        outcome: {
          name: 'outcome',
          title: 'Outcome',
          summary: 'How an update ended.',
          contentType: 'application/json',
          payload: schemaRef('outcome'),
          examples: outcomeExamples,
        },
        outcomeEvent: {
          name: 'outcomeEvent',
          title: 'Outcome as a CloudEvent',
          summary: 'The same, with OUTCOME_FORMAT=cloudevents.',
          contentType: 'application/cloudevents+json',
          payload: schemaRef('outcomeEvent'),
          examples: outcomeEventExamples,
        },
      },
      schemas: {
        update: component(updateJsonSchema()),
        ...envelopeSchemas,
        deadLetterRecord: component(deadLetterJsonSchema()),
        outcome: component(outcomeJsonSchema()),
        outcomeEvent: component(outcomeEventJsonSchema()),
      },
    },
  };
}

/** The text of `schema/asyncapi.json`. */
export function asyncApiText(version: string): string {
  return `${JSON.stringify(asyncApi(version), null, 2)}\n`;
}
