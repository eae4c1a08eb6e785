/** The contract, dead letters and AWS's own redrive on a second SQS server, which shares no code with the first. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteMessageBatchCommand,
  ListMessageMoveTasksCommand,
  SetQueueAttributesCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { runLetters } from '../../testing/stages/letters.ts';
import { credentials, REGION, recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let client: SQSClient;
let folder: string;
beforeEach(async () => {
  stage = await setStage({
    judge: 'local-aws-sqs',
    outcomes: true,
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } },
  });
  client = createSqsClient(2, { region: REGION, credentials, endpoint: stage.sqsUrl });
  folder = mkdtempSync(join(tmpdir(), 'second-sqs-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  client.destroy();
  await stage.strike();
  rmSync(folder, { recursive: true });
});

const Description = 'x';
const event = { specversion: '1.0', id: '1', source: '/planner', type: 'update' };

/** An update that is rejected, and would be applied at the next try. */
async function makeLetter(): Promise<void> {
  stage.api.script('task0', [{ status: 400, errorType: 'ValidationException' }]);
  await stage.sendUpdates(1);
  await stage.worker.start();
  await stage.until(() => stage.settled('dead-letter').length === 1);
}

describe('a worker on another SQS', () => {
  test('applies an update in each form, dead-letters the others byte for byte, and tells how all ended', async () => {
    const bad = '{ "Identifier": "task5", "Descripton": "x" }';
    await stage.send(
      { Identifier: 'task0', Description },
      { Type: 'Notification', Message: JSON.stringify({ Identifier: 'task1', Description }) },
      { source: 's', 'detail-type': 't', detail: { Identifier: 'task2', Description } },
      { ...event, data: { Identifier: 'task3', Description } },
      { Identifier: 'unknown4', Description },
      bad,
    );
    await stage.worker.start();
    await stage.ended(6);
    const letters = await stage.deadLetters();
    const told = letters.map((letter) => [letter.body, recordOf(letter).reason]);
    expect(told.sort()).toEqual([
      [bad, 'Invalid'],
      [JSON.stringify({ Identifier: 'unknown4', Description }), 'Rejected'],
    ]);
    const outcomes = (await stage.outcomes()).map(({ Outcome }) => Outcome).sort();
    expect(outcomes).toEqual([...Array(4).fill('applied'), ...Array(2).fill('dead-lettered')]);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
  });

  test('applies what our redrive sends back', async () => {
    await makeLetter();
    const env = { ...stage.environment(), STATE_DIR: folder };
    // The SDK reads its own variables from the process.
    for (const [name, value] of Object.entries(env)) if (name.startsWith('AWS_')) vi.stubEnv(name, value);
    const run = await runLetters(['redrive', '--all', '--yes', '--reason', 'test'], { env });
    expect(run.exitCode, run.both).toBe(0);
    await stage.until(() => stage.settled('acknowledge').length === 1);
    expect(await stage.deadLetters()).toEqual([]);
  });
});

describe("AWS's own redrive", () => {
  const arns = () =>
    Promise.all([stage.dead, stage.source].map(async (queue) => (await queue.attributes()).arn));
  const move = async (): Promise<unknown> => {
    const [SourceArn, DestinationArn] = await arns();
    return client.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
  };
  const setPolicy = async (): Promise<void> => {
    const [deadLetterTargetArn] = await arns();
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1_000 });
    await client.send(
      new SetQueueAttributesCommand({ QueueUrl: stage.source.url, Attributes: { RedrivePolicy } }),
    );
  };

  test('moves letters back to be applied, where a redrive policy names their queue', async () => {
    await makeLetter();
    await setPolicy();
    await move();
    await stage.until(() => stage.settled('acknowledge').length === 1);
    expect(await stage.deadLetters()).toEqual([]);
  });

  test('fails without a destination, since it was not SQS that moved the letters there; they stay', async () => {
    await makeLetter();
    await setPolicy();
    const [SourceArn] = await arns();
    await client.send(new StartMessageMoveTaskCommand({ SourceArn }));
    const tasks = async () => (await client.send(new ListMessageMoveTasksCommand({ SourceArn }))).Results;
    await expect
      .poll(tasks)
      .toMatchObject([{ Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' }]);
    const { ready = [], inflight = [] } = stage.sqs.inspectQueue('dead')?.messages ?? {};
    expect(ready.length + inflight.length).toBe(1);
  });

  test('is refused where none does', async () => {
    await expect(move()).rejects.toThrow(/Dead Letter Queue/);
  });
});

test('a receipt handle that is none fails in its entry, as on AWS', async () => {
  const Entries = [{ Id: '0', ReceiptHandle: 'garbage' }];
  const answer = await client.send(new DeleteMessageBatchCommand({ QueueUrl: stage.source.url, Entries }));
  expect(answer.Failed).toMatchObject([{ Id: '0', Code: 'ReceiptHandleIsInvalid', SenderFault: true }]);
  expect(await stage.source.delete(['garbage'])).toMatchObject([{ key: 'garbage', senderFault: true }]);
});
