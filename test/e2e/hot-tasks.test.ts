/** One task with many updates, and many tasks that sleep, take no room from the others. */
import { afterEach, expect, test } from 'vitest';
import type { ScriptedAnswer } from '../../src/sandbox/simulated-api/index.ts';
import { fastTimings, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

/** Decided on at the same time, so that none supersedes another; or a second apart, the last one last. */
const hot = (count: number, apartMs = 0): object[] =>
  Array.from({ length: count }, (_, i) => ({
    Identifier: 'hot',
    Description: `${i}`,
    IssuedAt: new Date(Date.parse('2026-11-23T07:00:00Z') + i * apartMs).toISOString(),
  }));
const descriptions = (): (string | undefined)[] =>
  stage.api.callsFor('hot').map(({ input }) => input.Description);
/** All of them are held, so that the next one to be called for can be chosen. */
const allWait = async (count: number): Promise<void> => {
  await expect.poll(() => stage.worker.snapshot().held).toBe(count);
};
const appliedOthers = (): number =>
  stage.settled('acknowledge').filter(({ subject }) => subject.ids.identifier !== 'hot').length;

test.each<[string, ScriptedAnswer]>([
  ['sleeps', { status: 503, errorType: 'ServiceUnavailableException', headers: { 'Retry-After': '30' } }],
  ['is on trial', { status: 403, errorType: 'AccessDeniedException' }],
  ['is called', { status: 204, delayMs: 60_000 }],
])('others are called for while the first update of a task with many %s', async (_what, answer) => {
  stage = await setStage({
    env: { CALL_TIMEOUT_MS: '60000', SHUTDOWN_GRACE_SECONDS: '1' },
    timings: { ...fastTimings, trialMs: 60_000 },
  });
  stage.api.script(
    'hot',
    Array.from({ length: 10 }, () => answer),
  );
  // More than may be held at all.
  await stage.send(...hot(400));
  await stage.sendUpdates(30);
  await stage.worker.start();
  await stage.until(() => appliedOthers() === 30);
  // Those that have found no place are on their way back.
  await expect.poll(() => stage.worker.snapshot().held).toBeLessThan(100);
});

test('others are called for while more tasks sleep than may be held', async () => {
  stage = await setStage({ env: { FAILURE_RUN_LIMIT: '0', MAX_CONCURRENCY: '10', RATE_LIMIT: '400' } });
  const answer = { status: 503, errorType: 'ServiceUnavailableException', headers: { 'Retry-After': '30' } };
  for (const identifier of await stage.sendUpdates(300, 'asleep'))
    stage.api.script(identifier, [answer, answer]);
  await stage.sendUpdates(30);
  await stage.worker.start();
  await stage.until(() => stage.settled('acknowledge').length === 30);
  // They sleep here as far as there is room, and in the queue beyond that.
  expect(stage.worker.snapshot().held).toBeGreaterThan(50);
  expect(stage.settled('defer').length).toBeGreaterThan(0);
  expect(await stage.deadLetters()).toEqual([]);
});

test('the newest of those that wait is called for, and the older ones are superseded without a call', async () => {
  stage = await setStage({ holdAnswers: true });
  const [first, ...rest] = hot(6, 1_000);
  stage.api.script('hot', [{ status: 204, delayMs: 1 }]);
  await stage.send(first ?? {});
  await stage.worker.start();
  await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
  await stage.send(...rest);
  await allWait(6);
  stage.letAnswer();
  await stage.ended(6);
  expect(descriptions()).toEqual(['0', '5']);
  const outcomes = stage.settled().map(({ disposition }) => 'outcome' in disposition && disposition.outcome);
  expect(outcomes.sort()).toEqual(['applied', 'applied', ...Array(4).fill('superseded')]);
  expect(stage.api.task('hot')?.Description).toBe('5');
});

test('an older one is called for when the newer one is rejected: nothing is lost', async () => {
  stage = await setStage({ holdAnswers: true });
  const [first, ...rest] = hot(4, 1_000);
  stage.api.script('hot', [
    { status: 204, delayMs: 1 },
    { status: 400, errorType: 'ValidationException' },
  ]);
  await stage.send(first ?? {});
  await stage.worker.start();
  await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
  await stage.send(...rest);
  await allWait(4);
  stage.letAnswer();
  await stage.ended(4);
  expect(descriptions()).toEqual(['0', '3', '2']);
  expect(stage.settled('dead-letter')).toHaveLength(1);
  expect(stage.api.task('hot')?.Description).toBe('2');
});
