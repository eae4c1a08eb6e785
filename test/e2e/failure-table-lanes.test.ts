/** Standard queues: calls for one Identifier never overlap, however they end. */
import { afterEach, expect, test } from 'vitest';
import type { ScriptedAnswer } from '../../src/sandbox/simulated-api/index.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const empty = { ready: 0, inFlight: 0 };
/** All decided on at the same time: none is newer than another. */
const IssuedAt = '2026-11-23T07:00:00Z';
const updates = (Identifier: string, count: number): object[] =>
  Array.from({ length: count }, (_, i) => ({ Identifier, Description: `${i}`, IssuedAt }));
const descriptions = (identifier: string): (string | undefined)[] =>
  stage.api.callsFor(identifier).map((call) => call.input.Description);

test('messages of one Identifier run one after the other, in order of arrival', async () => {
  stage = await setStage({ api: { latency: { minMs: 5, maxMs: 30 } } });
  await stage.send(...updates('same', 6));
  await stage.worker.start();
  await stage.ended(6);
  expect(descriptions('same')).toEqual(Array.from({ length: 6 }, (_, i) => `${i}`));
  expect(stage.api.stats()).toMatchObject({ maxInFlightPerIdentifier: 1, maxInFlight: 1 });
  expect(stage.api.task('same')?.Description).toBe('5');
  expect(stage.left()).toEqual(empty);
});

test('messages of different Identifiers run in parallel, never two of one', async () => {
  stage = await setStage({ api: { latency: { minMs: 20, maxMs: 60 } } });
  const ids = Array.from({ length: 20 }, (_, i) => `task${i}`);
  const all = Array.from({ length: 5 }, (_, i) =>
    ids.map((id) => ({ Identifier: id, Description: `${i}`, IssuedAt })),
  );
  await stage.send(...all.flat());
  await stage.worker.start();
  await stage.ended(100);
  const { maxInFlight, maxInFlightPerIdentifier } = stage.api.stats();
  expect(maxInFlightPerIdentifier).toBe(1);
  expect(maxInFlight).toBeGreaterThan(1);
  for (const id of ids) expect(descriptions(id)).toEqual(Array.from({ length: 5 }, (_, i) => `${i}`));
});

test.each<[string, ScriptedAnswer]>([
  ['fails', { status: 500, errorType: 'InternalServerException' }],
  ['is throttled', { status: 429, errorType: 'ThrottlingException' }],
  ['times out', 'hang'],
  ['is cut off', 'reset'],
  ['meets a proxy', { status: 404, body: '<html>404</html>' }],
])(
  'a message waits until the one before it has ended, also when that %s and is retried',
  async (_what, answer) => {
    stage = await setStage({ endHungCalls: true, api: { latency: { minMs: 1, maxMs: 10 } } });
    stage.api.script('same', [answer, answer]);
    await stage.send(...updates('same', 3));
    await stage.worker.start();
    await stage.ended(3);
    expect(descriptions('same')).toEqual(['0', '0', '0', '1', '2']);
    expect(stage.api.stats().maxInFlightPerIdentifier).toBe(1);
  },
);

test('a message whose predecessor is dead-lettered or deferred still gets its turn', async () => {
  stage = await setStage({ env: { MAX_ATTEMPTS: '1' }, random: () => 0.1 });
  stage.api.script('rejected', [{ status: 400, errorType: 'ValidationException' }]);
  stage.api.script('failed', [{ status: 500, errorType: 'InternalServerException' }]);
  await stage.send(...updates('rejected', 2), ...updates('failed', 2));
  await stage.worker.start();
  await stage.ended(4);
  expect(descriptions('rejected')).toEqual(['0', '1']);
  expect([...descriptions('failed')].sort()).toEqual(['0', '0', '1']);
  expect(stage.settled('acknowledge')).toHaveLength(3);
  expect(stage.settled('dead-letter')).toHaveLength(1);
  expect(stage.left()).toEqual(empty);
});

test('two deliveries of one message are never in flight at once: a duplicate waits for the first', async () => {
  stage = await setStage({ holdAnswers: true });
  stage.api.script('same', [{ status: 204, delayMs: 1 }]);
  await stage.send(...updates('same', 1));
  await stage.worker.start();
  await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
  // It is made visible during the call: SQS delivers it a second time.
  const [held] = stage.sqs.inspectQueue('updates')?.messages.inflight ?? [];
  await stage.source.changeVisibility([{ receiptHandle: held?.receiptHandle ?? '', seconds: 0 }]);
  await expect.poll(() => stage.worker.snapshot().held).toBe(2);
  stage.letAnswer();
  await stage.api.waitFor(() => stage.api.callsFor('same').length === 2);
  expect(stage.api.stats().maxInFlightPerIdentifier).toBe(1);
  await stage.ended(2);
  expect(stage.left()).toEqual(empty);
});
