/** Design 2.1 and 2.2: what is not a valid update is dead-lettered without a call; envelopes are opened. */
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

describe('a body that is no valid update', () => {
  test.each<[string, string, string]>([
    ['not JSON', 'update task0 please', 'not JSON'],
    ['cut-off JSON', '{"Identifier":"task0"', 'not JSON'],
    ['blank', ' \n', 'empty'],
    ['a JSON string', '"task0"', 'not a JSON object'],
    ['a JSON array', '[]', 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['a number', '7', 'not a JSON object'],
    ['without Identifier', '{"Description":"x"}', 'Identifier'],
    ['with an empty Identifier', '{"Identifier":"","Description":"x"}', 'Identifier'],
    ['with an Identifier of 201', `{"Identifier":"${'a'.repeat(201)}","Description":"x"}`, 'Identifier'],
    ['with a path as Identifier', '{"Identifier":"../x","Description":"x"}', 'Identifier'],
    ['with a newline after the Identifier', '{"Identifier":"task0\\n","Description":"x"}', 'Identifier'],
    ['with a number as Identifier', '{"Identifier":7,"Description":"x"}', 'Identifier'],
    ['with null as Description', '{"Identifier":"task0","Description":null}', 'Description'],
    ['with an empty Description', '{"Identifier":"task0","Description":""}', 'Description'],
    ['with a forbidden character', '{"Identifier":"task0","Description":"a.b"}', 'Description'],
    ['with a Description of 257', `{"Identifier":"task0","Description":"${'a'.repeat(257)}"}`, 'Description'],
    [
      'with an empty TaskConfigurationId',
      '{"Identifier":"task0","TaskConfigurationId":""}',
      'TaskConfigurationId',
    ],
    ['with a misspelt field', '{"Identifier":"task0","TaskConfigurationID":"c"}', '"TaskConfigurationID"'],
    [
      'with a misspelt field beside a good one',
      '{"Identifier":"task0","Description":"x","Jobid":"j"}',
      '"Jobid"',
    ],
    [
      'with a field named __proto__',
      '{"Identifier":"task0","Description":"x","__proto__":{"a":1}}',
      '__proto__',
    ],
    [
      'with a field named constructor',
      '{"Identifier":"task0","Description":"x","constructor":1}',
      'constructor',
    ],
    ['with nothing to update', '{"Identifier":"task0","JobId":"job-1"}', 'nothing to update'],
    ['with a bad JobId', '{"Identifier":"task0","Description":"x","JobId":"a b"}', 'JobId'],
    [
      'with an IssuedAt that is no time',
      '{"Identifier":"task0","Description":"x","IssuedAt":"today"}',
      'IssuedAt',
    ],
    [
      'with an IssuedAt outside UTC',
      '{"Identifier":"task0","Description":"x","IssuedAt":"2026-11-23T07:00:00+01:00"}',
      'IssuedAt',
    ],
    ['with an IssuedAt 6 minutes ahead', JSON.stringify({ ...update, IssuedAt: soon(6) }), 'IssuedAt'],
    ['an SNS notification of something else', JSON.stringify(notification('hello')), 'not JSON'],
    ['an SNS subscription confirmation', '{"Type":"SubscriptionConfirmation","Message":"{}"}', 'Identifier'],
    ['an EventBridge event of something else', JSON.stringify(event({ state: 'running' })), 'Identifier'],
    ['an event whose detail is null', JSON.stringify(event(null)), 'not a JSON object'],
    [
      'an envelope in an envelope in an envelope',
      JSON.stringify(
        notification(JSON.stringify(notification(JSON.stringify(notification(JSON.stringify(update)))))),
      ),
      'Identifier',
    ],
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

  test('keeps the ids that could be read, and none that break their own rule', async () => {
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
    ['bare, with white space around it', `\r\n\t${JSON.stringify(update, null, 2)} \n`],
    ['in an SNS notification', JSON.stringify(notification(JSON.stringify(update)))],
    ['in an EventBridge event', JSON.stringify(event(update))],
    [
      'in an EventBridge event that SNS delivered',
      JSON.stringify(notification(JSON.stringify(event(update)))),
    ],
    ['in a notification that an event carries', JSON.stringify(event(notification(JSON.stringify(update))))],
    ['with an IssuedAt 4 minutes ahead', JSON.stringify({ ...update, IssuedAt: soon(4) })],
    ['with an IssuedAt of long ago', JSON.stringify({ ...update, IssuedAt: '2001-01-01T00:00:00Z' })],
    [
      'with the longest ids',
      JSON.stringify({ ...update, JobId: 'j'.repeat(128), RequestId: 'r_.:-'.repeat(25) }),
    ],
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

  test('published to a topic that the queue subscribes to', async () => {
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
