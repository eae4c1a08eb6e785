/** An invalid update is dead-lettered without a call; envelopes are unwrapped. */
import { afterEach, describe, expect, test } from 'vitest';
import { REGION, recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const empty = { ready: 0, inFlight: 0 };
const soon = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
const update = { Identifier: 'task0', Description: 'x' };

function notification(message: string): object {
  return {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: 'arn:aws:sns:eu-west-1:000000000000:updates',
    Message: message,
    Timestamp: '2026-11-23T07:00:00.000Z',
  };
}

function event(detail: unknown): object {
  return {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': 'OTA task update',
    source: 'fleet.rollout',
    account: '000000000000',
    time: '2026-11-23T07:00:00Z',
    region: REGION,
    resources: [],
    detail,
  };
}

describe('an invalid body', () => {
  test.each<[string, string, string]>([
    ['not JSON', 'update task0 please', 'not JSON'],
    ['with a misspelt field', '{"Identifier":"task0","TaskConfigurationID":"c"}', '"TaskConfigurationID"'],
    ['with an IssuedAt 6 minutes ahead', JSON.stringify({ ...update, IssuedAt: soon(6) }), 'IssuedAt'],
  ])('(%s) is dead-lettered as Invalid, byte for byte, without a call', async (_what, body, reason) => {
    stage = await setStage();
    await stage.send(body);
    await stage.worker.start();
    await stage.ended(1);
    expect(stage.api.stats().calls).toBe(0);
    const letters = await stage.deadLetters();
    expect(letters.map((letter) => letter.body)).toEqual([body]);
    expect(letters.map(recordOf)).toMatchObject([
      { reason: 'Invalid', error: { name: 'InvalidUpdate' }, attempts: 0, receiveCount: 1 },
    ]);
    expect(letters.map((letter) => recordOf(letter).error.message).join()).toContain(reason);
    expect(stage.left()).toEqual(empty);
  });

  test('keeps valid ids and no others', async () => {
    stage = await setStage();
    await stage.send(
      { Identifier: 'task0', JobId: 'job-1', RequestId: 'row-1', Nope: 1 },
      { Identifier: 'task0', JobId: 'job\u202e1', RequestId: 'row-2', Nope: 1 },
    );
    await stage.worker.start();
    await stage.ended(2);
    const records = (await stage.deadLetters()).map(recordOf);
    expect(records.map(({ jobId, requestId }) => [jobId, requestId])).toEqual([
      ['job-1', 'row-1'],
      [undefined, 'row-2'],
    ]);
  });

  test('is dead-lettered while calls are paused, too', async () => {
    stage = await setStage({ api: { expiredCredentials: true } });
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === 'misconfigured');
    await stage.send('not JSON');
    await stage.until(() => stage.settled('dead-letter').length === 1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([{ reason: 'Invalid', attempts: 0 }]);
  });
});

describe('a valid update is applied', () => {
  test.each<[string, string]>([
    ['bare', JSON.stringify(update)],
    [
      'in an EventBridge event that SNS delivered',
      JSON.stringify(notification(JSON.stringify(event(update)))),
    ],
    ['with an IssuedAt 4 minutes ahead', JSON.stringify({ ...update, IssuedAt: soon(4) })],
  ])('%s', async (_what, body) => {
    stage = await setStage();
    await stage.send(body);
    await stage.worker.start();
    await stage.ended(1);
    expect(stage.api.callsFor('task0').map(({ status, input }) => ({ status, input }))).toEqual([
      { status: 204, input: { Description: 'x' } },
    ]);
    expect(await stage.deadLetters()).toEqual([]);
    expect(stage.left()).toEqual(empty);
  });

  test('published to a topic that the queue is subscribed to', async () => {
    stage = await setStage();
    const { topicArn } = stage.sqs.createTopic('updates', { region: REGION });
    stage.sqs.subscribe({ topic: 'updates', queue: 'updates', region: REGION });
    stage.sqs.publish('updates', JSON.stringify({ ...update, TaskConfigurationId: 'cfgB7' }), {
      subject: 'OTA',
    });
    const [message] = stage.sqs.inspectQueue('updates')?.messages.ready ?? [];
    expect(JSON.parse(message?.body ?? '{}')).toMatchObject({ Type: 'Notification', TopicArn: topicArn });
    await stage.worker.start();
    await stage.ended(1);
    expect(stage.api.task('task0')).toMatchObject({ Description: 'x', TaskConfigurationId: 'cfgB7' });
    expect(stage.left()).toEqual(empty);
  });

  test('with the longest Identifier, Description and TaskConfigurationId', async () => {
    stage = await setStage();
    const longest = {
      Identifier: 'Z9'.repeat(100),
      Description: 'a_- '.repeat(64),
      TaskConfigurationId: 'c'.repeat(64),
    };
    await stage.send(longest);
    await stage.worker.start();
    await stage.ended(1);
    const { Identifier, ...fields } = longest;
    expect(stage.api.callsFor(Identifier).map(({ input }) => input)).toEqual([fields]);
    expect(stage.settled('acknowledge')).toHaveLength(1);
  });
});
