/** Requests to SQS of an idle worker, counted at a proxy. How many there are for an update: test/worker/requests.test.ts. */
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { runWorker } from '../../testing/processes/worker.ts';
import { type SqsProxy, shortPolls, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let proxy: SqsProxy;
afterEach(() => stage.strike());

/** Requests so far, by operation. */
function counts(): Record<string, number> {
  const operations = [
    'ReceiveMessage',
    'DeleteMessageBatch',
    'ChangeMessageVisibilityBatch',
    'GetQueueAttributes',
  ];
  return { ...Object.fromEntries(operations.map((name) => [name, proxy.count(name)])), all: proxy.count() };
}

describe('an idle worker', () => {
  test('has one receive outstanding, of 20 seconds for ten messages', async () => {
    stage = await setStage();
    proxy = await startSqsProxy(stage.sqsUrl);
    onTestFinished(() => proxy.close());
    const asked: unknown[] = [];
    // Polls end empty after a second, so that there are several.
    proxy.rule = (request, forward) => {
      const { action, input } = request;
      if (action === 'ReceiveMessage') asked.push([input.WaitTimeSeconds, input.MaxNumberOfMessages]);
      return shortPolls(request, forward);
    };
    runWorker(stage.environment({ AWS_ENDPOINT_URL_SQS: proxy.url, HTTP_PORT: 'off' }));
    let most = 0;
    await proxy.waitFor(() => {
      most = Math.max(most, proxy.outstanding('ReceiveMessage'));
      return proxy.count('ReceiveMessage') === 5;
    });
    expect(most).toBe(1);
    expect(asked.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => [20, 10]));
    // Two queues are looked up, five polls made, and nothing else.
    expect(counts()).toMatchObject({ GetQueueAttributes: 2, all: 7 });
  });

  test('returns to one receive outstanding once the polls of a backlog have ended', async () => {
    stage = await setStage();
    proxy = await startSqsProxy(stage.sqsUrl);
    onTestFinished(() => proxy.close());
    proxy.rule = shortPolls;
    await stage.sendUpdates(500);
    const worker = runWorker(
      stage.environment({ AWS_ENDPOINT_URL_SQS: proxy.url, HTTP_PORT: 'off', LOG_LEVEL: 'debug' }),
    );
    await worker.waitForLine(() => stage.left().ready + stage.left().inFlight === 0);
    const afterBacklog = proxy.count('ReceiveMessage');
    // All polls of the backlog have ended when as many again have begun.
    await proxy.waitFor(() => proxy.outstanding('ReceiveMessage') === 1);
    let most = 0;
    const from = proxy.count('ReceiveMessage');
    await proxy.waitFor(() => {
      most = Math.max(most, proxy.outstanding('ReceiveMessage'));
      return proxy.count('ReceiveMessage') === from + 3;
    });
    expect(most).toBe(1);
    process.stdout.write(
      `polls outstanding after the backlog: ${from - afterBacklog} begun until one was left\n`,
    );
  });
});
