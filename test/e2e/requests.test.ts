/** Requests to SQS per update, counted at a proxy. */
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { spawnWorker, type WorkerProcess } from '../../testing/processes/process.ts';
import { type SqsProxy, shortPolls, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let proxy: SqsProxy;
afterEach(() => stage.strike());

/** The minimum is 0.2: ten messages per receive, ten per delete. */
const REQUESTS_PER_UPDATE = 0.21;

async function setUp(updates: number, env: Record<string, string>): Promise<WorkerProcess> {
  stage = await setStage({ api: { latency: { minMs: 20, maxMs: 80 } } });
  proxy = await startSqsProxy(stage.sqsUrl);
  onTestFinished(() => proxy.close());
  await stage.sendUpdates(updates);
  return spawnWorker(
    stage.environment({ AWS_ENDPOINT_URL_SQS: proxy.url, HTTP_PORT: 'off', LOG_LEVEL: 'debug', ...env }),
  );
}

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

describe('requests to SQS per update', () => {
  test.each([
    { rate: 'unlimited', updates: 2_000, around: 400 },
    { rate: '50', updates: 400, around: 150 },
  ])('stay at or below 0.21 during a backlog with RATE_LIMIT=$rate', { timeout: 60_000 }, async (scale) => {
    const { rate, updates, around } = scale;
    const total = updates + 2 * around;
    const worker = await setUp(total, { RATE_LIMIT: rate });
    // Receives are ahead of deletes: counting begins then, and ends while more messages wait.
    const settled = (): number => total - stage.left().ready - stage.left().inFlight;
    await worker.waitForLine(() => settled() >= around);
    const [settledBefore, before] = [settled(), counts()];
    await worker.waitForLine(() => settled() >= settledBefore + updates);
    const [settledAfter, after] = [settled(), counts()];
    const requests = (after.all ?? 0) - (before.all ?? 0);
    process.stdout.write(
      `RATE_LIMIT=${rate}, ${settledAfter - settledBefore} settled under backlog: ${requests} requests\n`,
    );
    expect(requests / (settledAfter - settledBefore)).toBeLessThanOrEqual(REQUESTS_PER_UPDATE);
  });

  test.each([
    { rate: 'unlimited', updates: 2_000 },
    { rate: '50', updates: 400 },
  ])('stay at or below 0.21 from first to last with RATE_LIMIT=$rate', { timeout: 60_000 }, async (scale) => {
    const { rate, updates } = scale;
    const worker = await setUp(updates, { RATE_LIMIT: rate });
    await worker.waitForLine(() => stage.left().ready + stage.left().inFlight === 0);
    const requests = counts();
    process.stdout.write(`RATE_LIMIT=${rate}, drained: ${updates} settled, ${JSON.stringify(requests)}\n`);
    expect((requests.all ?? 0) / updates).toBeLessThanOrEqual(REQUESTS_PER_UPDATE);
  });
});

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
    spawnWorker(stage.environment({ AWS_ENDPOINT_URL_SQS: proxy.url, HTTP_PORT: 'off' }));
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
    const worker = spawnWorker(
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
