/** Every error of SQS's model, in whole requests and in entries of batches, in front of the second SQS server. */
import * as sqs from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, type OnTestFinishedHandler, test } from 'vitest';
import { createSqsClient, type SQSClient } from '../../src/queue/client.ts';
import { type SqsErrorKind, sqsErrorKind, sqsNameKind } from '../../src/queue/errors.ts';
import { allCases } from '../../testing/cases.ts';
import { failEntries } from '../../testing/sqs/faults.ts';
import { type SqsRule, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { credentials, REGION, type Stage, setStage } from '../../testing/stages/stage.ts';

/** As the SDK's package names them. */
const modelled = Object.entries(sqs)
  .filter(([, value]) => typeof value === 'function' && value.prototype instanceof sqs.SQSServiceException)
  .map(([name]) => name)
  .toSorted();
const names = allCases() ? modelled : modelled.slice(0, 1);

/** `rule` for the first request of each action to each queue, once the worker has found them. */
function firstOfEach(rule: SqsRule): SqsRule {
  const met = new Set<string>();
  return (request, forward) => {
    const { action, queue } = request;
    if (action === 'GetQueueAttributes' || met.has(`${action} ${queue}`)) return forward();
    met.add(`${action} ${queue}`);
    return rule(request, forward);
  };
}

/** A worker on updates that are applied and one that is not, while the first request of each kind is answered by `rule`. */
async function expectAllEnded(rule: SqsRule, onEnd: (end: OnTestFinishedHandler) => void): Promise<void> {
  const proxy = await startSqsProxy();
  onEnd(() => proxy.close());
  const stage = await setStage({
    judge: 'local-aws-sqs',
    outcomes: true,
    // What is lost comes back soon.
    env: { VISIBILITY_TIMEOUT_SECONDS: '6' },
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } },
    sqs: { endpoint: proxy.url },
    random: () => 0,
  });
  onEnd(() => stage.strike());
  proxy.upstream = stage.sqsUrl;
  proxy.rule = firstOfEach(rule);
  const applied = await stage.sendUpdates(4);
  await stage.sendUpdates(1, 'unknown');
  await stage.worker.start();
  await stage.until(() => stage.left().ready + stage.left().inFlight === 0);
  const letters = (await stage.deadLetters()).map(({ body }) => JSON.parse(body).Identifier);
  expect(new Set(letters)).toEqual(new Set(['unknown0']));
  const outcomes = (await stage.outcomes()).filter(({ Outcome }) => Outcome === 'applied');
  expect(new Set(outcomes.map(({ Identifier }) => Identifier))).toEqual(new Set(applied));
}

test('the model has errors', () => expect(modelled.length).toBeGreaterThan(20));

describe.concurrent('once for each action, nothing is lost', () => {
  test.for(names)('where whole requests fail with %s', async (name, { onTestFinished }) => {
    await expectAllEnded(() => sqsError(400, name, 'as the test says'), onTestFinished);
  });

  test.for(names.flatMap((name) => [[name, true] as const, [name, false] as const]))(
    'where entries fail with %s, at fault: %s',
    async ([code, senderFault], { onTestFinished }) => {
      await expectAllEnded(
        failEntries(() => ({ code, senderFault })),
        onTestFinished,
      );
    },
  );
});

describe('what the server itself refuses has the meaning that AWS gives it', () => {
  let stage: Stage;
  let client: SQSClient;
  beforeEach(async () => {
    stage = await setStage({ judge: 'local-aws-sqs' });
    client = createSqsClient(2, { region: REGION, credentials, endpoint: stage.sqsUrl });
  });
  afterEach(async () => {
    client.destroy();
    await stage.strike();
  });

  const body = (Id: string, MessageBody = 'x') => ({ Id, MessageBody });
  const half = 'x'.repeat(600_000);
  const whole: readonly [kind: SqsErrorKind, name: string, (QueueUrl: string) => Promise<unknown>][] = [
    [
      'missing',
      'QueueDoesNotExist',
      (url) => client.send(new sqs.SendMessageCommand({ QueueUrl: `${url}-none`, MessageBody: 'x' })),
    ],
    [
      'parcel',
      'BatchRequestTooLong',
      (QueueUrl) =>
        client.send(
          new sqs.SendMessageBatchCommand({ QueueUrl, Entries: [body('0', half), body('1', half)] }),
        ),
    ],
    [
      'parcel',
      'InvalidBatchEntryId',
      (QueueUrl) => client.send(new sqs.SendMessageBatchCommand({ QueueUrl, Entries: [body('a b')] })),
    ],
    [
      'parcel',
      'ReceiptHandleIsInvalid',
      (QueueUrl) => client.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'garbage' })),
    ],
    [
      'parcel',
      'InvalidParameterValueException',
      (QueueUrl) => client.send(new sqs.SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(1_048_577) })),
    ],
  ];

  test.each(whole)('in whole requests: %s, %s', async (kind, name, ask) => {
    const error: unknown = await ask(stage.source.url).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name });
    expect(sqsErrorKind(error)).toBe(kind);
  });

  test('in entries of batches', async () => {
    const QueueUrl = stage.source.url;
    const extended = { Id: '0', ReceiptHandle: 'garbage', VisibilityTimeout: 1 };
    const answers = await Promise.all([
      client.send(new sqs.SendMessageBatchCommand({ QueueUrl, Entries: [body('0', '')] })),
      client.send(
        new sqs.SendMessageBatchCommand({ QueueUrl, Entries: [{ ...body('0'), MessageGroupId: 'a b' }] }),
      ),
      client.send(new sqs.ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: [extended] })),
      client.send(
        new sqs.ChangeMessageVisibilityBatchCommand({
          QueueUrl,
          Entries: [{ ...extended, VisibilityTimeout: 43_201 }],
        }),
      ),
    ]);
    const codes = answers.map(({ Failed }) => String(Failed?.[0]?.Code));
    expect(codes).toEqual([
      'MissingParameter',
      'InvalidParameterValue',
      'ReceiptHandleIsInvalid',
      'InvalidParameterValue',
    ]);
    expect(codes.map(sqsNameKind)).toEqual(Array(4).fill('parcel'));
  });
});
