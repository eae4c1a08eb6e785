/** What becomes of a message, for each kind of answer to its call. */
import { afterEach, describe, expect, test } from 'vitest';
import { type ScriptedAnswer, startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const empty = { ready: 0, inFlight: 0 };
const throttled: ScriptedAnswer = { status: 429, errorType: 'ThrottlingException' };
const failed: ScriptedAnswer = { status: 500, errorType: 'InternalServerException' };
const proxyPage = '<html><head><title>404 Not Found</title></head><body>nginx</body></html>';

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

function statuses(identifier = 'task0'): unknown[] {
  return stage.api.callsFor(identifier).map((call) => call.status);
}

function kinds(): (string | undefined)[] {
  return stage.events.flatMap((event) => (event.type === 'attempt' ? [event.failure?.kind] : []));
}

function gateStates(): string[] {
  return stage.events.flatMap((event) => (event.type === 'gate' ? [event.change.to] : []));
}

describe('an answer of 204', () => {
  test('acknowledges the message after one call', async () => {
    stage = await setStage();
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(statuses()).toEqual([204]);
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' }, attempts: 1 }]);
    expect(stage.left()).toEqual(empty);
    expect(await stage.deadLetters()).toEqual([]);
  });
});

describe('throttling', () => {
  test.each<[string, ScriptedAnswer[]]>([
    ['429s without Retry-After', times(30, throttled)],
    ['a 400 named ThrottlingException', times(30, { status: 400, errorType: 'ThrottlingException' })],
  ])('by %s is retried far beyond MAX_ATTEMPTS and MAX_DELIVERIES, then applied', async (_what, answers) => {
    stage = await setStage({ env: { MAX_ATTEMPTS: '2', MAX_DELIVERIES: '1', RETRY_MAX_MS: '10' } });
    stage.api.script('task0', answers);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(statuses()).toEqual([...answers.map((answer) => (answer as { status: number }).status), 204]);
    expect(new Set(kinds())).toEqual(new Set(['throttled', undefined]));
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' }, attempts: 31 }]);
    expect(stage.left()).toEqual(empty);
  });

  test('waits at least for Retry-After, even when the backoff is shorter', async () => {
    stage = await setStage();
    stage.api.script('task0', [{ ...throttled, headers: { 'retry-after': '1' } }]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    const [first, second] = stage.api.callsFor('task0');
    // A lower bound: a slow machine only takes longer. A tenth is left for differences of clocks.
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(900);
  });

  test('never counts as a failed attempt: after four 500s and many 429s one attempt of five is left', async () => {
    stage = await setStage({ env: { MAX_ATTEMPTS: '5', MAX_DELIVERIES: '1', RETRY_MAX_MS: '10' } });
    const mixed = times(4, [throttled, throttled, throttled, failed]).flat();
    stage.api.script('task0', [...mixed, ...times(5, throttled)]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(statuses().filter((status) => status === 500)).toHaveLength(4);
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' }, attempts: 22 }]);
  });
});

describe('a retryable failure', () => {
  const passing: [string, ScriptedAnswer][] = [
    ['a 500', failed],
    ['an answer lost after the update took effect', 'apply-then-reset'],
    ['no answer within CALL_TIMEOUT_MS', 'hang'],
  ];

  test.each(passing)('%s: is retried and then applied', async (_what, answer) => {
    stage = await setStage({ endHungCalls: true, env: { MAX_ATTEMPTS: '3' } });
    stage.api.script('task0', [answer, answer]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(statuses()).toHaveLength(3);
    expect(kinds()).toEqual(['retryable', 'retryable', undefined]);
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' }, attempts: 3 }]);
    expect(stage.left()).toEqual(empty);
    expect(stage.api.stats().maxInFlightPerIdentifier).toBe(1);
  });

  test('defers the message when the attempts of a delivery are spent, for 0 to 5 s the first time', async () => {
    // The random number is 0.1: half a second of five, rounded up.
    stage = await setStage({ env: { MAX_ATTEMPTS: '3', MAX_DELIVERIES: '5' }, random: () => 0.1 });
    stage.api.script('task0', times(3, failed));
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.until(() => stage.settled('defer').length === 1);
    expect(stage.settled()).toMatchObject([
      { disposition: { action: 'defer', seconds: 1 }, attempts: 3, failure: { status: 500 } },
    ]);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 1 });
    await stage.ended(1);
    expect(statuses()).toEqual([500, 500, 500, 204]);
    expect(stage.settled('acknowledge')).toMatchObject([
      { subject: { message: { receiveCount: 2 } }, attempts: 1 },
    ]);
    expect(stage.left()).toEqual(empty);
    expect(await stage.deadLetters()).toEqual([]);
  });

  test('defers for 0 to 5 s with real randomness', async () => {
    stage = await setStage({ env: { MAX_ATTEMPTS: '1' } });
    stage.api.scriptAll(failed);
    await stage.sendUpdates(10);
    await stage.worker.start();
    await stage.until(() => stage.settled('defer').length >= 10);
    const firsts = stage
      .settled('defer')
      .filter(({ subject }) => subject.message.receiveCount === 1)
      .map(({ disposition }) => (disposition.action === 'defer' ? disposition.seconds : -1));
    expect(firsts).toHaveLength(10);
    for (const seconds of firsts) expect([0, 1, 2, 3, 4, 5]).toContain(seconds);
    expect(new Set(firsts).size).toBeGreaterThan(1);
  });

  test('is dead-lettered only when the receive count reaches MAX_DELIVERIES', async () => {
    stage = await setStage({ env: { MAX_ATTEMPTS: '2', MAX_DELIVERIES: '3' }, random: () => 0 });
    stage.api.scriptAll(failed);
    await stage.send({ Identifier: 'task0', Description: 'x', JobId: 'job-1', RequestId: 'row-1' });
    await stage.worker.start();
    await stage.ended(1);
    expect(statuses()).toEqual(times(6, 500));
    expect(stage.settled().map(({ disposition }) => disposition.action)).toEqual([
      'defer',
      'defer',
      'dead-letter',
    ]);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      {
        reason: 'RetriesExhausted',
        error: {
          name: 'InternalServerException',
          status: 500,
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
        attempts: 2,
        receiveCount: 3,
        jobId: 'job-1',
        requestId: 'row-1',
      },
    ]);
    expect(stage.left()).toEqual(empty);
  });
});

describe('a connection that is never made', () => {
  test('refused: closes the gate for one message, dead-letters nothing, and ends when the API listens', async () => {
    stage = await setStage({ env: { MAX_ATTEMPTS: '1', MAX_DELIVERIES: '1' } });
    const { port } = stage.api;
    await stage.api.close();
    await stage.sendUpdates(3);
    await stage.worker.start();
    await stage.until(() => kinds().length >= 8);
    expect(new Set(kinds())).toEqual(new Set(['unreachable']));
    expect(stage.worker.snapshot()).toMatchObject({
      gate: 'unreachable',
      gateReason: { message: expect.stringContaining('ECONNREFUSED') },
    });
    expect(stage.settled('dead-letter')).toEqual([]);
    const again = await startSimulatedApi({ port, record: true });
    try {
      await stage.ended(3);
      expect(again.stats().applied).toBe(3);
      expect(stage.worker.snapshot().gate).toBe('open');
      expect(stage.left()).toEqual(empty);
    } finally {
      await again.close();
    }
  });
});

describe('a conflict', () => {
  test('of twenty tasks and more is retried and ends RetriesExhausted, and stops no other', async () => {
    // Longer than a busy machine takes to answer.
    const env = { MAX_ATTEMPTS: '2', MAX_DELIVERIES: '2', CALL_TIMEOUT_MS: '10000' };
    stage = await setStage({ env, random: () => 0 });
    const busy = Array.from({ length: 25 }, (_, i) => `busy${i}`);
    for (const task of busy)
      stage.api.script(task, times(4, { status: 409, errorType: 'ConflictException' }));
    await stage.sendUpdates(25, 'busy');
    await stage.sendUpdates(50);
    await stage.worker.start();
    await stage.ended(75);
    expect(stage.settled('acknowledge')).toHaveLength(50);
    for (const task of busy) expect(statuses(task)).toEqual([409, 409, 409, 409]);
    const letters = (await stage.deadLetters()).map(recordOf);
    expect(letters).toHaveLength(25);
    expect(letters[0]).toMatchObject({ reason: 'RetriesExhausted', error: { name: 'ConflictException' } });
    expect(gateStates()).toEqual([]);
  });
});

describe('a rejection of the request', () => {
  test.each<[number, string]>([
    [400, 'ValidationException'],
    [404, 'ResourceNotFoundException'],
  ])('by a %i %s dead-letters it as Rejected after one call', async (status, errorType) => {
    stage = await setStage({ env: { MAX_DELIVERIES: '5' } });
    stage.api.script('task0', times(3, { status, errorType, body: { message: 'no' } }));
    const body = '{"Identifier":"task0","Description":"x","JobId":"job-1","RequestId":"row-1"}';
    await stage.send(body);
    await stage.worker.start();
    await stage.ended(1);
    expect(statuses()).toEqual([status]);
    const letters = await stage.deadLetters();
    expect(letters.map((letter) => letter.body)).toEqual([body]);
    expect(letters.map(recordOf)).toEqual([
      {
        reason: 'Rejected',
        error: {
          name: errorType,
          status,
          message: 'no',
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
        attempts: 1,
        receiveCount: 1,
        sentAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        deadLetteredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        sourceMessageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        sourceQueueUrl: stage.config.queueUrl,
        jobId: 'job-1',
        requestId: 'row-1',
        redriveCount: 0,
      },
    ]);
    expect(stage.left()).toEqual(empty);
  });

  test('after other failures counts all calls', async () => {
    stage = await setStage();
    stage.api.script('task0', [throttled, failed, { status: 404, errorType: 'ResourceNotFoundException' }]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([{ reason: 'Rejected', attempts: 3 }]);
  });
});

describe('an answer that is not the API’s', () => {
  const foreign: [string, ScriptedAnswer][] = [
    ['an HTML 404', { status: 404, body: proxyPage }],
    ['a 200 with a page', { status: 200, body: '<html>log in to the Wi-Fi</html>' }],
  ];

  test.each(foreign)('%s: is neither rejection nor success, and is retried', async (_what, answer) => {
    stage = await setStage({ env: { MAX_ATTEMPTS: '3', MAX_DELIVERIES: '1' } });
    stage.api.script('task0', [answer, answer]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(statuses()).toHaveLength(3);
    expect(kinds()).toEqual(['unidentified', 'unidentified', undefined]);
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' }, attempts: 3 }]);
    expect(stage.worker.snapshot().gate).toBe('open');
  });

  test.each(foreign)(
    '%s: pauses when deliveries are spent and nobody succeeds, dead-letters nothing, and resumes by itself',
    async (_what, answer) => {
      stage = await setStage({ env: { MAX_ATTEMPTS: '2', MAX_DELIVERIES: '1' }, random: () => 0 });
      stage.api.scriptAll(answer);
      await stage.sendUpdates(3);
      await stage.worker.start();
      await stage.until(() => stage.worker.snapshot().gate === 'misconfigured');
      const calls = stage.api.stats().calls;
      await stage.api.waitFor(() => stage.api.stats().calls >= calls + 2);
      expect(stage.settled('dead-letter')).toEqual([]);
      expect(stage.settled('acknowledge')).toEqual([]);
      stage.api.scriptAll(null);
      await stage.ended(3);
      expect(stage.settled('acknowledge')).toHaveLength(3);
      expect(stage.api.stats().applied).toBe(3);
      expect(stage.worker.snapshot().gate).toBe('open');
      expect(stage.left()).toEqual(empty);
    },
  );

  test.each<[string, ScriptedAnswer]>([
    ['an HTML 403', { status: 403, body: proxyPage }],
    ['JSON of its own on a 400', { status: 400, body: { code: 'invalid_request' } }],
  ])(
    '%s for one message ends RetriesExhausted among others that succeed, without a pause',
    async (_what, answer) => {
      stage = await setStage({ env: { MAX_ATTEMPTS: '2', MAX_DELIVERIES: '3' }, random: () => 0 });
      stage.api.script('blocked0', times(6, answer));
      await stage.sendUpdates(1, 'blocked');
      await stage.worker.start();
      await stage.until(() => stage.settled('defer').length === 1);
      await stage.sendUpdates(30);
      await stage.ended(31);
      expect(statuses('blocked0')).toHaveLength(6);
      expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
        { reason: 'RetriesExhausted', attempts: 2, receiveCount: 3 },
      ]);
      expect(gateStates()).toEqual([]);
    },
  );

  test('of many tasks makes a run, which pauses calls', async () => {
    stage = await setStage({ env: { FAILURE_RUN_LIMIT: '5', MAX_ATTEMPTS: '100' }, random: () => 0 });
    stage.api.scriptAll({ status: 403, body: proxyPage });
    await stage.sendUpdates(5);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === 'misconfigured');
    stage.api.scriptAll(null);
    await stage.ended(5);
    expect(stage.settled('acknowledge')).toHaveLength(5);
  });
});
