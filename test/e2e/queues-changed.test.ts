/** Somebody changes the queues while a worker runs, or gives it one queue twice. */
import { afterEach, expect, test } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { systemClock } from '../../src/time/clock.ts';
import { QueueTime } from '../../src/time/queue-time.ts';
import { runWorker } from '../../testing/processes/worker.ts';
import { startSqsProxy } from '../../testing/sqs/proxy.ts';
import { setRetention } from '../../testing/sqs/queues.ts';
import { credentials, fastTimings, REGION, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const timings = { ...fastTimings, readQueuesEveryMs: 50 };

const setSourceRetention = async (seconds: number): Promise<void> => {
  const client = createSqsClient(1, { endpoint: stage.sqsUrl, region: REGION, credentials });
  await setRetention(client, stage.source.url, seconds);
  client.destroy();
};
const changed = (): boolean => stage.events.some(({ type }) => type === 'queue-changed');

/** SQS's time as the worker knows it, which a test sets ahead. */
function timeAhead(): { queueTime: QueueTime; ahead: (ms: number) => void } {
  let aheadMs = 0;
  return {
    queueTime: new QueueTime({ wall: () => Date.now() + aheadMs, monotonic: systemClock.monotonic }),
    ahead: (ms) => {
      aheadMs = ms;
    },
  };
}

test('a retention that is raised during an outage lets no message be dead-lettered for its former age', async () => {
  const { queueTime, ahead } = timeAhead();
  stage = await setStage({
    api: { down: true },
    queueTime,
    timings,
    queueAttributes: { MessageRetentionPeriod: '60' },
    env: { FAILURE_RUN_LIMIT: '2' },
  });
  await stage.sendUpdates(4);
  await stage.worker.start();
  await stage.until(() => stage.worker.snapshot().gate === 'outage');
  await setSourceRetention(1_209_600);
  await stage.until(changed);
  ahead(55_000);
  stage.api.configure({ down: false });
  await stage.ended(4);
  expect(stage.settled('dead-letter')).toEqual([]);
});

test('a retention that is lowered has messages dead-lettered before they vanish', async () => {
  const { queueTime, ahead } = timeAhead();
  stage = await setStage({ api: { down: true }, queueTime, timings, env: { FAILURE_RUN_LIMIT: '2' } });
  await stage.sendUpdates(4);
  await stage.worker.start();
  await stage.until(() => stage.worker.snapshot().gate === 'outage');
  ahead(55_000);
  await setSourceRetention(60);
  await stage.ended(4);
  expect(stage.settled('dead-letter')).toHaveLength(4);
});

test('while receives fail nothing is known of the retention: it is read before anything is dead-lettered for its age', async () => {
  const { queueTime, ahead } = timeAhead();
  const proxy = await startSqsProxy();
  stage = await setStage({
    queueTime,
    sqs: { endpoint: proxy.url },
    queueAttributes: { MessageRetentionPeriod: '60' },
  });
  proxy.upstream = stage.sqsUrl;
  proxy.rule = ({ action }, forward) => (action === 'ReceiveMessage' ? 'fail' : forward());
  await stage.worker.start();
  await stage.until(() => stage.hasCondition('receiving'));
  await stage.sendUpdates(4);
  await setSourceRetention(1_209_600);
  ahead(55_000);
  proxy.behave();
  await stage.ended(4);
  expect(stage.settled('dead-letter')).toEqual([]);
  await proxy.close();
});

test('a queue that is deleted and made again is worked on, and the log says that it is another', async () => {
  stage = await setStage({ timings });
  await stage.worker.start();
  stage.sqs.deleteQueue('updates', { region: REGION });
  await stage.until(() => stage.hasCondition('finding-queues'));
  stage.sqs.createQueue('updates', { region: REGION, attributes: { MessageRetentionPeriod: '3600' } });
  await stage.until(() => !stage.hasCondition('finding-queues') && changed());
  await stage.sendUpdates(3);
  await stage.ended(3);
  expect(stage.worker.snapshot().state).toBe('running');
});

test('one queue under two names is bad configuration: exit code 2, both settings named, no letter sent', async () => {
  stage = await setStage();
  await stage.send('not JSON');
  const { QUEUE_URL = '' } = stage.environment();
  const url = new URL(QUEUE_URL);
  url.hostname = 'localhost';
  const worker = runWorker(stage.environment({ DEAD_LETTER_QUEUE_URL: url.href, HTTP_PORT: 'off' }));
  expect(await worker.exited).toEqual({ code: 2, signal: null });
  expect(worker.raw().stderr).toContain('DEAD_LETTER_QUEUE_URL is the same queue as QUEUE_URL (arn:');
  expect(stage.left()).toEqual({ ready: 1, inFlight: 0 });
});
