/** A message is dead-lettered at 90% of the retention, in whatever state, before SQS deletes it. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ScriptedAnswer } from '../../src/sandbox/simulated-api/index.ts';
import { type Clock, systemClock } from '../../src/time/clock.ts';
import { QueueTime } from '../../src/time/queue-time.ts';
import { type SqsRule, startSqsProxy } from '../../testing/sqs/proxy.ts';
import {
  fastTimings,
  REGION,
  recordOf,
  type Stage,
  type StageOptions,
  setStage,
} from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const empty = { ready: 0, inFlight: 0 };
/** Of the shortest retention of SQS, 60 s. */
const EXPIRING_AT_MS = 54_000;
const throttledForLong: ScriptedAnswer = {
  status: 429,
  errorType: 'ThrottlingException',
  headers: { 'retry-after': '900' },
};

/** A message just sent is `aheadMs` old. */
let aheadMs = 0;
const later: Clock = { wall: () => Date.now() + aheadMs, monotonic: systemClock.monotonic };

async function setAgingStage(options: StageOptions = {}): Promise<void> {
  aheadMs = 0;
  stage = await setStage({
    queueTime: new QueueTime(later),
    queueAttributes: { MessageRetentionPeriod: '60' },
    ...options,
  });
}

const age = (): void => {
  aheadMs = EXPIRING_AT_MS + 1_000;
};

/** Messages named old were sent 55 s before the others. */
const sentLongAgo: SqsRule = async (request, forward) => {
  const answer = await forward();
  if (request.action !== 'ReceiveMessage' || request.queue !== 'updates') return answer;
  const messages = (answer.output.Messages ?? []) as {
    Body: string;
    Attributes: Record<string, string>;
  }[];
  for (const { Body, Attributes } of messages) {
    if (!Body.includes('"old')) continue;
    Attributes.SentTimestamp = String(Number(Attributes.SentTimestamp) - EXPIRING_AT_MS - 1_000);
  }
  return answer;
};

describe('on receipt', () => {
  test('an expiring message is dead-lettered without a call', async () => {
    await setAgingStage();
    age();
    await stage.send({ Identifier: 'task0', Description: 'x', JobId: 'job-1' });
    await stage.worker.start();
    await stage.ended(1);
    expect(stage.api.stats().calls).toBe(0);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'Expiring', error: { name: 'Expiring' }, attempts: 0, receiveCount: 1, jobId: 'job-1' },
    ]);
    expect(stage.left()).toEqual(empty);
  });

  test('a message just before that age is applied', async () => {
    await setAgingStage();
    aheadMs = EXPIRING_AT_MS - 10_000;
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(stage.settled('acknowledge')).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
  });
});

describe("with a clock of this machine's that is off", () => {
  const off = (ms: number): Clock => ({ ...systemClock, wall: () => Date.now() + ms });

  test('by 3.7 days ahead: a queue is applied, and nothing of it is taken for expiring', async () => {
    stage = await setStage({ clock: off(3.7 * 86_400_000), outcomes: true });
    await stage.sendUpdates(30);
    await stage.worker.start();
    await stage.ended(30);
    expect(stage.settled('acknowledge')).toHaveLength(30);
    // Records and metrics do not follow it either.
    expect(Math.max(...stage.settled().map(({ dwellMs }) => dwellMs))).toBeLessThan(60_000);
    for (const { At } of await stage.outcomes())
      expect(Math.abs(Date.parse(At) - Date.now())).toBeLessThan(60_000);
  });

  test('by a day behind: what expires while calls are paused is dead-lettered all the same', async () => {
    const proxy = await startSqsProxy();
    try {
      stage = await setStage({
        clock: off(-86_400_000),
        queueAttributes: { MessageRetentionPeriod: '60' },
        api: { expiredCredentials: true },
        sqs: { endpoint: proxy.url },
        random: () => 0,
      });
      proxy.upstream = stage.sqsUrl;
      proxy.rule = sentLongAgo;
      await stage.sendUpdates(15, 'young');
      await stage.sendUpdates(5, 'old');
      await stage.worker.start();
      await stage.ended(5);
      expect((await stage.deadLetters()).map((letter) => recordOf(letter).reason)).toEqual(
        Array.from({ length: 5 }, () => 'Expiring'),
      );
    } finally {
      await stage.worker.stop();
      await proxy.close();
    }
  });
});

describe('while held', () => {
  test('a message that backs off is dead-lettered with its last failure', async () => {
    await setAgingStage();
    stage.api.script('task0', [throttledForLong]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.until(() => stage.events.some((event) => event.type === 'attempt'));
    age();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'Expiring', error: { name: 'ThrottlingException', status: 429 }, attempts: 1 },
    ]);
    expect(stage.api.callsFor('task0')).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
  });

  test('a message behind another of its Identifier is dead-lettered without a call', async () => {
    await setAgingStage();
    stage.api.script('same', [throttledForLong]);
    await stage.send(
      { Identifier: 'same', Description: 'first' },
      { Identifier: 'same', Description: 'second' },
    );
    await stage.worker.start();
    await expect.poll(() => stage.worker.snapshot().held).toBe(2);
    await stage.api.waitFor(() => stage.api.stats().calls === 1);
    age();
    await stage.ended(2);
    const records = (await stage.deadLetters()).map(recordOf);
    expect(records.map(({ reason }) => reason)).toEqual(['Expiring', 'Expiring']);
    expect(records.map(({ attempts }) => attempts).sort()).toEqual([0, 1]);
    expect(stage.api.stats().calls).toBe(1);
    expect(stage.left()).toEqual(empty);
  });

  test('a message that waits for a permit is dead-lettered without a call', async () => {
    await setAgingStage({ env: { RATE_LIMIT: '0.2' } });
    await stage.sendUpdates(2);
    await stage.worker.start();
    await stage.ended(1);
    await expect.poll(() => stage.worker.snapshot().held).toBe(1);
    age();
    await stage.ended(2);
    expect(stage.settled('acknowledge')).toHaveLength(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([{ reason: 'Expiring', attempts: 0 }]);
    expect(stage.api.stats().calls).toBe(1);
  });

  test('a message on trial is Expiring, not Rejected', async () => {
    await setAgingStage({ api: { denied: 'all' }, timings: { ...fastTimings, trialMs: 60_000 } });
    await stage.sendUpdates(1);
    await stage.worker.start();
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(1);
    age();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'Expiring', error: { name: 'AccessDeniedException', status: 403 }, attempts: 1 },
    ]);
  });

  test('a call in flight is not aborted: when it succeeds, the message is applied', async () => {
    await setAgingStage({ holdAnswers: true });
    stage.api.script('task0', [{ status: 204, delayMs: 1 }]);
    stage.api.script('task1', [throttledForLong]);
    await stage.sendUpdates(2);
    await stage.worker.start();
    await stage.api.waitFor(() => stage.api.stats().calls === 2);
    age();
    // The other message shows that the worker checked ages while the call was in flight.
    await stage.ended(1);
    stage.letAnswer();
    await stage.ended(2);
    expect(stage.settled().map(({ disposition }) => disposition.action)).toEqual([
      'dead-letter',
      'acknowledge',
    ]);
    expect(stage.api.callsFor('task0')).toHaveLength(1);
  });

  test('a call in flight that fails is not retried', async () => {
    await setAgingStage({
      env: { MAX_ATTEMPTS: '100', RETRY_BASE_MS: '1000', RETRY_MAX_MS: '1000' },
      holdAnswers: true,
    });
    stage.api.scriptAll({ status: 500, errorType: 'InternalServerException', delayMs: 1 });
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.api.waitFor(() => stage.api.stats().calls === 1);
    age();
    stage.letAnswer();
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'Expiring', error: { name: 'InternalServerException', status: 500 } },
    ]);
    expect(stage.left()).toEqual(empty);
  });

  test('at a stop an expiring message is dead-lettered rather than released', async () => {
    await setAgingStage();
    stage.api.script('task0', [throttledForLong]);
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.until(() => stage.events.some((event) => event.type === 'attempt'));
    age();
    await stage.worker.stop();
    expect((await stage.deadLetters()).map((letter) => recordOf(letter).reason)).toEqual(['Expiring']);
    expect(stage.left()).toEqual(empty);
  });
});

describe('in the queue while calls are paused', () => {
  test.each<[string, StageOptions['api'], string]>([
    ['by expired credentials', { expiredCredentials: true }, 'misconfigured'],
    ['by an outage', { down: true }, 'outage'],
    ['by a revoked policy', { denied: 'all' }, 'denied'],
  ])('(%s) every expiring message is found and dead-lettered', async (_what, api, state) => {
    await setAgingStage({ ...(api && { api }), random: () => 0.1 });
    await stage.sendUpdates(80);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === state);
    await expect.poll(() => stage.worker.snapshot().inFlight).toBe(0);
    age();
    await stage.ended(80);
    const letters = await stage.deadLetters();
    expect(letters).toHaveLength(80);
    expect(new Set(letters.map((letter) => recordOf(letter).reason))).toEqual(new Set(['Expiring']));
    expect(new Set(letters.map(({ body }) => body)).size).toBe(80);
    expect(stage.left()).toEqual(empty);
    expect(stage.worker.snapshot().gate).toBe(state);
  });

  test('also while the outcome queue is unreachable; the outcomes follow when it is back', async () => {
    await setAgingStage({ outcomes: true, random: () => 0.1 });
    await stage.worker.start();
    stage.sqs.deleteQueue('outcomes', { region: REGION });
    await stage.sendUpdates(1, 'first');
    await stage.until(() => stage.hasCondition('publishing'));
    await stage.sendUpdates(80);
    age();
    // An open poll may receive ten of them while they are young.
    const letters = new Set<string>();
    const look = async () => {
      for (const { body } of await stage.deadLetters()) letters.add(body);
      return letters.size;
    };
    await expect.poll(look).toBeGreaterThanOrEqual(70);
    expect(stage.settled()).toHaveLength(0);
    stage.sqs.createQueue('outcomes', { region: REGION });
    await stage.ended(81);
    await look();
    expect(stage.settled('dead-letter')).toHaveLength(letters.size);
    expect(stage.settled('acknowledge')).toHaveLength(81 - letters.size);
    expect(stage.left()).toEqual(empty);
  });

  test('other messages stay visible in the queue', async () => {
    await setAgingStage({ api: { expiredCredentials: true }, random: () => 0 });
    await stage.sendUpdates(60);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === 'misconfigured');
    const attempts = (): number => stage.events.filter((event) => event.type === 'attempt').length;
    const before = attempts();
    // Long enough for a few sweeps.
    await stage.until(() => attempts() >= before + 5);
    expect(stage.settled('dead-letter')).toHaveLength(0);
    await expect.poll(() => stage.left().ready + stage.worker.snapshot().held).toBe(60);
    await expect.poll(() => stage.worker.snapshot().held).toBeLessThanOrEqual(30);
  });

  test('an expiring message stays there while the dead-letter queue is unreachable and the slots are taken', async () => {
    const proxy = await startSqsProxy();
    try {
      await setAgingStage({
        api: { expiredCredentials: true },
        sqs: { endpoint: proxy.url },
        env: { SHUTDOWN_GRACE_SECONDS: '1' },
      });
      proxy.upstream = stage.sqsUrl;
      await stage.sendUpdates(3, 'first');
      await stage.worker.start();
      await stage.until(() => stage.worker.snapshot().gate === 'misconfigured');
      stage.sqs.deleteQueue('dead', { region: REGION });
      await stage.send('not JSON');
      await stage.until(() => stage.hasCondition('dead-lettering'));
      await stage.sendUpdates(200);
      age();
      // So many retries take longer than two sweeps.
      const tried = proxy.count('SendMessageBatch', 'dead');
      await proxy.waitFor(() => proxy.count('SendMessageBatch', 'dead') >= tried + 20);
      expect(stage.worker.snapshot().held).toBeLessThanOrEqual(60);
      stage.sqs.createQueue('dead', { region: REGION });
      await stage.ended(204);
      expect(new Set((await stage.deadLetters()).map(({ body }) => body)).size).toBe(204);
      expect(stage.left()).toEqual(empty);
    } finally {
      await proxy.close();
    }
  });

  test('an expiring message is found behind many others', async () => {
    const proxy = await startSqsProxy();
    try {
      await setAgingStage({
        api: { expiredCredentials: true },
        sqs: { endpoint: proxy.url },
        random: () => 0,
      });
      proxy.upstream = stage.sqsUrl;
      proxy.rule = sentLongAgo;
      await stage.sendUpdates(45, 'young');
      await stage.sendUpdates(5, 'old');
      await stage.worker.start();
      await stage.ended(5);
      const letters = await stage.deadLetters();
      expect(letters.map((letter) => recordOf(letter).reason)).toEqual(
        Array.from({ length: 5 }, () => 'Expiring'),
      );
      for (const { body } of letters) expect(body).toContain('"old');
      await expect.poll(() => stage.left().ready + stage.worker.snapshot().held).toBe(45);
    } finally {
      await stage.worker.stop();
      await proxy.close();
    }
  });
});
