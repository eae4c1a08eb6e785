import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Ending } from '../../src/message/disposition.ts';
import type { Failure } from '../../src/message/failure.ts';
import { parseBody } from '../../src/message/parse.ts';
import type { Update } from '../../src/message/update.ts';
import type { Attempt } from '../../src/ota/call.ts';
import { type CallAnswer, createOtaApi, type OtaApi } from '../../src/ota/client.ts';
import { Gate, type ProbeSchedules } from '../../src/ota/gate.ts';
import { Hold } from '../../src/ota/hold.ts';
import { ClaimWaits } from '../../src/ota/newest/claim-waits.ts';
import { LocalNewest, type Newest } from '../../src/ota/newest/newest.ts';
import { RedisNewest } from '../../src/ota/newest/newest-redis.ts';
import { Permits } from '../../src/ota/permits.ts';
import { LocalRateLimiter } from '../../src/ota/rate/limiter.ts';
import { type ScriptedAnswer, startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { callUntilEnded } from '../../src/worker/deliver.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import type { CallStages } from '../../src/worker/stages.ts';
import { Trials } from '../../src/worker/trials.ts';
import { redisInstalled, startRedis } from '../../testing/redis/server.ts';
import { limitsOfHungCalls } from '../../testing/stages/hung-calls.ts';

const update = { Identifier: 'a1', Description: 'new' };
const down: Failure = { kind: 'retryable', name: 'InternalServerException', message: 'down', status: 500 };
const internal: ScriptedAnswer = { status: 500, errorType: 'InternalServerException' };
const throttle: ScriptedAnswer = { status: 429, errorType: 'ThrottlingException' };
const probeAtOnce: ProbeSchedules = {
  outage: { firstMs: 0, factor: 1, maxMs: 0 },
  denied: { firstMs: 0, factor: 1, maxMs: 0 },
  untried: { firstMs: 0, factor: 1, maxMs: 0 },
  misconfigured: { firstMs: 0, factor: 1, maxMs: 0 },
  unreachable: { firstMs: 0, factor: 1, maxMs: 0 },
};

/** A delivery that notes how long each wait is to be, and does not wait; or waits until it is interrupted. */
class NotedDelivery extends Delivery {
  readonly asked: number[] = [];
  readonly #hold: boolean;
  readonly #asleep = Promise.withResolvers<void>();
  /** Resolves when a wait has begun. */
  readonly asleep = this.#asleep.promise;
  /** Runs instead of a wait. */
  onSleep: (() => Promise<void>) | undefined;

  constructor({ decidedAt = 1_000, hold = false, cut }: NotedDeliveryOptions = {}) {
    const body = JSON.stringify(update);
    const message = { messageId: 'm', receiptHandle: 'r', body, attributes: {}, receiveCount: 1 };
    super({ ...message, sentAt: decidedAt }, parseBody(body, decidedAt), cut);
    this.#hold = hold;
  }

  override async sleep(ms: number): Promise<void> {
    this.asked.push(ms);
    const slept = this.onSleep?.() ?? super.sleep(this.#hold ? 3_600_000 : 0);
    this.#asleep.resolve();
    await slept;
  }
}

interface NotedDeliveryOptions {
  /** Epoch milliseconds. */
  readonly decidedAt?: number;
  readonly hold?: boolean;
  readonly cut?: AbortController;
}

interface Setting {
  readonly script?: readonly ScriptedAnswer[];
  readonly api?: OtaApi;
  readonly newest?: Newest;
  readonly claimWaitMs?: number;
  /** The clock by which waits for claims count. */
  readonly claimNow?: () => number;
  readonly maxAttempts?: number;
  readonly maxConcurrency?: number;
  readonly runLimit?: number;
  readonly schedules?: ProbeSchedules;
  /** Calls time out when the API lets them hang, and only then. */
  readonly endHungCalls?: boolean;
  /** Runs when a call begins. */
  readonly onCall?: () => void;
  readonly holds?: (delivery: Delivery) => boolean;
}

/** Calls of deliveries against a simulated API over HTTP. */
async function setUp(setting: Setting = {}) {
  const server = await startSimulatedApi({ record: true });
  onTestFinished(() => server.close());
  if (setting.script !== undefined) server.script('a1', setting.script);
  const api = createOtaApi({
    callTimeoutMs: 20_000,
    ...(setting.endHungCalls === true && { startTimer: limitsOfHungCalls(server) }),
    maxSockets: 10,
    client: {
      region: 'eu-west-1',
      endpoint: server.url,
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' },
    },
  });
  onTestFinished(() => api.destroy());
  const gate: Gate = new Gate({
    runLimit: setting.runLimit ?? 0,
    schedules: setting.schedules ?? probeAtOnce,
    now: () => performance.now(),
    onChange: () => permits.pump(),
  });
  const hold: Hold = new Hold({ now: () => performance.now(), onChange: () => permits.pump() });
  onTestFinished(() => hold.close());
  const permits: Permits = new Permits({
    limiter: new LocalRateLimiter(Number.POSITIVE_INFINITY),
    gate,
    hold,
    maxConcurrency: setting.maxConcurrency ?? 10,
    now: () => performance.now(),
  });
  onTestFinished(() => permits.close());
  const deadline = new AbortController();
  const attempts: Attempt[] = [];
  const stages: CallStages = {
    calls: {
      api: {
        updateOtaTask: (...call) => {
          setting.onCall?.();
          return (setting.api ?? api).updateOtaTask(...call);
        },
        destroy: () => {},
      },
      permits,
      newest: setting.newest ?? new LocalNewest(),
      claimWaits: new ClaimWaits({
        longestMs: setting.claimWaitMs ?? 60_000,
        most: 1,
        now: setting.claimNow ?? (() => performance.now()),
        onStuck: () => {},
      }),
      gate,
      hold,
      clock: { wall: () => Date.parse('2026-11-23T07:00:00Z'), monotonic: () => performance.now() },
      random: () => 0.5,
    },
    retry: { baseMs: 200, maxMs: 20_000, maxAttempts: setting.maxAttempts ?? 5 },
    rate: {
      rate: Number.POSITIVE_INFINITY,
      foundAt: undefined,
      held: () => {},
      setCeiling: () => {},
      observe: (attempt) => attempts.push(attempt as Attempt),
    },
    trials: new Trials(() => performance.now()),
    leases: { holdsForCall: setting.holds ?? (() => true) },
    prefetch: { releaseSurplus: () => {}, sleeps: () => {}, started: () => {} },
    receiver: { wake: () => {} },
    deadline: deadline.signal,
    emit: () => {},
  };
  const run = (wanted: Update, delivery: Delivery): Promise<Ending> =>
    callUntilEnded(wanted, delivery, stages);
  return { server, gate, permits, deadline, attempts, run };
}

const applied: Ending = { kind: 'applied', superseded: [] };

describe('an update that is applied', () => {
  test('takes one call and waits for nothing', async () => {
    const { run, attempts, permits, server } = await setUp();
    const work = new NotedDelivery();
    expect(await run(update, work)).toEqual(applied);
    expect(work).toMatchObject({ tally: { attempts: 1, counted: 0, throttledInARow: 0 } });
    expect(work.asked).toEqual([]);
    expect(attempts).toEqual([
      {
        startedAt: expect.any(Number),
        endedAt: expect.any(Number),
        requestId: expect.any(String),
      },
    ]);
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
    expect(server.task('a1')).toMatchObject({ Description: 'new' });
  });

  test('is never one that was answered with 200', async () => {
    const { run, gate, attempts } = await setUp({ script: [{ status: 200, body: {} }, 'apply'] });
    const work = new NotedDelivery();
    expect(await run(update, work)).toEqual(applied);
    expect(attempts.map(({ failure }) => failure?.kind)).toEqual(['unidentified', undefined]);
    expect(gate.closures).toBe(0);
  });
});

describe('throttling', () => {
  test('never ends a delivery, however long it lasts', async () => {
    const { run, attempts } = await setUp({ script: Array(30).fill(throttle), maxAttempts: 1 });
    const work = new NotedDelivery();
    expect(await run(update, work)).toEqual(applied);
    expect(work.tally).toMatchObject({ attempts: 31, counted: 0 });
    expect(attempts).toHaveLength(31);
    expect(work.asked.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(work.asked.at(-1)).toBe(10_000);
  });

  test('takes no attempt from those for other failures, nor gives any back', async () => {
    const script = [internal, throttle, throttle, internal, throttle, internal];
    const { run } = await setUp({ script, maxAttempts: 3 });
    const work = new NotedDelivery();
    expect(await run(update, work)).toMatchObject({ kind: 'failed', failure: { kind: 'retryable' } });
    expect(work.tally).toMatchObject({ attempts: 6, counted: 3 });
  });

  test('waits longer with each throttle in a row and begins anew after another answer', async () => {
    const { run } = await setUp({ script: [throttle, throttle, internal, throttle, throttle] });
    const work = new NotedDelivery();
    await run(update, work);
    expect(work.asked).toEqual([100, 200, 100, 100, 200]);
  });

  test.each([
    ['seconds', '7', 7_000],
    ["a date, by the answer's own clock", 'Mon, 23 Nov 2026 09:00:10 GMT', 10_000],
    ['an hour, cut to 15 minutes', '3600', 900_000],
    ['nothing, and so by backoff', '0', 100],
    ['what cannot be read, and so by backoff', 'soon', 100],
  ])('waits as Retry-After asks: %s', async (_, retryAfter, ms) => {
    // Two hours ahead of the worker's clock.
    const date = 'Mon, 23 Nov 2026 09:00:00 GMT';
    const { run } = await setUp({ script: [{ ...throttle, headers: { 'retry-after': retryAfter, date } }] });
    const work = new NotedDelivery();
    await run(update, work);
    expect(work.asked).toEqual([ms]);
  });

  test.each([
    ['between the backoff and 5 s more', '1500', 1_500],
    ['less than the backoff', '1', 100],
    ['more than 5 s beyond the backoff', '60000', 5_100],
    ['what cannot be read', '1.5s', 100],
  ])('waits as x-amz-retry-after asks, as the SDKs do: %s', async (_, wanted, ms) => {
    const headers = { 'x-amz-retry-after': wanted };
    const { run } = await setUp({ script: [{ ...throttle, headers }] });
    const work = new NotedDelivery();
    await run(update, work);
    expect(work.asked).toEqual([ms]);
  });
});

describe('failures that may pass', () => {
  test('end the delivery when its attempts are spent', async () => {
    const { run, server } = await setUp({ script: Array(9).fill(internal), maxAttempts: 4 });
    const work = new NotedDelivery();
    expect(await run(update, work)).toMatchObject({
      kind: 'failed',
      failure: { kind: 'retryable', name: 'InternalServerException', status: 500 },
    });
    expect(server.stats().calls).toBe(4);
    expect(work.asked).toEqual([100, 200, 400]);
  });

  test('are counted per delivery: the next one has all its attempts again', async () => {
    const { run, server } = await setUp({ script: Array(6).fill(internal), maxAttempts: 3 });
    await run(update, new NotedDelivery());
    await run(update, new NotedDelivery());
    expect(server.stats().calls).toBe(6);
  });

  test.each<[string, ScriptedAnswer]>([
    ['a reset connection', 'reset'],
    ['an HTML page', { status: 503, body: '<html>away</html>' }],
    ['408', { status: 408, errorType: 'RequestTimeoutException' }],
    ['409', { status: 409, errorType: 'ConflictException' }],
  ])('are tried again: %s', async (_, answer) => {
    const { run } = await setUp({ script: [answer] });
    expect(await run(update, new NotedDelivery())).toEqual(applied);
  });

  test('are tried again after a call without an answer', async () => {
    const { run, attempts } = await setUp({ script: ['hang'], endHungCalls: true });
    expect(await run(update, new NotedDelivery())).toEqual(applied);
    expect(attempts[0]?.failure).toMatchObject({ kind: 'retryable', name: 'TimeoutError' });
  });

  test('wait as Retry-After asks', async () => {
    const { run } = await setUp({ script: [{ ...internal, headers: { 'retry-after': '9' } }] });
    const work = new NotedDelivery();
    await run(update, work);
    expect(work.asked).toEqual([9_000]);
  });

  test.each<[string, ScriptedAnswer, string]>([
    ['400', { status: 400, errorType: 'ValidationException' }, 'rejected'],
    ['404', { status: 404, errorType: 'ResourceNotFoundException' }, 'rejected'],
    ['403', { status: 403, errorType: 'AccessDeniedException' }, 'denied'],
  ])('are not among them: %s ends it after one call', async (_, answer, kind) => {
    const { run, server } = await setUp({ script: [answer] });
    expect(await run(update, new NotedDelivery())).toMatchObject({ kind: 'failed', failure: { kind } });
    expect(server.stats().calls).toBe(1);
  });
});

describe('a closed gate', () => {
  test('lets an update be tried as a probe without end', async () => {
    const { run, gate } = await setUp({ script: Array(12).fill(internal), maxAttempts: 2 });
    gate.close('outage', down);
    expect(await run(update, new NotedDelivery())).toEqual(applied);
    expect(gate.state).toBe('open');
  });

  test('counts no probe against the message: after the outage it has all its attempts', async () => {
    let starts = 0;
    const { run, gate, server } = await setUp({
      script: Array(4).fill(internal),
      maxAttempts: 2,
      onCall: () => {
        // Another update goes through while the fourth call is in flight.
        if (++starts === 4) gate.observe('z9');
      },
    });
    gate.close('outage', down);
    expect(await run(update, new NotedDelivery())).toEqual(applied);
    expect(server.stats().calls).toBe(5);
  });

  test('takes back what was counted before it closed', async () => {
    const { run, gate } = await setUp({ script: Array(3).fill(internal), maxAttempts: 3 });
    const work = new NotedDelivery();
    const ending = run(update, work);
    await work.asleep;
    gate.close('outage', down);
    gate.observe('z9');
    expect(await ending).toEqual(applied);
  });

  test('is closed by our own credentials, but not by one message whose answers the API did not give', async () => {
    const page: ScriptedAnswer = { status: 404, body: '<html>no such site</html>' };
    const expired: ScriptedAnswer = { status: 403, errorType: 'ExpiredTokenException' };
    const first = await setUp({ script: [expired, expired, 'apply'] });
    const second = await setUp({ script: [page, page, page, 'apply'], maxAttempts: 2 });

    expect(await first.run(update, new NotedDelivery())).toEqual(applied);
    expect(await second.run(update, new NotedDelivery())).toMatchObject({
      kind: 'failed',
      failure: { kind: 'unidentified' },
    });

    expect(first.gate.closures).toBe(1);
    expect(second.gate.closures).toBe(0);
    expect(second.server.stats().calls).toBe(2);
  });

  test('makes a run of failures wait instead of failing messages', async () => {
    const { run, gate, server } = await setUp({ runLimit: 3, maxAttempts: 2, maxConcurrency: 1 });
    server.scriptAll(internal);
    const endings = ['b1', 'b2', 'b3', 'b4'].map((Identifier) =>
      run({ ...update, Identifier }, new NotedDelivery()),
    );
    await server.waitFor(() => gate.closed && server.stats().calls >= 12);
    server.scriptAll(null);
    expect(await Promise.all(endings)).toEqual(Array(4).fill(applied));
  });
});

describe('an interruption', () => {
  test('while waiting for a permit gives up without a call', async () => {
    const { run, permits, server } = await setUp({ maxConcurrency: 1 });
    const other = permits.request();
    const work = new NotedDelivery();
    const ending = run(update, work);
    work.interrupt('waiting', 9);
    expect(await ending).toEqual({ kind: 'given-up', deferSeconds: 9 });
    expect([permits.inFlight, permits.waiting]).toEqual([1, 0]);
    permits.release(other);
    expect(server.stats().calls).toBe(0);
  });

  test('before the start gives up without a call or a place in the line', async () => {
    const { run, permits, server } = await setUp();
    const work = new NotedDelivery();
    work.interrupt('waiting');
    expect(await run(update, work)).toEqual({ kind: 'given-up' });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
    expect(server.stats().calls).toBe(0);
  });

  test('between the grant of a permit and the call returns the permit to the next in line', async () => {
    const { run, permits, server } = await setUp();
    const returnUnused = vi.spyOn(permits, 'returnUnused');
    const work = new NotedDelivery();
    const ending = run(update, work);
    work.interrupt('waiting');
    expect(await ending).toEqual({ kind: 'given-up' });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
    expect(returnUnused).toHaveBeenCalledTimes(1);
    expect(server.stats().calls).toBe(0);
  });

  test('during a backoff gives up with the failure seen last', async () => {
    const { run, server } = await setUp({ script: [internal] });
    const work = new NotedDelivery({ hold: true });
    const ending = run(update, work);
    await work.asleep;
    work.interrupt('waiting');
    expect(await ending).toMatchObject({ kind: 'given-up', failure: { kind: 'retryable', status: 500 } });
    expect(server.stats().calls).toBe(1);
  });

  test('during a call lets the call end, and an applied update be applied', async () => {
    const { run, server } = await setUp({ script: [{ status: 204, delayMs: 50 }] });
    const work = new NotedDelivery();
    const ending = run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    expect(work.state).toBe('calling');
    work.interrupt('waiting');
    expect(await ending).toEqual(applied);
  });

  test.each<[string, ScriptedAnswer, object]>([
    [
      'a failure that may pass',
      { status: 500, errorType: 'InternalServerException', delayMs: 20 },
      { kind: 'given-up', deferSeconds: 3, failure: { status: 500 } },
    ],
    [
      'a rejection',
      { status: 400, errorType: 'ValidationException', delayMs: 20 },
      { kind: 'failed', failure: { kind: 'rejected' } },
    ],
  ])('during a call that ends in %s makes no other', async (_, answer, expected) => {
    const { run, server, permits } = await setUp({ script: [answer] });
    const work = new NotedDelivery();
    const ending = run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    work.interrupt('waiting', 3);
    expect(await ending).toMatchObject(expected);
    expect(server.stats().calls).toBe(1);
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });
});

describe('the end', () => {
  test('of the time to shut down aborts a call: given up, not counted, not observed', async () => {
    const { run, server, permits, gate, attempts, deadline } = await setUp({
      script: ['hang'],
      runLimit: 1,
    });
    const work = new NotedDelivery();
    const ending = run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    deadline.abort();
    expect(await ending).toEqual({ kind: 'given-up' });
    expect(work).toMatchObject({ tally: { counted: 0 } });
    expect(permits.inFlight).toBe(0);
    expect(gate.state).toBe('open');
    expect(attempts).toEqual([]);
  });

  test('of permits gives up what waits for one', async () => {
    const { run, permits } = await setUp({ maxConcurrency: 1 });
    permits.request();
    const ending = run(update, new NotedDelivery());
    permits.close();
    expect(await ending).toEqual({ kind: 'given-up' });
  });
});

describe('a bug in ota-updater', () => {
  test('that the API client reports ends it as internal after one call', async () => {
    const error = {
      name: 'TypeError',
      message: 'x is not a function',
      stack: 'TypeError: x is not a function\n at y',
    };
    const answer: CallAnswer = { ok: false, error };
    const updateOtaTask = vi.fn(async () => answer);
    const { run, permits } = await setUp({ api: { updateOtaTask, destroy: () => {} } });
    expect(await run(update, new NotedDelivery())).toEqual({
      kind: 'failed',
      failure: { kind: 'internal', ...error },
    });
    expect(updateOtaTask).toHaveBeenCalledTimes(1);
    expect(permits.inFlight).toBe(0);
  });

  test.each<[string, Partial<Setting>]>([
    [
      'in the call',
      { api: { updateOtaTask: () => Promise.reject(new TypeError('bug')), destroy: () => {} } },
    ],
    [
      'before the call',
      {
        holds: () => {
          throw new TypeError('bug');
        },
      },
    ],
    [
      'in the claim',
      {
        newest: {
          known: () => undefined,
          claim: () => Promise.reject(new TypeError('bug')),
          applied: () => undefined,
          release: () => {},
          close: () => {},
        },
      },
    ],
  ])('%s ends it as internal, and gives the permit back', async (_, setting) => {
    const { run, permits } = await setUp(setting);
    const work = new NotedDelivery();
    expect(await run(update, work)).toEqual({
      kind: 'failed',
      failure: {
        kind: 'internal',
        name: 'TypeError',
        message: 'bug',
        stack: expect.stringContaining('TypeError'),
      },
    });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });

  test('has a message of one line and at most 1,000 characters, as every failure has', async () => {
    const bug = new TypeError(`two\nlines ${'x'.repeat(2_000)}`);
    const { run } = await setUp({ api: { updateOtaTask: () => Promise.reject(bug), destroy: () => {} } });
    const ending = await run(update, new NotedDelivery());
    expect(ending).toMatchObject({ failure: { message: expect.stringMatching(/^two lines x{990}$/) } });
  });
});

describe('newest wins', () => {
  const full = { Identifier: 'a1', Description: 'new', TaskConfigurationId: 'cfg' };

  /** Another worker that holds the claim for the first `held` tries, and has applied meanwhile what `raise` says. */
  function claimed(held: number, raise: (local: LocalNewest) => void = () => {}) {
    const local = new LocalNewest();
    const tokens: string[] = [];
    let tries = 0;
    const newest: Newest = {
      known: (identifier) => local.known(identifier),
      claim: async (identifier, kept) => {
        if (++tries <= held) return 'held';
        raise(local);
        const token = kept?.token ?? `${tries}`;
        tokens.push(`+${token}`);
        return { identifier, token };
      },
      applied: async (identifier, fields, at, claim, unanswered) => {
        local.applied(identifier, fields, at);
        tokens.push(`applied ${claim?.token}${unanswered ? ', left' : ''}`);
      },
      release: ({ token }, unanswered) => tokens.push(`-${token}${unanswered ? ', left' : ''}`),
      close: () => {},
    };
    return { newest, local, tokens };
  }

  test('an update with newer values of all its fields is not called for', async () => {
    const newest = new LocalNewest();
    newest.applied('a1', { Description: 'newer' }, 1_001);
    const { run, server, permits } = await setUp({ newest });
    const work = new NotedDelivery();
    expect(await run(update, work)).toEqual({ kind: 'superseded', superseded: ['Description'] });
    expect(work.tally.attempts).toBe(0);
    expect([server.stats().calls, permits.inFlight]).toEqual([0, 0]);
  });

  test('one that has lost a field is called for with the others, and only these are marked', async () => {
    const newest = new LocalNewest();
    newest.applied('a1', { Description: 'newer' }, 1_001);
    const { run, server } = await setUp({ newest });
    const ending = await run(full, new NotedDelivery());
    expect(ending).toEqual({ kind: 'applied', superseded: ['Description'] });
    expect(server.callsFor('a1').map(({ input }) => input)).toEqual([{ TaskConfigurationId: 'cfg' }]);
    expect(newest.known('a1')).toEqual({ Description: 1_001, TaskConfigurationId: 1_000 });
  });

  test('nothing is marked for a call that failed', async () => {
    const newest = new LocalNewest();
    const { run } = await setUp({ newest, script: [{ status: 400, errorType: 'ValidationException' }] });
    expect(await run(update, new NotedDelivery())).toMatchObject({ kind: 'failed' });
    expect(newest.known('a1')).toBeUndefined();
  });

  test('a claim held elsewhere is waited for without a permit, then taken for one attempt at a time', async () => {
    const { newest, tokens } = claimed(2);
    const { run, permits, server } = await setUp({ newest, script: [internal] });
    const work = new NotedDelivery();
    const slept: number[] = [];
    work.onSleep = async () => {
      slept.push(permits.inFlight);
    };
    expect(await run(update, work)).toEqual(applied);
    // Two waits for the claim, one backoff.
    expect(slept).toEqual([0, 0, 0]);
    expect(tokens).toEqual(['+3', '-3', '+4', 'applied 4']);
    expect(server.stats().calls).toBe(2);
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });

  test('the claim of a call without an answer is left standing, and gone on with, until the update ends', async () => {
    const { newest, tokens } = claimed(0);
    const { run, server } = await setUp({ newest, script: [internal, 'reset', internal] });
    expect(await run(update, new NotedDelivery())).toEqual(applied);
    expect(tokens).toEqual(['+1', '-1', '+2', '-2, left', '+2', '-2, left', '+2', 'applied 2, left']);
    expect(server.stats().calls).toBe(4);
  });

  test('so is the claim of a call that was cut', async () => {
    const { newest, tokens } = claimed(0);
    const { run, server } = await setUp({ newest, script: ['hang'] });
    const cut = new AbortController();
    const work = new NotedDelivery({ cut });
    const ending = run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    work.interrupt('everything');
    expect(await ending).toEqual({ kind: 'given-up' });
    expect(tokens).toEqual(['+1', '-1, left']);
  });

  test('what another worker applied meanwhile is seen with the claim', async () => {
    const { newest, tokens } = claimed(1, (local) => local.applied('a1', { Description: 'newer' }, 2_000));
    const { run, server, permits } = await setUp({ newest });
    expect(await run(update, new NotedDelivery())).toEqual({
      kind: 'superseded',
      superseded: ['Description'],
    });
    expect(tokens).toEqual(['+2', '-2']);
    expect([server.stats().calls, permits.inFlight]).toEqual([0, 0]);
  });

  test('a claim that was had and not used is waited for as long as ever the next time', async () => {
    let ms = 0;
    let tries = 0;
    const local = new LocalNewest();
    const newest: Newest = {
      ...claimed(0).newest,
      known: (identifier) => local.known(identifier),
      claim: async (identifier) => {
        if (++tries % 2 === 1) return 'held';
        local.applied(identifier, { Description: 'newer' }, 2_000);
        return { identifier, token: 't' };
      },
    };
    const { run } = await setUp({ newest, claimWaitMs: 10_000, claimNow: () => ms });
    const superseded = { kind: 'superseded', superseded: ['Description'] };
    expect(await run(update, new NotedDelivery())).toEqual(superseded);
    ms += 20_000;
    expect(await run(update, new NotedDelivery({ decidedAt: 3_000 }))).toEqual(applied);
  });

  test('a claim that does not become free in time is given up: the message is deferred, without a call', async () => {
    const { newest } = claimed(Number.POSITIVE_INFINITY);
    const { run, permits, server } = await setUp({ newest, claimWaitMs: 10 });
    expect(await run(update, new NotedDelivery())).toEqual({ kind: 'given-up', deferSeconds: 1 });
    expect([permits.inFlight, permits.waiting, server.stats().calls]).toEqual([0, 0, 0]);
  });

  test('a wait for a claim can be interrupted', async () => {
    const { newest } = claimed(Number.POSITIVE_INFINITY);
    const { run, permits } = await setUp({ newest });
    const work = new NotedDelivery({ hold: true });
    const ending = run(update, work);
    await work.asleep;
    work.interrupt('waiting', 3);
    expect(await ending).toEqual({ kind: 'given-up', deferSeconds: 3 });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });

  test('an interruption while the claim is requested makes no call, and releases the claim', async () => {
    const work = new NotedDelivery();
    const { newest, tokens } = claimed(0, () => work.interrupt('waiting'));
    const { run, server, permits } = await setUp({ newest });
    expect(await run(update, work)).toEqual({ kind: 'given-up' });
    expect(tokens).toEqual(['+1', '-1']);
    expect([server.stats().calls, permits.inFlight]).toEqual([0, 0]);
  });
});

describe.skipIf(!redisInstalled())('newest wins between two workers on Redis', () => {
  test('also where a call without an answer takes effect late: the newer update waits for it', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.kill());
    let value = '';
    let calls = 0;
    const api: OtaApi = {
      updateOtaTask: async ({ Description = '' }): Promise<CallAnswer> => {
        if (calls++ === 0)
          return { ok: false, error: { name: 'TimeoutError', message: 'no complete answer in time' } };
        value = Description;
        return { ok: true, requestId: undefined };
      },
      destroy: () => {},
    };
    const runOf = async (workerId: string) => {
      const newest = new RedisNewest({
        url: redis.url,
        workerId,
        claimMs: 60_000,
        unansweredMs: 200,
        longestClaimMs: 60_000,
        now: Date.now,
        onShared: () => {},
        onForeign: () => {},
      });
      onTestFinished(() => newest.close());
      return (await setUp({ api, newest })).run;
    };
    const [one, other] = [await runOf('one'), await runOf('other')];
    const [older, newer] = [new NotedDelivery(), new NotedDelivery({ decidedAt: 2_000 })];
    let newerEnding: Promise<unknown> = Promise.resolve();
    older.onSleep = async () => {
      newerEnding = other({ Identifier: 'a1', Description: 'newer' }, newer);
      await Promise.race([newerEnding, newer.asleep]);
      // Only now the first call does what it was asked to.
      value = 'older';
    };
    expect(await one({ Identifier: 'a1', Description: 'older' }, older)).toEqual(applied);
    expect(await newerEnding).toEqual(applied);
    expect(value).toBe('newer');
  });
});

describe('a message that is no longer ours', () => {
  test('is not called for, and its permit is given back', async () => {
    const asked: Delivery[] = [];
    const { run, server, permits, attempts } = await setUp({
      holds: (work) => {
        asked.push(work);
        return false;
      },
    });
    const work = new NotedDelivery();
    expect(await run(update, work)).toEqual({ kind: 'given-up' });
    expect(asked).toEqual([work]);
    expect([server.stats().calls, attempts.length, permits.inFlight, work.tally.attempts]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('is not called for again', async () => {
    const { run, server } = await setUp({
      script: [{ status: 500, errorType: 'InternalServerException' }],
      holds: ({ tally }) => tally.attempts === 0,
    });
    expect(await run(update, new NotedDelivery())).toMatchObject({
      kind: 'given-up',
      failure: { name: 'InternalServerException' },
    });
    expect(server.stats().calls).toBe(1);
  });

  test('has its call in flight cut by a signal of its own, and nothing is observed of it', async () => {
    const { run, server, permits, attempts, gate } = await setUp({ script: ['hang'], runLimit: 1 });
    const cut = new AbortController();
    const work = new NotedDelivery({ cut });
    const ending = run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    work.interrupt('everything');
    expect(await ending).toEqual({ kind: 'given-up' });
    await server.waitFor(() => server.stats().inFlight === 0);
    expect([attempts.length, permits.inFlight, gate.closed]).toEqual([0, 0, false]);
  });
});
