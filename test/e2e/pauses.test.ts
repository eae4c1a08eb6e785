/** Pauses for causes outside the messages: an outage, a revoked policy; and the single 403. */
import { afterEach, describe, expect, test } from 'vitest';
import { readiness } from '../../src/observe/health.ts';
import type { ScriptedAnswer } from '../../src/sandbox/simulated-api/index.ts';
import { seeded } from '../../testing/random.ts';
import { fastTimings, recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

const empty = { ready: 0, inFlight: 0 };

function gateStates(): string[] {
  return stage.events.flatMap((event) => (event.type === 'gate' ? [event.change.to] : []));
}

/** Identifiers of the calls made, in order of arrival. */
function recordCalls(): string[] {
  const calls: string[] = [];
  stage.api.onCall((call) => calls.push(call.identifier));
  return calls;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** Waits until `predicate` holds; says how many calls the worker had begun then. */
async function begunUntil(predicate: () => boolean): Promise<number> {
  let begun = 0;
  await stage.until(() => {
    const ended = stage.events.filter((event) => event.type === 'attempt').length;
    begun = ended + stage.worker.snapshot().inFlight;
    return predicate();
  });
  return begun;
}

describe('an outage', () => {
  test.each<[string, ScriptedAnswer]>([
    ['500s', { status: 500, errorType: 'InternalServerException' }],
    ['hangs', 'hang'],
  ])('of %s takes few calls and dead-letters nothing, even with MAX_DELIVERIES=1', async (_what, answer) => {
    stage = await setStage({ env: { MAX_DELIVERIES: '1' }, endHungCalls: true, random: () => 0 });
    stage.api.scriptAll(answer);
    const calls = recordCalls();
    await stage.sendUpdates(100);
    await stage.worker.start();
    const begun = await begunUntil(() => stage.worker.snapshot().gate === 'outage');
    // Those of a run, and as many in flight as may be.
    expect(begun).toBeLessThan(100);
    // One for a probe.
    await expect.poll(() => stage.worker.snapshot().inFlight).toBeLessThanOrEqual(1);
    const before = calls.length;
    expect(readiness(stage.worker.snapshot()).ok).toBe(false);
    await stage.api.waitFor(() => calls.length >= before + 6);
    const probes = calls.slice(before, before + 6);
    expect(new Set(probes).size, 'probes go to different Identifiers').toBe(6);
    // Ten may be received while ten others are being released.
    await expect.poll(() => stage.worker.snapshot().held).toBeLessThanOrEqual(30);
    expect(stage.settled('dead-letter')).toHaveLength(0);
    stage.api.scriptAll(null);
    await stage.ended(100);
    expect(stage.settled('acknowledge')).toHaveLength(100);
    expect(stage.left()).toEqual(empty);
    expect(readiness(stage.worker.snapshot())).toEqual({ ok: true, reasons: [] });
  });

  test('is handled with a finite rate and one call at a time, too', async () => {
    const env = { RATE_LIMIT: '200', MAX_CONCURRENCY: '1', MAX_DELIVERIES: '1' };
    stage = await setStage({ env, random: () => 0 });
    stage.api.configure({ down: true });
    await stage.sendUpdates(60);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === 'outage');
    const { calls } = stage.api.stats();
    expect(calls).toBeLessThan(60);
    await stage.api.waitFor(() => stage.api.stats().calls >= calls + 3);
    expect(stage.settled('dead-letter')).toHaveLength(0);
    stage.api.configure({ down: false });
    await stage.ended(60);
    expect(stage.settled('acknowledge')).toHaveLength(60);
    expect(stage.left()).toEqual(empty);
  });

  test('never has two probes in flight at once', async () => {
    stage = await setStage({ env: { FAILURE_RUN_LIMIT: '5' }, random: () => 0 });
    stage.api.scriptAll('reset');
    await stage.sendUpdates(40);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === 'outage');
    await expect.poll(() => stage.worker.snapshot().inFlight).toBe(0);
    // Each probe takes longer than the time between two.
    stage.api.scriptAll({ status: 500, errorType: 'InternalServerException', delayMs: 500 });
    let most = 0;
    let probes = 0;
    stage.api.onCall(() => {
      probes++;
      most = Math.max(most, stage.api.stats().inFlight);
    });
    await stage.api.waitFor(() => probes >= 4);
    expect(most).toBe(1);
    expect(gateStates()).toEqual(['outage']);
  });

  test('ends at any answer of the API to a request, and that message is rejected', async () => {
    stage = await setStage({ random: () => 0 });
    stage.api.scriptAll('reset');
    await stage.sendUpdates(30);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === 'outage');
    stage.api.scriptAll({ status: 404, errorType: 'ResourceNotFoundException' });
    await stage.until(() => stage.worker.snapshot().gate === 'open');
    stage.api.scriptAll(null);
    await stage.ended(30);
    const letters = (await stage.deadLetters()).map(recordOf);
    expect(letters.length).toBeGreaterThan(0);
    expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['Rejected']));
    expect(stage.left()).toEqual(empty);
  });

  test('does not count the attempts that failed before it was detected', async () => {
    stage = await setStage({
      env: { MAX_ATTEMPTS: '5', MAX_DELIVERIES: '1', FAILURE_RUN_LIMIT: '4' },
      timings: {
        ...fastTimings,
        probes: { ...fastTimings.probes, outage: { firstMs: 30, factor: 1, maxMs: 30 } },
      },
      random: () => 0,
    });
    const failed = { status: 500, errorType: 'InternalServerException' } as const;
    // An outage begins and ends during the backoff after the fourth failure; then the fifth must not exhaust the attempts.
    const askingToWait = { ...failed, headers: { 'retry-after': '1' } };
    stage.api.script('first0', [failed, failed, failed, askingToWait, failed]);
    await stage.sendUpdates(1, 'first');
    await stage.worker.start();
    await stage.api.waitFor(() => stage.api.callsFor('first0').length === 4);
    stage.api.scriptAll(failed);
    await stage.sendUpdates(6);
    await stage.until(() => stage.worker.snapshot().gate === 'outage');
    stage.api.scriptAll(null);
    await stage.ended(7);
    expect(stage.settled('acknowledge')).toHaveLength(7);
    expect(stage.api.callsFor('first0').map(({ status }) => status)).toEqual([500, 500, 500, 500, 500, 204]);
    expect(await stage.deadLetters()).toEqual([]);
  });

  test('is not detected when only one Identifier fails', async () => {
    stage = await setStage({
      env: { FAILURE_RUN_LIMIT: '3', MAX_ATTEMPTS: '5', MAX_DELIVERIES: '4' },
      random: () => 0,
    });
    stage.api.script(
      'bad0',
      Array.from({ length: 20 }, () => ({ status: 500, errorType: 'InternalServerException' })),
    );
    await stage.sendUpdates(1, 'bad');
    await stage.worker.start();
    await stage.ended(1);
    expect(stage.api.callsFor('bad0')).toHaveLength(20);
    expect(gateStates()).toEqual([]);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'RetriesExhausted', receiveCount: 4, attempts: 5 },
    ]);
    await stage.sendUpdates(5);
    await stage.ended(6);
    expect(gateStates()).toEqual([]);
  });

  test('is not detected when successes come between', async () => {
    stage = await setStage({
      env: { FAILURE_RUN_LIMIT: '3', MAX_ATTEMPTS: '1', MAX_DELIVERIES: '1', MAX_CONCURRENCY: '1' },
    });
    for (let i = 0; i < 30; i++) {
      if (i % 3 !== 0) stage.api.script(`task${i}`, [{ status: 500, errorType: 'InternalServerException' }]);
    }
    await stage.sendUpdates(30);
    await stage.worker.start();
    await stage.ended(30);
    expect(gateStates()).toEqual([]);
    expect(stage.settled('acknowledge')).toHaveLength(10);
    expect(stage.settled('dead-letter')).toHaveLength(20);
  });

  test('is not detected with FAILURE_RUN_LIMIT=0', async () => {
    stage = await setStage({ env: { FAILURE_RUN_LIMIT: '0', MAX_ATTEMPTS: '2', MAX_DELIVERIES: '1' } });
    stage.api.scriptAll({ status: 500, errorType: 'InternalServerException' });
    await stage.sendUpdates(40);
    await stage.worker.start();
    await stage.ended(40);
    expect(gateStates()).toEqual([]);
    expect(new Set((await stage.deadLetters()).map((letter) => recordOf(letter).reason))).toEqual(
      new Set(['RetriesExhausted']),
    );
  });
});

describe('a revoked policy', () => {
  test('(403s for 200 messages) dead-letters nothing, and work resumes without a restart', async () => {
    stage = await setStage({
      env: { MAX_DELIVERIES: '1' },
      timings: { ...fastTimings, trialMs: 60_000 },
      random: () => 0,
    });
    stage.api.scriptAll({ status: 403, errorType: 'AccessDeniedException' });
    const calls = recordCalls();
    await stage.sendUpdates(200);
    await stage.worker.start();
    const begun = await begunUntil(() => gateStates().length > 0 || stage.settled('dead-letter').length > 0);
    expect(begun).toBeLessThan(100);
    expect(stage.settled('dead-letter')).toHaveLength(0);
    expect(gateStates()).toEqual(['denied']);
    await expect.poll(() => stage.worker.snapshot().inFlight).toBe(0);
    const before = calls.length;
    expect(readiness(stage.worker.snapshot()).reasons.join()).toContain('denies every call');
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(0);
    await stage.api.waitFor(() => calls.length >= before + 4);
    expect(new Set(calls.slice(before, before + 4)).size, 'probes go to different Identifiers').toBe(4);
    expect(stage.settled('dead-letter')).toHaveLength(0);
    stage.api.scriptAll(null);
    await stage.ended(200);
    expect(stage.settled('acknowledge')).toHaveLength(200);
    expect(await stage.deadLetters()).toEqual([]);
    expect(stage.left()).toEqual(empty);
    expect(stage.worker.snapshot().gate).toBe('open');
  });

  test('releases messages on trial to other workers', async () => {
    stage = await setStage({ api: { denied: 'all' }, timings: { ...fastTimings, trialMs: 60_000 } });
    await stage.sendUpdates(20);
    await stage.worker.start();
    await stage.until(() => stage.settled('release').length >= 20);
    const firsts = stage.settled().filter(({ subject }) => subject.message.receiveCount === 1);
    expect(firsts).toHaveLength(20);
    for (const { disposition, failure } of firsts) {
      expect(disposition).toEqual({ action: 'release' });
      expect(failure?.kind).toBe('denied');
    }
  });

  test('makes the worker hold few messages from its detection on', async () => {
    const seldom = { firstMs: 60_000, factor: 1, maxMs: 60_000 };
    stage = await setStage({
      api: { denied: 'all', latency: { minMs: 20, maxMs: 20 } },
      timings: { ...fastTimings, trialMs: 60_000, probes: { ...fastTimings.probes, denied: seldom } },
    });
    await stage.sendUpdates(300);
    await stage.worker.start();
    await stage.until(() => stage.worker.snapshot().gate === 'denied');
    await expect.poll(() => stage.worker.snapshot().inFlight).toBe(0);
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(0);
    // Messages of polls that were open at the detection are released: no call can be made for them.
    await expect
      .poll(() => stage.worker.snapshot().held, { message: 'messages in hand' })
      .toBeLessThanOrEqual(30);
    expect(stage.settled('dead-letter')).toHaveLength(0);
  });

  test('is distinguished from single denials: 30 denied of 300 are dead-lettered, the others applied', async () => {
    const denied = Array.from({ length: 30 }, (_, i) => `denied${i}`);
    const granted = Array.from({ length: 270 }, (_, i) => `granted${i}`);
    stage = await setStage({
      api: { denied: { prefix: 'denied' }, latency: { minMs: 0, maxMs: 5 } },
      // No call times out, so that each Identifier is called once.
      endHungCalls: true,
    });
    const order = shuffled([...denied, ...granted], seeded(7));
    await stage.send(...order.map((Identifier) => ({ Identifier, Description: 'x' })));
    await stage.worker.start();
    await stage.ended(300);
    expect(gateStates()).toEqual([]);
    const letters = await stage.deadLetters();
    expect(letters.map((letter) => JSON.parse(letter.body).Identifier).sort()).toEqual([...denied].sort());
    for (const letter of letters) {
      expect(recordOf(letter)).toMatchObject({
        reason: 'Rejected',
        error: { name: 'AccessDeniedException', status: 403 },
        attempts: 1,
      });
    }
    for (const identifier of granted) expect(stage.api.callsFor(identifier)).toHaveLength(1);
    for (const identifier of denied) expect(stage.api.callsFor(identifier)).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
  });
});

describe('a single 403', () => {
  const longTrial = { ...fastTimings, trialMs: 60_000 };

  test('is dead-lettered once a later call for another Identifier succeeds, and not before', async () => {
    stage = await setStage({ api: { denied: ['denied0'] }, timings: longTrial, holdAnswers: true });
    // This call begins before the 403 and succeeds after it, which proves nothing about the policy.
    stage.api.script('early0', [{ status: 204, delayMs: 1 }]);
    await stage.sendUpdates(1, 'early');
    await stage.worker.start();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    await stage.sendUpdates(1, 'denied');
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(1);
    expect(stage.settled()).toHaveLength(0);
    stage.letAnswer();
    await stage.until(() => stage.settled('acknowledge').length === 1);
    expect(stage.worker.snapshot().onTrial).toBe(1);
    expect(stage.settled('dead-letter')).toHaveLength(0);
    await stage.sendUpdates(1, 'later');
    await stage.ended(3);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([
      { reason: 'Rejected', error: { name: 'AccessDeniedException', status: 403 }, attempts: 1 },
    ]);
    expect(stage.api.callsFor('denied0')).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
  });

  test('is dead-lettered after the trial period without other traffic', async () => {
    stage = await setStage({ api: { denied: ['denied0'] } });
    await stage.sendUpdates(1, 'denied');
    await stage.worker.start();
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(1);
    expect(stage.settled()).toHaveLength(0);
    await stage.ended(1);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([{ reason: 'Rejected', attempts: 1 }]);
    expect(stage.left()).toEqual(empty);
  });

  test('holds back the next message of its Identifier, whose success would prove nothing', async () => {
    stage = await setStage({ timings: longTrial });
    stage.api.script('same', [{ status: 403, errorType: 'AccessDeniedException' }]);
    await stage.send(
      { Identifier: 'same', Description: 'first' },
      { Identifier: 'same', Description: 'second' },
    );
    await stage.worker.start();
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(1);
    await stage.sendUpdates(1, 'other');
    await stage.ended(3);
    expect((await stage.deadLetters()).map((letter) => JSON.parse(letter.body).Description)).toEqual([
      'first',
    ]);
    expect(stage.api.task('same')?.Description).toBe('second');
  });

  test('is released at a stop', async () => {
    stage = await setStage({ api: { denied: ['denied0'] }, timings: longTrial });
    await stage.sendUpdates(1, 'denied');
    await stage.worker.start();
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(1);
    await stage.worker.stop();
    // At least once: an open poll may receive it again.
    expect(new Set(stage.settled().map(({ disposition }) => disposition.action))).toEqual(
      new Set(['release']),
    );
    expect(stage.left()).toEqual({ ready: 1, inFlight: 0 });
    expect(await stage.deadLetters()).toEqual([]);
  });

  test('among rejections is put on trial, too: a 404 of another Identifier is not a success', async () => {
    stage = await setStage({
      api: { denied: ['denied0'], tasks: { kind: 'all', exceptPrefix: 'unknown' } },
      timings: longTrial,
    });
    await stage.sendUpdates(1, 'denied');
    await stage.worker.start();
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(1);
    await stage.sendUpdates(1, 'unknown');
    await stage.ended(1);
    expect(stage.worker.snapshot().onTrial).toBe(1);
    expect((await stage.deadLetters()).map((letter) => JSON.parse(letter.body).Identifier)).toEqual([
      'unknown0',
    ]);
  });
});
