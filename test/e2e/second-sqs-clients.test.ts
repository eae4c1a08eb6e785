/** Debian's clients, which speak the query protocol, on the second SQS server: its AWS CLI, and its boto3 in the Python producer. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SetQueueAttributesCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { pythonWith, runPython } from '../../testing/contract/python.ts';
import { type QueryFront, startQueryFront } from '../../testing/contract/query-front.ts';
import { installed } from '../../testing/installed.ts';
import { credentials, REGION, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let front: QueryFront;
beforeEach(async () => {
  stage = await setStage({ judge: 'local-aws-sqs', outcomes: true, api: { tasks: { kind: 'all' } } });
  front = await startQueryFront(stage.sqsUrl);
});
afterEach(async () => {
  await front.close();
  await stage.strike();
});

const env = { AWS_DEFAULT_REGION: REGION, AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
const DEBIANS_AWS = '/usr/bin/aws';
const cli = installed([DEBIANS_AWS], 'it is not run on the second SQS');
const python = pythonWith('jsonschema', 'boto3');

interface Received {
  readonly Messages?: readonly {
    readonly Body: string;
    readonly ReceiptHandle: string;
    readonly Attributes?: Readonly<Record<string, string>>;
  }[];
}

/** What `aws sqs` answers. */
async function aws(command: string, queue: string, ...args: readonly string[]): Promise<unknown> {
  const all = [
    '--endpoint-url',
    front.url,
    '--output',
    'json',
    'sqs',
    command,
    '--queue-url',
    queue,
    ...args,
  ];
  const { stdout } = await promisify(execFile)(DEBIANS_AWS, all, { env: { ...process.env, ...env } });
  return stdout === '' ? {} : JSON.parse(stdout);
}

async function receive(queue: string): Promise<NonNullable<Received['Messages']>> {
  const wanted = ['--attribute-names', 'All', '--max-number-of-messages', '10', '--wait-time-seconds', '5'];
  return ((await aws('receive-message', queue, ...wanted)) as Received).Messages ?? [];
}

/** AWS's own redrive; Debian's CLI is older than it. */
async function redrive(): Promise<void> {
  const client = createSqsClient(1, { region: REGION, credentials, endpoint: stage.sqsUrl });
  const [SourceArn, DestinationArn] = await Promise.all(
    [stage.dead, stage.source].map(async (queue) => (await queue.attributes()).arn),
  );
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1_000 });
  const policy = { QueueUrl: stage.source.url, Attributes: { RedrivePolicy } };
  await client.send(new SetQueueAttributesCommand(policy));
  await client.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
  client.destroy();
}

test.skipIf(cli === undefined)(
  "the AWS CLI sends what the worker applies, and sees a letter's trace go on over AWS's own redrive to the outcome",
  async () => {
    const { outcomeQueueUrl: outcomes = '' } = stage.config;
    const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    const header = JSON.stringify({ AWSTraceHeader: { DataType: 'String', StringValue: trace } });
    const refused = '{"Identifier":"task1","Description":"x","RequestId":"1"}';
    stage.api.script('task1', [{ status: 400, errorType: 'ValidationException' }]);
    const body = '{"Identifier":"task0","Description":"x","RequestId":"0"}';
    await aws('send-message', stage.source.url, '--message-body', body);
    const traced = ['--message-body', refused, '--message-system-attributes', header];
    await aws('send-message', stage.source.url, ...traced);
    await stage.worker.start();
    await stage.ended(2);

    const [letter, ...more] = await receive(stage.dead.url);
    expect([letter?.Body, letter?.Attributes?.AWSTraceHeader, more]).toEqual([refused, trace, []]);
    const handle = ['--receipt-handle', letter?.ReceiptHandle ?? '', '--visibility-timeout', '0'];
    await aws('change-message-visibility', stage.dead.url, ...handle);
    await redrive();
    await stage.until(() => stage.settled('acknowledge').length === 2);
    await stage.worker.stop();

    const told = await receive(outcomes);
    const ends = told.map(({ Body, Attributes }) => {
      const { RequestId, Outcome } = JSON.parse(Body) as Record<string, string>;
      return [RequestId, Outcome, Attributes?.AWSTraceHeader];
    });
    expect(ends.toSorted()).toEqual([
      ['0', 'applied', undefined],
      ['1', 'applied', trace],
      ['1', 'dead-lettered', trace],
    ]);
    for (const { ReceiptHandle } of told)
      await aws('delete-message', outcomes, '--receipt-handle', ReceiptHandle);
    expect(stage.sqs.inspectQueue('outcomes')?.messages).toEqual({ ready: [], delayed: [], inflight: [] });
  },
);

test.skipIf(python === undefined)('the Python producer sends what the worker applies', async () => {
  const code = `
import os, boto3
from ota_updater_producer import Refused, Sent, Update, UpdateProducer
producer = UpdateProducer(boto3.client("sqs", endpoint_url=os.environ["ENDPOINT"]), os.environ["QUEUE_URL"])
report = producer.send([None, *[Update(f"task{i}", description="x") for i in range(12)]])
print(report.count(Sent), report.count(Refused), report.requests, report.failure)
`;
  const run = await runPython(python ?? '', ['-c', code], '', {
    ...env,
    PYTHONPATH: join(import.meta.dirname, '../../producers/python/src'),
    ENDPOINT: front.url,
    QUEUE_URL: stage.source.url,
  });
  expect(run).toEqual({ code: 0, stdout: '12 1 2 None\n', stderr: '' });
  await stage.worker.start();
  await stage.until(() => stage.settled('acknowledge').length === 12);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});
