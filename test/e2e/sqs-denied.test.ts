/** SQS does not carry out what a worker needs to finish messages: it takes no more, says so once, and goes on afterwards. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../../src/config.ts';
import { readiness } from '../../src/observe/health.ts';
import type { ConditionName } from '../../src/worker/conditions.ts';
import { failEntries } from '../../testing/sqs/faults.ts';
import { type SqsProxy, type SqsRule, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let proxy: SqsProxy;
let stage: Stage;

beforeEach(async () => {
  proxy = await startSqsProxy();
});
afterEach(async () => {
  proxy.behave();
  await stage.strike();
  await proxy.close();
});

async function start(env: Environment = {}, options: StageOptions = {}): Promise<void> {
  // A tenth of every backoff.
  stage = await setStage({ sqs: { endpoint: proxy.url }, env, random: () => 0.1, ...options });
  proxy.upstream = stage.sqsUrl;
  await stage.worker.start();
}

const empty = { ready: 0, inFlight: 0 };

/** Denies these actions, as a policy without them. */
function deny(...actions: readonly string[]): SqsRule {
  return ({ action }, forward) =>
    actions.includes(action)
      ? sqsError(403, 'AccessDeniedException', `not authorized to perform: sqs:${action}`)
      : forward();
}

/** How often a condition was raised and cleared. */
function changes(name: ConditionName): boolean[] {
  return stage.events.flatMap((event) =>
    event.type === 'condition' && event.condition === name ? [event.raised] : [],
  );
}

const raised = (name: ConditionName): Promise<void> => stage.until(() => stage.hasCondition(name));

describe('a worker that may not delete', () => {
  test('stops receiving, retries with one request at a time, and deletes without another call when it may', async () => {
    proxy.rule = deny('DeleteMessageBatch');
    // Calls must not time out on a busy machine: they would be made again.
    await start({ MAX_CONCURRENCY: '10', CALL_TIMEOUT_MS: '10000' });
    await stage.sendUpdates(60);
    await raised('deleting');
    await stage.until(() => stage.worker.snapshot().settling === stage.worker.snapshot().held);
    const receives = proxy.count('ReceiveMessage');
    const deletes = proxy.count('DeleteMessageBatch');
    await stage.sendUpdates(40, 'later');
    let most = 0;
    const denied = proxy.rule;
    proxy.rule = (request, forward) => {
      most = Math.max(most, proxy.outstanding('DeleteMessageBatch'));
      return denied(request, forward);
    };
    await proxy.waitFor(() => proxy.count('DeleteMessageBatch') >= deletes + 4);
    expect(most).toBe(1);
    expect(proxy.count('ReceiveMessage')).toBe(receives);
    expect(readiness(stage.worker.snapshot()).reasons).toEqual([
      expect.stringMatching(/^SQS does not delete messages \(AccessDenied\w*, since /),
    ]);
    proxy.behave();
    await stage.ended(100);
    expect(changes('deleting')).toEqual([true, false]);
    expect(stage.api.stats().calls).toBe(100);
    expect(stage.left()).toEqual(empty);
  });
});

test('one message that SQS does not delete, for no reason of its own, stops no other', async () => {
  let spoiled: unknown;
  let refused = 0;
  proxy.rule = failEntries(({ ReceiptHandle }, { action }) => {
    if (action !== 'DeleteMessageBatch') return undefined;
    spoiled ??= ReceiptHandle;
    if (ReceiptHandle !== spoiled) return undefined;
    refused++;
    return { code: 'InternalError', senderFault: false };
  });
  await start({ SHUTDOWN_GRACE_SECONDS: '1' });
  await stage.sendUpdates(1);
  await stage.until(() => refused >= 3);
  expect(stage.hasCondition('deleting')).toBe(false);
  await stage.sendUpdates(20, 'later');
  await stage.until(() => stage.settled('acknowledge').length === 20);
  expect(changes('deleting')).toEqual([]);
});

describe('a worker that may not extend leases', () => {
  test('begins no call that may outlast its lease: none is repeated each cycle', async () => {
    await start({ VISIBILITY_TIMEOUT_SECONDS: '2', CALL_TIMEOUT_MS: '5000' }, { holdAnswers: true });
    stage.api.scriptAll({ status: 204, delayMs: 1 });
    await stage.sendUpdates(3);
    await stage.api.waitFor(() => stage.api.stats().inFlight === 3);
    proxy.rule = deny('ChangeMessageVisibilityBatch');
    await raised('extending');
    await stage.until(() => stage.worker.snapshot().held === 0);
    expect(readiness(stage.worker.snapshot()).reasons).toEqual([
      expect.stringMatching(/^SQS does not extend leases \(AccessDenied\w*, since /),
    ]);
    const asked = proxy.count('ChangeMessageVisibilityBatch');
    const receives = proxy.count('ReceiveMessage');
    await proxy.waitFor(() => proxy.count('ChangeMessageVisibilityBatch') >= asked + 2);
    expect(proxy.count('ReceiveMessage')).toBe(receives);
    expect(stage.api.stats().calls).toBe(3);
    stage.letAnswer();
    proxy.behave();
    await stage.ended(3);
    expect(changes('extending')).toEqual([true, false]);
    expect(stage.left()).toEqual(empty);
  });

  test('goes on with calls that fit into their lease', async () => {
    proxy.rule = deny('ChangeMessageVisibilityBatch');
    // Of a lease this long more is left than a call may last, however slow the machine is.
    await start({ VISIBILITY_TIMEOUT_SECONDS: '60', MAX_ATTEMPTS: '1', FAILURE_RUN_LIMIT: '0' });
    // It is to be deferred, which takes the same permission: half a lease need not pass.
    stage.api.script('task0', [{ status: 500, errorType: 'InternalServerException' }]);
    await stage.sendUpdates(1);
    await raised('extending');
    await stage.sendUpdates(20, 'later');
    await stage.ended(20);
    expect(stage.hasCondition('extending')).toBe(true);
  });
});
