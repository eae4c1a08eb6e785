/** How long a stop takes, by what a worker is doing: whole workers in virtual time. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Environment } from '../../src/config.ts';
import type { CallAnswer, OtaApi } from '../../src/ota/client.ts';
import { drainTimes } from '../../src/worker/drain.ts';
import type { QueueRequest, Treatment } from '../../testing/sqs/memory-queue.ts';
import { makeVirtualWorker, type VirtualWorker } from '../../testing/stages/virtual-worker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE_MS = 60_000;

/** Milliseconds that a stop takes, and where the messages are at its end, before any lease runs out. */
async function stop({ worker, source }: VirtualWorker) {
  const begun = performance.now();
  let end = { ms: Number.POSITIVE_INFINITY, left: source.left };
  void worker.stop().then(() => {
    end = { ms: performance.now() - begun, left: source.left };
  });
  await vi.advanceTimersByTimeAsync(15 * MINUTE_MS);
  return end;
}

const apply: OtaApi['updateOtaTask'] = async () => ({ ok: true, requestId: 'r-1' });
const hang: OtaApi['updateOtaTask'] = (_update, signal) =>
  new Promise((resolve) => {
    const end = (): void => resolve({ ok: false, error: { name: 'AbortError', message: 'aborted' } });
    signal.addEventListener('abort', end, { once: true });
  });
const failing = (error: Extract<CallAnswer, { ok: false }>['error']): OtaApi['updateOtaTask'] => {
  return async () => ({ ok: false, error });
};

const updates = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ Identifier: `task${i}`, Description: 'x' }));

/** A worker that has run for so long on a queue of these messages. */
async function running(
  call: OtaApi['updateOtaTask'],
  bodies: readonly string[],
  env: Environment,
  ms: number,
) {
  const made = makeVirtualWorker({ call, env });
  for (const body of bodies) made.source.put(body);
  await made.worker.start();
  await vi.advanceTimersByTimeAsync(ms);
  return made;
}

describe('an idle worker', () => {
  /** Beyond what a poll may be bringing: it ends polls, and waits for nothing. */
  const AT_ONCE_MS = 300;

  test.each([
    ['in a long poll', 0, 30_000],
    ['in its first poll', 0, 5],
    ['right after a backlog', 200, 2_000],
  ])('is stopped within 300 ms: %s', async (_, count, ms) => {
    const made = await running(apply, updates(count), { RATE_LIMIT: '1000' }, ms);
    expect(made.source.left).toEqual({ ready: 0, inFlight: 0 });
    expect(made.source.polls).toBeGreaterThan(0);
    expect((await stop(made)).ms).toBeLessThan(AT_ONCE_MS);
    expect(made.source.polls).toBe(0);
  });
});

describe('a worker whose messages wait', () => {
  const longGrace = { SHUTDOWN_GRACE_SECONDS: '600', RATE_LIMIT: '1000' };
  const denied = { name: 'AccessDeniedException', message: 'no', status: 403, requestId: 'r-1' };
  const unavailable = { name: 'ServiceUnavailable', message: 'no', status: 503 };

  test.each<[string, OtaApi['updateOtaTask'], Environment]>([
    [
      'as Retry-After asked',
      failing({ name: 'ThrottlingException', message: 'no', status: 429, retryAfter: '900' }),
      {},
    ],
    [
      'in backoff',
      failing(unavailable),
      { RETRY_BASE_MS: '60000', RETRY_MAX_MS: '60000', FAILURE_RUN_LIMIT: '0' },
    ],
    ['while the gate is closed', failing(unavailable), { FAILURE_RUN_LIMIT: '3' }],
    ['while a lone 403 is on trial', failing(denied), { FAILURE_RUN_LIMIT: '0' }],
    ['for a permit', apply, { RATE_LIMIT: '0.01' }],
  ])('is stopped within a second, and releases all: %s', async (_, call, env) => {
    const made = await running(call, updates(10), { ...longGrace, ...env }, 1_000);
    const { ready, inFlight } = made.source.left;
    const { ms, left } = await stop(made);
    expect(ms).toBeLessThan(1_000);
    expect(left).toEqual({ ready: ready + inFlight, inFlight: 0 });
    expect(made.dead.sent).toEqual([]);
  });

  test('for a dead-letter queue that refuses their letters: it is stopped within a second, and releases all', async () => {
    const made = makeVirtualWorker({ call: apply, env: longGrace });
    made.dead.treatments.send = 'fail';
    for (const body of ['not json', 'not json either']) made.source.put(body);
    await made.worker.start();
    await vi.advanceTimersByTimeAsync(10_000);
    const { ms, left } = await stop(made);
    expect(ms).toBeLessThan(1_000);
    expect(left).toEqual({ ready: 2, inFlight: 0 });
  });
});

describe('a worker that cannot finish', () => {
  const graceMs = 2_000;
  const env = { SHUTDOWN_GRACE_SECONDS: '2', RATE_LIMIT: '1000', CALL_TIMEOUT_MS: '60000' };
  const { cutMs, endMs } = drainTimes(graceMs);

  test('aborts its calls in time to release their messages within the grace', async () => {
    const made = await running(hang, updates(10), env, 1_000);
    expect(made.source.left).toEqual({ ready: 0, inFlight: 10 });
    const { ms, left } = await stop(made);
    expect(ms).toBeGreaterThanOrEqual(cutMs);
    expect(ms).toBeLessThan(endMs);
    expect(left).toEqual({ ready: 10, inFlight: 0 });
  });

  test.each<[QueueRequest, Treatment]>([
    ['receive', 'fail'],
    ['receive', 'hang'],
    ['delete', 'fail'],
    ['delete', 'hang'],
    ['changeVisibility', 'fail'],
    ['changeVisibility', 'hang'],
    ['attributes', 'fail'],
    ['attributes', 'hang'],
  ])('is stopped within the grace: %s requests %s', async (request, treatment) => {
    const made = makeVirtualWorker({ call: apply, env });
    made.source.treatments[request] = treatment;
    for (const body of updates(5)) made.source.put(body);
    void made.worker.start();
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await stop(made)).ms).toBeLessThanOrEqual(endMs);
  });

  test.each<Treatment>(['fail', 'hang'])(
    'releases messages within the grace whose letters the dead-letter queue does not take: they %s',
    async (treatment) => {
      const made = makeVirtualWorker({ call: apply, env });
      made.dead.treatments.send = treatment;
      for (const body of ['not json', 'not json either']) made.source.put(body);
      await made.worker.start();
      await vi.advanceTimersByTimeAsync(1_000);
      const { ms, left } = await stop(made);
      expect(ms).toBeLessThanOrEqual(endMs);
      expect(left).toEqual({ ready: 2, inFlight: 0 });
      expect(made.dead.sent).toEqual([]);
    },
  );
});
