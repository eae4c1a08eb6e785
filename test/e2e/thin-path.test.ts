import { afterEach, expect, test } from 'vitest';
import { recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

test('applies an update and deletes its message', async () => {
  stage = await setStage();
  await stage.send({ Identifier: 'a1B2c3', Description: 'Nightly roll-out 7', TaskConfigurationId: 'cfgB7' });
  await stage.worker.start();
  await stage.ended(1);
  expect(stage.api.task('a1B2c3')).toMatchObject({
    Description: 'Nightly roll-out 7',
    TaskConfigurationId: 'cfgB7',
  });
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});

test('dead-letters an update for a task that does not exist, after one call', async () => {
  stage = await setStage({ api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } } });
  const body = '{ "Identifier": "unknown1", "Description": "x", "JobId": "job-1", "RequestId": "row-1" }';
  await stage.send(body);
  await stage.worker.start();
  await stage.ended(1);
  const letters = await stage.deadLetters();
  expect(letters.map((letter) => letter.body)).toEqual([body]);
  expect(letters.map(recordOf)).toMatchObject([
    {
      reason: 'Rejected',
      error: { name: 'ResourceNotFoundException', status: 404 },
      attempts: 1,
      receiveCount: 1,
      jobId: 'job-1',
      requestId: 'row-1',
      redriveCount: 0,
    },
  ]);
  expect(stage.api.callsFor('unknown1')).toHaveLength(1);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});
