/** Holds: an API that names a time to one throttled call after the other is not called until then. */
import { afterEach, expect, test } from 'vitest';
import { shownConditions } from '../../src/observe/health.ts';
import type { HoldChange } from '../../src/ota/hold.ts';
import type { ScriptedAnswer } from '../../src/sandbox/simulated-api/index.ts';
import { type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
/** Calls begun by the worker. */
let begun: number;
/** What has become of the hold, and the calls begun by then. */
let changes: { readonly change: HoldChange; readonly begun: number; readonly arrived: number }[];

afterEach(() => stage.strike());

const throttle = (seconds: number): ScriptedAnswer => ({
  status: 429,
  errorType: 'ThrottlingException',
  headers: { 'retry-after': String(seconds) },
});

async function setUp(options: StageOptions): Promise<void> {
  begun = 0;
  changes = [];
  stage = await setStage({
    ...options,
    wrapApi: (api) => ({
      updateOtaTask: (...call) => {
        begun++;
        return api.updateOtaTask(...call);
      },
      destroy: () => api.destroy(),
    }),
    listeners: [
      (event) => {
        if (event.type !== 'hold') return;
        changes.push({ change: event.change, begun, arrived: stage.api.stats().calls });
      },
    ],
  });
}

test.each(['unlimited', '100'])(
  'no call begins during a hold, and all updates are applied after it, at RATE_LIMIT=%s',
  async (rate) => {
    await setUp({ env: { RATE_LIMIT: rate, MAX_CONCURRENCY: '10' } });
    stage.api.scriptAll(throttle(1));
    await stage.sendUpdates(60);
    await stage.worker.start();
    // An accepted call that was in flight would end it.
    await stage.until(() => changes.length > 0 && stage.worker.snapshot().inFlight === 0);
    stage.api.scriptAll(null);
    await stage.until(() => changes.length > 1);
    const [from, to] = changes;
    expect([from?.change.held, to?.change]).toMatchObject([true, { held: false, because: 'time' }]);
    expect(to?.begun).toBe(from?.begun);
    expect(to?.arrived).toBeLessThanOrEqual(from?.begun ?? 0);
    expect(stage.worker.snapshot().callsHeld).toBe(undefined);

    await stage.ended(60);
    expect(stage.settled('acknowledge')).toHaveLength(60);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
    expect(stage.api.stats().applied).toBe(60);
  },
);

test('a window that is spent is waited out, and no update is lost', async () => {
  await setUp({
    api: { limit: { kind: 'window', calls: 10, periodMs: 4_000 }, retryAfterSeconds: 1 },
    env: { RATE_LIMIT: '200', MAX_CONCURRENCY: '5' },
  });
  await stage.sendUpdates(30);
  await stage.worker.start();
  await stage.ended(30);
  expect(changes.filter(({ change }) => change.held).length).toBeGreaterThan(0);
  expect(stage.settled('acknowledge')).toHaveLength(30);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});

test('a single 429 that names a time holds its own message only', async () => {
  await setUp({ env: { MAX_CONCURRENCY: '10' } });
  stage.api.script('odd0', [throttle(1), 'apply']);
  await stage.sendUpdates(1, 'odd');
  await stage.worker.start();
  await stage.until(() => stage.events.some((event) => event.type === 'attempt'));
  expect(stage.worker.snapshot().callsHeld).toBe(undefined);
  await stage.sendUpdates(30);
  await stage.ended(31);
  expect(changes).toEqual([]);
  expect(stage.settled('acknowledge')).toHaveLength(31);
  expect(stage.api.callsFor('odd0').map(({ status }) => status)).toEqual([429, 204]);
});

test('a worker that is stopped during a hold releases its messages, and does not wait for the end of it', async () => {
  await setUp({ env: { MAX_CONCURRENCY: '10' } });
  stage.api.scriptAll(throttle(60));
  await stage.sendUpdates(30);
  await stage.worker.start();
  await stage.until(() => changes.length > 0);
  const now = stage.worker.snapshot();
  expect(shownConditions(now)).toMatchObject([{ condition: 'held-calls', effect: 'noted' }]);
  expect((now.callsHeld?.until ?? 0) - (now.callsHeld?.since ?? 0)).toBeGreaterThan(50_000);
  await stage.worker.stop();
  expect(changes).toHaveLength(1);
  expect(stage.left()).toEqual({ ready: 30, inFlight: 0 });
});
