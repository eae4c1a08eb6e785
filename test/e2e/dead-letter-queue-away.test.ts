/** While the dead-letter queue refuses letters or is unreachable, nothing is lost and nothing is done twice. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../../src/config.ts';
import { readiness } from '../../src/observe/health.ts';
import { createSqsClient } from '../../src/queue/client.ts';
import { type SqsProxy, type SqsRule, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { setMaximumBytes } from '../../testing/sqs/queues.ts';
import {
  credentials,
  graceWithRelease,
  REGION,
  recordOf,
  type Stage,
  type StageOptions,
  setStage,
  watchedLease,
} from '../../testing/stages/stage.ts';

let proxy: SqsProxy;
let stage: Stage;

beforeEach(async () => {
  proxy = await startSqsProxy();
});
afterEach(async () => {
  await stage.strike();
  await proxy.close();
});

const empty = { ready: 0, inFlight: 0 };
/** Longer than a test may take: a stop must not wait for its whole grace. */
const longGrace = { SHUTDOWN_GRACE_SECONDS: '600' };

async function start(env: Environment = {}, options: StageOptions = {}): Promise<void> {
  stage = await setStage({
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } },
    sqs: { endpoint: proxy.url },
    ...options,
    env,
  });
  proxy.upstream = stage.sqsUrl;
  await stage.worker.start();
}

const away = (): void => stage.sqs.deleteQueue('dead', { region: REGION });
const back = (): void => {
  stage.sqs.createQueue('dead', { region: REGION });
};
const unreachable = (): Promise<void> => stage.until(() => stage.hasCondition('dead-lettering'));
const sends = (): number => proxy.count('SendMessageBatch', 'dead');
const extensions = (): number => proxy.count('ChangeMessageVisibilityBatch', 'updates');

/** A rule for sends to the dead-letter queue; other requests pass. */
function toDead(rule: SqsRule): SqsRule {
  return (request, forward) =>
    request.action === 'SendMessageBatch' && request.queue === 'dead' ? rule(request, forward) : forward();
}

describe('an unreachable dead-letter queue', () => {
  test('makes the worker keep message and result under lease, report it, and resume without another call', async () => {
    await start(watchedLease);
    away();
    await stage.sendUpdates(1, 'unknown');
    await unreachable();
    expect(readiness(stage.worker.snapshot()).reasons).toEqual([
      expect.stringContaining('the dead-letter queue does not accept letters (QueueDoesNotExist, since '),
    ]);
    // Longer than the first lease.
    await proxy.waitFor(() => extensions() >= 3);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 1 });
    expect(proxy.count('DeleteMessageBatch', 'updates')).toBe(0);
    expect(stage.settled()).toHaveLength(0);
    expect(sends()).toBeGreaterThan(3);
    back();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'Rejected', error: { name: 'ResourceNotFoundException' }, attempts: 1, receiveCount: 1 },
    ]);
    expect(stage.api.callsFor('unknown0')).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
    expect(readiness(stage.worker.snapshot())).toEqual({ ok: true, reasons: [] });
    expect(stage.events.filter((event) => event.type === 'lease-lost')).toHaveLength(0);
  });

  test('stops receiving until it is reachable', async () => {
    await start(watchedLease);
    away();
    await stage.sendUpdates(1, 'unknown');
    await unreachable();
    const before = proxy.count('ReceiveMessage', 'updates');
    await stage.sendUpdates(100);
    // Polls that were open may still receive ten messages each.
    await proxy.waitFor(() => extensions() >= 2);
    expect(proxy.count('ReceiveMessage', 'updates')).toBe(before);
    expect(stage.left().ready).toBeGreaterThanOrEqual(100 - 10 * before);
    expect(stage.left().ready).toBeGreaterThan(0);
    back();
    await stage.ended(101);
    expect(stage.settled('acknowledge')).toHaveLength(100);
    expect(stage.left()).toEqual(empty);
  });

  test('does not hold up messages that need no dead letter', async () => {
    await start({}, { holdAnswers: true });
    away();
    stage.api.script('slow0', [{ status: 204, delayMs: 1 }]);
    await stage.sendUpdates(1, 'slow');
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    await stage.sendUpdates(1, 'unknown');
    await unreachable();
    stage.letAnswer();
    await stage.until(() => stage.settled('acknowledge').length === 1);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 1 });
  });

  test('at a stop: the message is released at once and not deleted', async () => {
    await start(longGrace);
    away();
    await stage.send('not JSON', { Identifier: 'unknown0', Description: 'x' });
    await unreachable();
    await expect.poll(() => stage.worker.snapshot().settling).toBe(2);
    await stage.worker.stop();
    expect(stage.worker.snapshot()).toMatchObject({ state: 'stopped', held: 0 });
    expect(stage.left()).toEqual({ ready: 2, inFlight: 0 });
    expect(proxy.count('DeleteMessageBatch', 'updates')).toBe(0);
    expect(stage.settled('dead-letter')).toHaveLength(0);
  });

  test('at a stop: a call in flight that is then rejected is released, too', async () => {
    await start(longGrace, { holdAnswers: true });
    away();
    stage.api.script('slow0', [{ status: 404, errorType: 'ResourceNotFoundException', delayMs: 1 }]);
    await stage.sendUpdates(1, 'slow');
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    await stage.send('not JSON');
    await unreachable();
    // No poll may be open that receives what is released.
    proxy.rule = (request, forward) => (request.action === 'ReceiveMessage' ? 'hang' : forward());
    const stopped = stage.worker.stop();
    stage.letAnswer();
    await stopped;
    expect(stage.worker.snapshot()).toMatchObject({ state: 'stopped', held: 0 });
    expect(proxy.count('DeleteMessageBatch', 'updates')).toBe(0);
  });

  test('leaves the letter to another worker after a stop', async () => {
    await start(longGrace);
    away();
    await stage.send('not JSON');
    await unreachable();
    await stage.worker.stop();
    back();
    const second = stage.makeWorker();
    await second.start();
    await stage.ended(1);
    await second.stop();
    expect((await stage.deadLetters()).map(({ body }) => body)).toEqual(['not JSON']);
    expect(stage.left()).toEqual(empty);
  });
});

describe('a dead-letter queue that refuses', () => {
  test.each<[string, SqsRule]>([
    [
      'without permission',
      () => sqsError(403, 'AccessDeniedException', 'not authorized to perform sqs:SendMessage'),
    ],
    ['with a broken key', () => sqsError(400, 'KmsDisabled', 'the key is disabled')],
    ['by throttling', () => sqsError(400, 'RequestThrottled', 'slow down')],
    ['with a 500', () => sqsError(500, 'InternalFailure', 'oops')],
    ['by cutting the connection', () => 'reset'],
    [
      'each entry with another code',
      (request) => ({
        status: 200,
        output: {
          Successful: [],
          Failed: (request.input.Entries as { Id: string }[]).map(({ Id }) => ({
            Id,
            SenderFault: false,
            Code: 'InternalError',
            Message: 'oops',
          })),
        },
      }),
    ],
  ])('%s: is retried until it accepts the letter with its record', async (_what, rule) => {
    await start();
    proxy.rule = toDead(rule);
    await stage.send('not JSON');
    await unreachable();
    await proxy.waitFor(() => sends() >= 4);
    expect(proxy.count('DeleteMessageBatch', 'updates')).toBe(0);
    expect(readiness(stage.worker.snapshot()).ok).toBe(false);
    proxy.behave();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([{ reason: 'Invalid', receiveCount: 1 }]);
    expect(stage.hasCondition('dead-lettering')).toBe(false);
    expect(stage.left()).toEqual(empty);
  });

  test('by never answering: the message is released within the grace of a stop', async () => {
    await start(graceWithRelease);
    // An aborted poll could still receive the message in the SQS server: so there is only one poll.
    let polls = 0;
    proxy.rule = (request, forward) => {
      if (request.action === 'SendMessageBatch' && request.queue === 'dead') return 'hang';
      return request.action === 'ReceiveMessage' && polls++ > 0 ? 'hang' : forward();
    };
    await stage.send('not JSON');
    await proxy.waitFor(() => sends() >= 1);
    await stage.worker.stop();
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'release' } }]);
    expect(stage.left()).toEqual({ ready: 1, inFlight: 0 });
  });
});

describe('a letter that SQS refuses', () => {
  const big = 'x'.repeat(3_000);
  const small = { deadLetterAttributes: { MaximumMessageSize: '1024' } };

  test('does not hold up other letters, in its batch or later', async () => {
    await start({}, small);
    await stage.send('bad 0', big, 'bad 1');
    await stage.until(() => stage.settled('dead-letter').length === 2);
    expect((await stage.deadLetters()).map(({ body }) => body).sort()).toEqual(['bad 0', 'bad 1']);
    // It is kept under lease and retried.
    expect(stage.left()).toEqual({ ready: 0, inFlight: 1 });
    const tried = sends();
    await proxy.waitFor(() => sends() >= tried + 2);
  });

  test('is sent once the queue accepts it, without another call or delivery', async () => {
    await start({}, small);
    await stage.send(big);
    await proxy.waitFor(() => sends() >= 3);
    const client = createSqsClient(1, { region: REGION, credentials, endpoint: stage.sqsUrl });
    await setMaximumBytes(client, stage.dead.url, 4_096);
    client.destroy();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(({ body }) => body)).toEqual([big]);
    expect(stage.settled()).toMatchObject([{ subject: { message: { receiveCount: 1 } } }]);
    expect(stage.left()).toEqual(empty);
  });

  test('does not hold up later messages', async () => {
    await start({}, small);
    await stage.send(big);
    await proxy.waitFor(() => sends() >= 2);
    // One by one, so that all open polls have ended.
    for (let i = 0; i < 5; i++) {
      await stage.sendUpdates(1, `good${i}x`);
      // One letter that can never be sent would stop all work.
      await stage.until(() => stage.settled('acknowledge').length === i + 1);
    }
  });

  test('is released at a stop', async () => {
    await start(longGrace, small);
    await stage.send(big);
    await proxy.waitFor(() => sends() >= 2);
    await stage.worker.stop();
    expect(stage.left()).toEqual({ ready: 1, inFlight: 0 });
  });

  test('does not fail the others when it makes a whole request fail', async () => {
    await start();
    proxy.rule = toDead((request, forward) => {
      const bodies = (request.input.Entries as { MessageBody: string }[]).map(
        ({ MessageBody }) => MessageBody,
      );
      return bodies.includes('poison')
        ? sqsError(400, 'InvalidMessageContents', 'the message contains characters outside the allowed set')
        : forward();
    });
    await stage.send('bad 0', 'poison', 'bad 1', 'bad 2');
    await stage.until(() => stage.settled('dead-letter').length === 3);
    expect((await stage.deadLetters()).map(({ body }) => body).sort()).toEqual(['bad 0', 'bad 1', 'bad 2']);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 1 });
  });
});
