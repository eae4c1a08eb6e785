/** A message whose lease is lost is dropped and not settled: another delivery has it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../../src/config.ts';
import {
  type SqsAnswer,
  type SqsProxy,
  type SqsRequest,
  type SqsRule,
  sqsError,
  startSqsProxy,
} from '../../testing/sqs/proxy.ts';
import {
  fastTimings,
  REGION,
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

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout?: number;
}
const entriesOf = (request: SqsRequest): Entry[] => request.input.Entries as Entry[];

/** Refuses every entry, as SQS does for a message that is no longer in flight. */
function notInFlight(request: SqsRequest): SqsAnswer {
  const Failed = entriesOf(request).map(({ Id }) => ({
    Id,
    SenderFault: true,
    Code: 'ReceiptHandleIsInvalid',
    Message: 'The input receipt handle is invalid.',
  }));
  return { status: 200, output: { Successful: [], Failed } };
}

/** The same, and SQS shows the messages to others at once: somebody else has ended their leases. */
async function endedElsewhere(request: SqsRequest): Promise<SqsAnswer> {
  await stage.source.changeVisibility(
    entriesOf(request).map(({ ReceiptHandle }) => ({ receiptHandle: ReceiptHandle, seconds: 0 })),
  );
  return notInFlight(request);
}

/** A rule for lease extensions; other requests pass. */
function toExtensions(rule: SqsRule): SqsRule {
  return (request, forward) =>
    request.action === 'ChangeMessageVisibilityBatch' &&
    entriesOf(request).every(({ VisibilityTimeout }) => VisibilityTimeout)
      ? rule(request, forward)
      : forward();
}

async function start(env: Environment = {}, options: StageOptions = {}): Promise<void> {
  stage = await setStage({
    sqs: { endpoint: proxy.url },
    ...options,
    env,
  });
  proxy.upstream = stage.sqsUrl;
  await stage.worker.start();
}

/** An answer that is held, until the test lets it go. */
const long = { status: 204, delayMs: 1 };

/** One that a test can wait for to run out. */
const shortLease = { VISIBILITY_TIMEOUT_SECONDS: '2' };

/** The error of a request to SQS that has no answer in its time. */
const LATE = 'TimeoutError';

/** The names of the errors of settlements and extensions. */
const reported = () =>
  stage.events.flatMap((event) =>
    event.type === 'settle-failed' && event.error instanceof Error ? [event.error.name] : [],
  );

const lost = () => stage.events.flatMap((event) => (event.type === 'lease-lost' ? [event] : []));
const deleted = (): string[] =>
  proxy.requests
    .filter(({ action }) => action === 'DeleteMessageBatch')
    .flatMap((request) => entriesOf(request).map(({ ReceiptHandle }) => ReceiptHandle));

describe('a lease that can be kept', () => {
  /** A worker with one message, whose call is answered once SQS has extended its lease so many times. */
  async function startLongCall(extensions: number, rule: SqsRule = (_request, forward) => forward()) {
    await start(watchedLease, { holdAnswers: true });
    stage.api.script('task0', [long]);
    let extended = 0;
    proxy.rule = toExtensions(async (request, forward) => {
      const answer = await rule(request, forward);
      if (typeof answer === 'object' && answer.status === 200 && ++extended === extensions) stage.letAnswer();
      return answer;
    });
    await stage.sendUpdates(1);
  }

  test('is extended for as long as the call takes, and the message is delivered once', async () => {
    await startLongCall(3);
    await stage.ended(1);
    expect(stage.api.callsFor('task0')).toHaveLength(1);
    expect(stage.settled()).toMatchObject([{ subject: { message: { receiveCount: 1 } } }]);
    expect(lost()).toHaveLength(0);
    expect(stage.left()).toEqual(empty);
  });

  test('survives a failed extension while there is time to retry', async () => {
    let failures = 0;
    await startLongCall(2, (_request, forward) =>
      failures++ < 1 ? sqsError(500, 'InternalFailure', 'oops') : forward(),
    );
    await stage.ended(1);
    expect(failures).toBeGreaterThan(1);
    expect(stage.api.callsFor('task0')).toHaveLength(1);
    expect(lost()).toHaveLength(0);
    // A busy machine answers further ones too late.
    expect(reported().filter((name) => name !== LATE)).toEqual(['InternalFailure']);
  });

  test('survives an unanswered extension while there is time to retry', async () => {
    let asked = 0;
    await startLongCall(2, (_request, forward) => (asked++ < 1 ? 'hang' : forward()));
    await stage.ended(1);
    expect(asked).toBeGreaterThan(1);
    expect(reported()).toContain(LATE);
    expect(stage.api.callsFor('task0')).toHaveLength(1);
    expect(lost()).toHaveLength(0);
  });
});

describe('a lease that is lost', () => {
  test.each<[string, SqsRule]>([
    ['SQS says that the message is not in flight', notInFlight],
    ['extensions fail until it has run out', () => sqsError(500, 'InternalFailure', 'oops')],
    ['extensions are not answered', () => 'hang'],
  ])('during a call (%s) leaves the settlement to the next delivery', async (_what, rule) => {
    await start(shortLease);
    proxy.rule = toExtensions((request, forward) =>
      lost().length === 0 ? rule(request, forward) : forward(),
    );
    stage.api.script('task0', [{ status: 204, delayMs: 3_000 }]);
    await stage.sendUpdates(1);
    await stage.until(() => lost().length === 1);
    const [first] = lost();
    expect(first?.subject).toMatchObject({ message: { receiveCount: 1 }, ids: { identifier: 'task0' } });
    await stage.ended(1);
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' } }]);
    const [settled] = stage.settled();
    expect(settled?.subject.message.receiveCount).toBeGreaterThan(1);
    expect(deleted()).not.toContain(first?.subject.message.receiptHandle);
    expect(stage.api.stats().maxInFlightPerIdentifier).toBe(1);
    expect(stage.left()).toEqual(empty);
    expect(stage.worker.snapshot().held).toBe(0);
  });

  test('to another client that has settled the message causes no second delete or dead letter', async () => {
    await start(watchedLease, { holdAnswers: true });
    stage.api.script('task0', [{ ...long, status: 404, errorType: 'ResourceNotFoundException' }]);
    await stage.sendUpdates(1);
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    const [held] = stage.sqs.inspectQueue('updates')?.messages.inflight ?? [];
    await stage.source.delete([held?.receiptHandle ?? '']);
    await stage.until(() => lost().length === 1);
    stage.letAnswer();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 0);
    await expect.poll(() => stage.worker.snapshot().inFlight).toBe(0);
    expect(stage.settled()).toHaveLength(0);
    expect(deleted()).toHaveLength(0);
    expect(proxy.count('SendMessageBatch', 'dead')).toBe(0);
    expect(stage.worker.snapshot()).toMatchObject({ held: 0, settling: 0 });
  });

  test('during backoff ends the calls of that delivery', async () => {
    await start(watchedLease);
    proxy.rule = toExtensions((request, forward) =>
      lost().length === 0 ? endedElsewhere(request) : forward(),
    );
    stage.api.script('task0', [
      { status: 429, errorType: 'ThrottlingException', headers: { 'retry-after': '600' } },
    ]);
    await stage.sendUpdates(1);
    await stage.ended(1);
    expect(lost()).toHaveLength(1);
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' }, attempts: 1 }]);
    expect(stage.settled()[0]?.subject.message.receiveCount).toBe(2);
    expect(stage.api.callsFor('task0').map(({ status }) => status)).toEqual([429, 204]);
  });

  test('while waiting behind another of its Identifier leaves the one call to the next delivery', async () => {
    await start(watchedLease, { holdAnswers: true });
    stage.api.script('same', [long]);
    await stage.send(
      { Identifier: 'same', Description: 'first' },
      { Identifier: 'same', Description: 'second' },
    );
    await expect.poll(() => stage.worker.snapshot().held).toBe(2);
    const second = stage.sqs
      .inspectQueue('updates')
      ?.messages.inflight.find(({ message }) => message.body.includes('second'));
    proxy.rule = toExtensions(async (request, forward) => {
      const receiptHandle = second?.receiptHandle ?? '';
      if (!entriesOf(request).some(({ ReceiptHandle }) => ReceiptHandle === receiptHandle)) return forward();
      await stage.source.changeVisibility([{ receiptHandle, seconds: 0 }]);
      const others = entriesOf(request).filter(
        ({ ReceiptHandle }) => ReceiptHandle !== second?.receiptHandle,
      );
      const answer =
        others.length === 0
          ? { status: 200, output: {} }
          : await forward({ ...request.input, Entries: others });
      const Failed = entriesOf(request)
        .filter(({ ReceiptHandle }) => ReceiptHandle === second?.receiptHandle)
        .map(({ Id }) => ({ Id, SenderFault: true, Code: 'ReceiptHandleIsInvalid', Message: 'gone' }));
      return { ...answer, output: { ...answer.output, Failed } };
    });
    await stage.until(() => lost().length === 1);
    stage.letAnswer();
    await stage.ended(2);
    expect(lost()).toMatchObject([{ subject: { message: { receiptHandle: second?.receiptHandle } } }]);
    expect(stage.api.callsFor('same').map(({ input }) => input.Description)).toEqual(['first', 'second']);
    expect(stage.left()).toEqual(empty);
  });

  test('while on trial leaves the dead letter to the next delivery', async () => {
    await start(watchedLease, { api: { denied: ['denied0'] }, timings: { ...fastTimings, trialMs: 60_000 } });
    proxy.rule = toExtensions((request, forward) =>
      lost().length === 0 ? endedElsewhere(request) : forward(),
    );
    stage.api.configure({ denied: 'none' });
    stage.api.script('denied0', [{ status: 403, errorType: 'AccessDeniedException' }]);
    await stage.sendUpdates(1, 'denied');
    await stage.ended(1);
    expect(lost()).toHaveLength(1);
    expect(stage.settled()).toMatchObject([{ disposition: { action: 'acknowledge' } }]);
    expect(await stage.deadLetters()).toEqual([]);
    expect(stage.worker.snapshot().onTrial).toBe(0);
  });

  test('while its dead letter cannot be sent withdraws the letter; the next delivery writes its own', async () => {
    await start(watchedLease);
    stage.sqs.deleteQueue('dead', { region: REGION });
    await stage.send('not JSON');
    await stage.until(() => stage.hasCondition('dead-lettering'));
    proxy.rule = toExtensions((request, forward) =>
      lost().length === 0 ? endedElsewhere(request) : forward(),
    );
    await stage.until(() => lost().length === 1);
    expect(stage.worker.snapshot().settling).toBe(0);
    stage.sqs.createQueue('dead', { region: REGION });
    await stage.ended(1);
    const letters = await stage.deadLetters();
    // The withdrawn letter may have been sent already: then there are two.
    expect(new Set(letters.map(({ body }) => body))).toEqual(new Set(['not JSON']));
    const records = letters.map(({ attributes }) => attributes.DeadLetter?.stringValue ?? '');
    expect(records.filter((record) => record.includes('"receiveCount":2'))).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
  });

  test('at the delete, by the answer of SQS, counts as lost, not as applied', async () => {
    await start();
    let refusals = 0;
    proxy.rule = (request, forward) =>
      request.action === 'DeleteMessageBatch' && refusals++ === 0 ? endedElsewhere(request) : forward();
    await stage.sendUpdates(1);
    await stage.ended(1);
    expect(lost()).toHaveLength(1);
    expect(stage.settled()).toMatchObject([{ subject: { message: { receiveCount: 2 } } }]);
    expect(stage.api.callsFor('task0')).toHaveLength(2);
    expect(stage.left()).toEqual(empty);
  });
});

describe('a settlement that SQS does not carry out', () => {
  test.each<[string, SqsRule]>([
    ['the request fails', () => sqsError(500, 'InternalFailure', 'oops')],
    ['the connection breaks', () => 'reset'],
    [
      'the entry fails on the side of SQS',
      (request) => ({
        status: 200,
        output: {
          Successful: [],
          Failed: entriesOf(request).map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' })),
        },
      }),
    ],
  ])('is retried under lease until it is carried out (%s), without a second call', async (_what, rule) => {
    await start();
    let tries = 0;
    proxy.rule = (request, forward) =>
      request.action === 'DeleteMessageBatch' && tries++ < 4 ? rule(request, forward) : forward();
    await stage.sendUpdates(3);
    await stage.ended(3);
    expect(tries).toBeGreaterThan(4);
    expect(stage.settled('acknowledge')).toHaveLength(3);
    expect(stage.api.stats().calls).toBe(3);
    expect(lost()).toHaveLength(0);
    expect(stage.left()).toEqual(empty);
  });

  test('whose confirmation is lost is repeated, and the message counts once', async () => {
    await start();
    let answers = 0;
    proxy.rule = async (request, forward) => {
      const answer = await forward();
      return request.action === 'DeleteMessageBatch' && answers++ === 0 ? 'reset' : answer;
    };
    await stage.sendUpdates(1);
    await stage.ended(1);
    expect(stage.settled()).toHaveLength(1);
    expect(stage.api.callsFor('task0')).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
  });
});
