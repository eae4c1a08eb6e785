/** What log, health and metrics of a whole worker say of its queues and its rate. */
import { expect, onTestFinished, test } from 'vitest';
import { assemble } from '../../src/commands/assemble.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { ConditionName } from '../../src/worker/conditions.ts';
import { askServer } from '../../testing/processes/ask-server.ts';
import { sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { credentials, REGION, setStage } from '../../testing/stages/stage.ts';

test('a worker that is throttled for long, and may not read one queue, says so and goes on', async () => {
  const stage = await setStage({ api: { limit: { ratePerSecond: 20, burst: 1 } } });
  onTestFinished(() => stage.strike());
  const proxy = await startSqsProxy(stage.sqsUrl);
  onTestFinished(() => proxy.close());
  proxy.rule = ({ action, queue }, forward) =>
    action === 'GetQueueAttributes' && queue === 'dead'
      ? sqsError(403, 'AccessDeniedException', 'not authorized to perform: sqs:GetQueueAttributes')
      : forward();
  await stage.send('not an update');
  await stage.sendUpdates(100);
  const raised = new Map<ConditionName, () => void>();
  const untilRaised = (name: ConditionName): Promise<void> =>
    new Promise((resolve) => {
      raised.set(name, resolve);
    });
  const lines: Record<string, unknown>[] = [];
  const { worker, http, close } = assemble({
    config: { ...stage.config, rateLimit: 400, rateAdaptive: true },
    env: {},
    log: createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) }),
    listeners: [
      (event) => void (event.type === 'condition' && event.raised && raised.get(event.condition)?.()),
    ],
    sqs: { region: REGION, credentials, endpoint: proxy.url },
    api: { region: REGION, credentials, endpoint: stage.api.url },
    lowRateAfterMs: 50,
  });
  onTestFinished(close);
  const throttled = untilRaised('throttled');
  await worker.start();
  await throttled;
  const ready = await askServer(http, { path: '/readyz' });
  expect(ready.status).toBe(200);
  expect(JSON.parse(ready.body)).toMatchObject({
    reasons: [],
    conditions: [
      {
        condition: 'queue-attributes',
        of: 'DEAD_LETTER_QUEUE_URL',
        effect: 'noted',
        error: 'AccessDeniedException',
      },
      {
        condition: 'throttled',
        effect: 'noted',
        error: 'Throttled',
        why: expect.stringContaining('RATE_LIMIT'),
      },
    ],
  });
  const { queues, oldestAgeMs, rateFound, rateFoundSince, bounds, callsPerSecond } = worker.snapshot();
  expect(queues).toMatchObject({ source: { visible: expect.any(Number) }, outcome: undefined });
  expect(queues.deadLetter).toBe(undefined);
  expect(oldestAgeMs).toBeGreaterThan(0);
  expect(rateFound).toBeLessThan(bounds.rate.value / 2);
  expect([rateFoundSince, callsPerSecond]).toEqual([expect.any(Number), expect.any(Number)]);
  await stage.api.waitFor(() => stage.api.stats().applied >= 10);
  const { body } = await askServer(http, { path: '/metrics' });
  expect(body).toMatch(/^ota_updater_queue_messages\{queue="source",state="visible"\} \d+$/m);
  expect(body).toMatch(/^ota_updater_queue_messages\{queue="dead-letter",state="visible"\} Nan$/m);
  expect(body).toMatch(/^ota_updater_rate_configured 400$/m);
  expect(body).toMatch(/^ota_updater_last_success_timestamp_seconds [\d.]{10,}$/m);
  expect(worker.snapshot().lastSuccess).toBeGreaterThan(0);
  await worker.stop();
  const low = lines.filter(({ event }) => event === 'rate.low');
  expect(low).toMatchObject([
    { level: 'warn', error: { message: expect.stringMatching(/^[\d.]+ calls per second of 400\.0$/) } },
  ]);
  // What was throttled is counted, and makes no line of its own.
  expect(lines.filter(({ event }) => event === 'call.failed')).toEqual([]);
  expect(await stage.deadLetters()).toHaveLength(1);
});
