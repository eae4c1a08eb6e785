/** A bug in ota-updater defers the message, logs the stack, and affects no other message. */
import type { SQSClientConfig } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from 'vitest';
import { logEvents } from '../../src/observe/log-events.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { OtaApi } from '../../src/ota/client.ts';
import { recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

/** Lines of the log, parsed. */
function memoryLog(): { lines: Record<string, unknown>[]; listener: ReturnType<typeof logEvents> } {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('info', {
    write: (line: string) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  });
  return { lines, listener: logEvents(log) };
}

/** Throws for Identifiers with this prefix, against the contract of OtaApi. */
function throwingFor(prefix: string): (api: OtaApi) => OtaApi {
  return (api) => ({
    updateOtaTask: async (update, signal) => {
      if (update.Identifier.startsWith(prefix)) throw aBug();
      return api.updateOtaTask(update, signal);
    },
    destroy: () => api.destroy(),
  });
}

function aBug(): TypeError {
  return new TypeError("Cannot read properties of undefined (reading 'oops')");
}

/** A bug below the client, as in the SDK. */
const brokenHandler: NonNullable<SQSClientConfig['requestHandler']> = {
  handle: async () => {
    throw aBug();
  },
  destroy: () => {},
  metadata: { handlerProtocol: 'http/1.1' },
  updateHttpClientConfig: () => {},
  httpHandlerConfigs: () => ({}),
};

test.each([
  ['in the client', { wrapApi: throwingFor('task') }],
  ['below the client', { apiClient: { requestHandler: brokenHandler } }],
])(
  'defers the message, then dead-letters it as InternalError, and logs the stack (%s)',
  async (_where, options) => {
    const { lines, listener } = memoryLog();
    stage = await setStage({
      ...options,
      env: { MAX_DELIVERIES: '3' },
      random: () => 0,
      listeners: [listener],
    });
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(stage.settled().map(({ disposition }) => disposition.action)).toEqual([
      'defer',
      'defer',
      'dead-letter',
    ]);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      {
        reason: 'InternalError',
        error: { name: 'TypeError', message: aBug().message },
        attempts: 1,
        receiveCount: 3,
      },
    ]);
    expect(stage.api.stats().calls).toBe(0);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
    const stacks = lines.filter((line) => typeof line.stack === 'string');
    expect(stacks.length, 'lines that hold the stack').toBeGreaterThanOrEqual(3);
    expect(stacks[0]).toMatchObject({ level: 'error', identifier: 'task0' });
    expect(String(stacks[0]?.stack)).toContain('failure-table-bugs.test.ts');
  },
);

test('continues with the others: a bug does not lose a permit', async () => {
  stage = await setStage({
    wrapApi: throwingFor('bad'),
    env: { MAX_CONCURRENCY: '2', MAX_DELIVERIES: '1', SHUTDOWN_GRACE_SECONDS: '1' },
  });
  await stage.sendUpdates(3, 'bad');
  await stage.worker.start();
  await stage.until(() => stage.settled('dead-letter').length === 3);
  expect(stage.worker.snapshot().inFlight).toBe(0);
  await stage.sendUpdates(3, 'good');
  await stage.until(() => stage.settled('acknowledge').length === 3);
});

test('in a probe does not keep the gate closed', async () => {
  let broken = false;
  stage = await setStage({
    api: { expiredCredentials: true },
    wrapApi: (api) => ({
      updateOtaTask: async (update, signal) => {
        if (broken) throw aBug();
        return api.updateOtaTask(update, signal);
      },
      destroy: () => api.destroy(),
    }),
    env: { SHUTDOWN_GRACE_SECONDS: '1' },
    random: () => 0,
  });
  await stage.sendUpdates(3);
  await stage.worker.start();
  await stage.until(() => stage.worker.snapshot().gate === 'misconfigured');
  broken = true;
  await stage.until(() => stage.settled('defer').some(({ failure }) => failure?.kind === 'internal'));
  broken = false;
  stage.api.configure({ expiredCredentials: false });
  // Without another probe there would be none.
  await stage.until(() => stage.settled('acknowledge').length === 3);
});
