/** The contract, dead letters and AWS's own redrive on a second SQS server, which shares no code with the first. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteMessageBatchCommand,
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
    stage.api.script('task0', [{ status: 400, body: { message: 'not now' } }]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
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
  const move = async (): Promise<unknown> => {
    const [SourceArn, DestinationArn] = await Promise.all(
      [stage.dead, stage.source].map(async (queue) => (await queue.attributes()).arn),
    );
    return client.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
  };

  test('moves letters back to be applied, where a redrive policy names their queue', async () => {
    stage.api.script('task0', [{ status: 400, body: { message: 'not now' } }]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    const deadLetterTargetArn = (await stage.dead.attributes()).arn;
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1_000 });
    await client.send(
      new SetQueueAttributesCommand({ QueueUrl: stage.source.url, Attributes: { RedrivePolicy } }),
    );
    await move();
    await stage.until(() => stage.settled('acknowledge').length === 1);
    expect(await stage.deadLetters()).toEqual([]);
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
