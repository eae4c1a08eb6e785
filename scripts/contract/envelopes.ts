/**
 * The envelopes that an update may have, for the AsyncAPI document. src/message/envelopes.ts shows what the worker reads of them.
 */
import { update } from './examples.ts';

const updateSchema = { $ref: '#/components/schemas/update' };
const json = { type: 'string', contentMediaType: 'application/json', description: 'The update as JSON.' };

export const envelopeSchemas = {
  snsNotification: {
    type: 'object',
    description: 'As SNS delivers it without raw message delivery.',
    required: ['Type', 'Message'],
    properties: {
      Type: { const: 'Notification' },
      Message: json,
      Timestamp: {
        type: 'string',
        description: 'Counts as the time of the decision where it is earlier than the sent time.',
      },
    },
  },
  eventBridgeEvent: {
    type: 'object',
    description: 'As EventBridge delivers it, by a rule or a pipe, without an input transformer.',
    required: ['source', 'detail-type', 'detail'],
    properties: {
      source: { type: 'string' },
      'detail-type': { type: 'string' },
      time: {
        type: 'string',
        description: 'Counts as the time of the decision where it is earlier than the sent time.',
      },
      detail: { oneOf: [updateSchema, json] },
    },
  },
  cloudEvent: {
    type: 'object',
    description:
      'CloudEvents 1.0, structured mode. In binary mode the body is the bare update, and the attributes are not read.',
    required: ['specversion', 'id', 'source', 'type'],
    properties: {
      specversion: { type: 'string', pattern: '^1[.]' },
      id: { type: 'string' },
      source: { type: 'string' },
      type: { type: 'string' },
      time: {
        type: 'string',
        description: 'Counts as the time of the decision where it is earlier than the sent time.',
      },
      data: { oneOf: [updateSchema, json] },
      data_base64: { type: 'string', description: 'The update as JSON, in base64.' },
    },
    anyOf: [
      { type: 'object', properties: { data: {} }, required: ['data'] },
      { type: 'object', properties: { data_base64: {} }, required: ['data_base64'] },
    ],
  },
};

interface Example {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const examples: Readonly<Record<keyof typeof envelopeSchemas, readonly Example[]>> = {
  snsNotification: [
    {
      name: 'notification',
      payload: {
        Type: 'Notification',
        MessageId: '5d3c5a2e-2c62-5c5b-8c71-07a0b4d7f7a5',
        TopicArn: 'arn:aws:sns:eu-west-1:123456789012:ota-updates',
        Message: JSON.stringify(update),
        Timestamp: '2026-11-23T07:00:00.000Z',
      },
    },
  ],
  eventBridgeEvent: [
    {
      name: 'event',
      payload: {
        version: '0',
        id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
        'detail-type': 'OTA task update',
        source: 'fleet.planner',
        account: '123456789012',
        time: '2026-11-23T07:00:00Z',
        region: 'eu-west-1',
        resources: [],
        detail: update,
      },
    },
  ],
  cloudEvent: [
    {
      name: 'cloudEvent',
      payload: {
        specversion: '1.0',
        id: 'row-000017',
        source: '/fleet/planner',
        type: 'com.example.ota.update',
        time: '2026-11-23T07:00:00Z',
        datacontenttype: 'application/json',
        data: update,
      },
    },
  ],
};

const titles: Readonly<Record<keyof typeof envelopeSchemas, string>> = {
  snsNotification: 'Update in an SNS notification',
  eventBridgeEvent: 'Update in an EventBridge event',
  cloudEvent: 'Update in a CloudEvent',
};

export const envelopeMessages = Object.fromEntries(
  (Object.keys(envelopeSchemas) as (keyof typeof envelopeSchemas)[]).map((name) => [
    name,
    {
      name,
      title: titles[name],
      contentType: name === 'cloudEvent' ? 'application/cloudevents+json' : 'application/json',
      payload: { $ref: `#/components/schemas/${name}` },
      examples: examples[name],
    },
  ]),
);
