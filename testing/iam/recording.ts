/** Replacements for every AWS service that the program calls, which record the permission that each request needs. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished, vi } from 'vitest';
import { eventsTaken, snsInput, snsTaken } from '../notices/aws.ts';
import { startStandIn } from '../notices/stand-in.ts';
import { startS3 } from '../s3/server.ts';
import { startSqsProxy } from '../sqs/proxy.ts';

/** Names of their resources, and the corresponding placeholders in deploy/iam. */
const placeholders: Readonly<Record<string, string>> = {
  updates: 'UPDATE_QUEUE',
  dead: 'DEAD_LETTER_QUEUE',
  outcomes: 'OUTCOME_QUEUE',
  'ota-reports': 'REPORT_BUCKET',
  'ota-jobs': 'NOTIFY_TOPIC',
  'ota-bus': 'NOTIFY_BUS',
};

/** Settings that name the topic, the bus and the bucket. */
export const notifySettings = {
  NOTIFY_TOPIC_ARN: 'arn:aws:sns:eu-west-1:000000000000:ota-jobs',
  NOTIFY_EVENT_BUS: 'ota-bus',
} as const;
export const REPORT_PLACE = 's3://ota-reports/jobs';

const key = 'arn:aws:kms:REGION:ACCOUNT_ID:key/KEY_ID';

/** Operations of the API for which AWS defines no resource. */
export const unconfined: ReadonlySet<string> = new Set([
  'ListOtaTasks',
  'GetOtaTaskConfiguration',
  'ListOtaTaskConfigurations',
  'CreateOtaTaskConfiguration',
]);

/**
 * Directs the SDK in this process to the replacements until the test ends. @param upstream where requests to queues and API are
 * forwarded; without an API, the test records its calls.
 */
export async function recordAws(upstream: { readonly sqs?: string; readonly api?: string }) {
  const sqs = await startSqsProxy(upstream.sqs);
  const apiCalls = new Set<string>();
  const api = upstream.api === undefined ? undefined : await recordApi(upstream.api, apiCalls);
  const s3 = await startS3(['ota-reports']);
  const sns = await startStandIn(() => snsTaken);
  const events = await startStandIn(eventsTaken);
  onTestFinished(async () => {
    for (const server of [sqs, s3, sns, events]) await server.close();
  });
  if (api !== undefined) vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', api);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', s3.url);
  vi.stubEnv('AWS_ENDPOINT_URL_SNS', sns.url);
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', events.url);
  /** `ACTION on RESOURCE` of every request so far, including those for encrypted queues: sorted, without duplicates. */
  const needed = (): string[] =>
    [
      ...new Set([
        ...sqs.requests.flatMap(({ action, queue }) => queueNeeds(action, queue)),
        ...[...apiCalls].map(
          (operation) => `iotmanagedintegrations:${operation} on ${apiResource(operation)}`,
        ),
        ...s3.requests.map(
          ({ action, bucket }) => `${s3Permission(action)} on arn:aws:s3:::${placeholders[bucket]}/*`,
        ),
        ...sns.requests.map((request) => {
          const { Action, TopicArn = '' } = snsInput(request);
          return `sns:${Action} on arn:aws:sns:REGION:ACCOUNT_ID:${placeholders[TopicArn.split(':').at(-1) ?? '']}`;
        }),
        ...events.requests.flatMap(({ headers, body }) => {
          const action = String(headers['x-amz-target']).replace('AWSEvents.', 'events:');
          const { Entries } = JSON.parse(body) as { Entries: { EventBusName: string }[] };
          return Entries.map(
            ({ EventBusName }) =>
              `${action} on arn:aws:events:REGION:ACCOUNT_ID:event-bus/${placeholders[EventBusName]}`,
          );
        }),
      ]),
    ].toSorted();
  return { sqs, apiCalls, needed, s3Url: s3.url } as const;
}

function queueNeeds(action: string, queue: string): string[] {
  const name = `sqs:${action.replace(/Batch$/, '')}`;
  const needs = [`${name} on arn:aws:sqs:REGION:ACCOUNT_ID:${placeholders[queue]}`];
  if (name === 'sqs:SendMessage') needs.push(`kms:GenerateDataKey on ${key}`);
  if (name === 'sqs:SendMessage' || name === 'sqs:ReceiveMessage') needs.push(`kms:Decrypt on ${key}`);
  return needs;
}

const apiResource = (operation: string): string =>
  unconfined.has(operation) ? '*' : 'arn:aws:iotmanagedintegrations:REGION:ACCOUNT_ID:ota-task/*';

/** S3 requires the same permission for all requests of a multipart upload, except for aborting it. */
const s3Permission = (action: string): string =>
  action === 'AbortMultipartUpload' ? 's3:AbortMultipartUpload' : 's3:PutObject';

function operationOf(method: string, url: string): string {
  const [, resource = '', id = '', part] = url.split(/[/?]/);
  if (resource === 'ota-task-configurations') {
    if (method === 'POST') return 'CreateOtaTaskConfiguration';
    return /^\/[^/?]+\/./.test(url) ? 'GetOtaTaskConfiguration' : 'ListOtaTaskConfigurations';
  }
  if (method === 'PUT') return 'UpdateOtaTask';
  if (!/^\/ota-tasks\/./.test(url)) return 'ListOtaTasks';
  return part === 'devices' && id !== '' ? 'ListOtaTaskExecutions' : 'GetOtaTask';
}

/** Forwards requests to the API, and records their operations. @returns its address. */
async function recordApi(upstream: string, calls: Set<string>): Promise<string> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    calls.add(operationOf(method, url));
    const body = method === 'GET' ? {} : { body: await text(request) };
    const { authorization = '' } = headers;
    const answer = await fetch(upstream + url, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...body,
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(await answer.text());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
