import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Tally } from '../../src/message/disposition.ts';
import type { Failure } from '../../src/message/failure.ts';
import { type Attempt, Caller, type CallerOptions, type Work } from '../../src/ota/call.ts';
import { type CallAnswer, createOtaApi, type OtaApi } from '../../src/ota/client.ts';
import { Gate, type ProbeSchedules } from '../../src/ota/gate.ts';
import { Interruption } from '../../src/ota/interruption.ts';
import { LocalNewest, type Newest } from '../../src/ota/newest/newest.ts';
import { RedisNewest } from '../../src/ota/newest/newest-redis.ts';
import { Permits } from '../../src/ota/permits.ts';
import { LocalRateLimiter } from '../../src/ota/rate/limiter.ts';
import { type ScriptedAnswer, startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { redisInstalled, startRedis } from '../../testing/redis/redis.ts';

const update = { Identifier: 'a1', Description: 'new' };
const down: Failure = { kind: 'retryable', name: 'InternalServerException', message: 'down', status: 500 };
const internal: ScriptedAnswer = { status: 500, errorType: 'InternalServerException' };
const throttle: ScriptedAnswer = { status: 429, errorType: 'ThrottlingException' };
const probeAtOnce: ProbeSchedules = {
  outage: { firstMs: 0, factor: 1, maxMs: 0 },
  denied: { firstMs: 0, factor: 1, maxMs: 0 },
  misconfigured: { firstMs: 0, factor: 1, maxMs: 0 },
};

/** Notes how long each wait was asked to be, and does not wait; or waits until told otherwise. */
class NotedInterruption extends Interruption {
  readonly asked: number[] = [];
  readonly #hold: boolean;
  readonly #asleep = Promise.withResolvers<void>();
  /** Resolves when a wait has begun. */
  readonly asleep = this.#asleep.promise;

  constructor(hold = false) {
    super();
    this.#hold = hold;
  }

  override sleep(ms: number): Promise<boolean> {
    this.asked.push(ms);
    const slept = super.sleep(this.#hold ? 3_600_000 : 0);
    this.#asleep.resolve();
    return slept;
  }
}

interface TestWork extends Work {
  readonly tally: Tally;
  readonly interruption: NotedInterruption;
  signal?: AbortSignal;
}

function newWork({ hold = false, tally = {} }: { hold?: boolean; tally?: Partial<Tally> } = {}): TestWork {
  return {
    tally: { attempts: 0, counted: 0, throttledInARow: 0, ...tally },
    interruption: new NotedInterruption(hold),
    decidedAt: 1_000,
    superseded: [],
    calling: false,
  };
}

interface Setting {
  readonly script?: readonly ScriptedAnswer[];
  readonly api?: OtaApi;
  readonly newest?: Newest;
  readonly maxAttempts?: number;
  readonly maxConcurrency?: number;
  readonly runLimit?: number;
  readonly schedules?: ProbeSchedules;
  readonly callTimeoutMs?: number;
  readonly onStart?: CallerOptions<TestWork>['onStart'];
  readonly holds?: CallerOptions<TestWork>['holds'];
}

/** A caller against a simulated API over HTTP. */
async function setUp(setting: Setting = {}) {
  const server = await startSimulatedApi({ record: true });
  onTestFinished(() => server.close());
  if (setting.script !== undefined) server.script('a1', setting.script);
  const api = createOtaApi({
    callTimeoutMs: setting.callTimeoutMs ?? 20_000,
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
  const permits: Permits = new Permits({
    limiter: new LocalRateLimiter(Number.POSITIVE_INFINITY),
    gate,
    maxConcurrency: setting.maxConcurrency ?? 10,
    now: () => performance.now(),
  });
  onTestFinished(() => permits.close());
  const deadline = new AbortController();
  const attempts: Attempt[] = [];
  const caller = new Caller<TestWork>({
    api: setting.api ?? api,
    permits,
    newest: setting.newest ?? new LocalNewest(),
    gate,
    retry: { baseMs: 200, maxMs: 20_000, maxAttempts: setting.maxAttempts ?? 5 },
    clock: { wall: () => Date.parse('2026-11-23T07:00:00Z'), monotonic: () => performance.now() },
    random: () => 0.5,
    deadline: deadline.signal,
    ...(setting.holds !== undefined && { holds: setting.holds }),
    onStart: setting.onStart ?? (() => {}),
    onAttempt: (_, attempt) => attempts.push(attempt),
  });
  return { server, gate, permits, deadline, attempts, caller };
}

describe('an update that is applied', () => {
  test('takes one call and waits for nothing', async () => {
    const { caller, attempts, permits, server } = await setUp();
    const work = newWork();
    expect(await caller.run(update, work)).toEqual({ kind: 'applied' });
    expect(work).toMatchObject({ calling: false, tally: { attempts: 1, counted: 0, throttledInARow: 0 } });
    expect(work.interruption.asked).toEqual([]);
    expect(attempts).toEqual([
      {
        number: 1,
        startedAt: expect.any(Number),
        endedAt: expect.any(Number),
        requestId: expect.any(String),
      },
    ]);
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
    expect(server.task('a1')).toMatchObject({ Description: 'new' });
  });

  test('is never one that was answered with 200', async () => {
    const { caller, gate, attempts } = await setUp({ script: [{ status: 200, body: {} }, 'apply'] });
    const work = newWork();
    expect(await caller.run(update, work)).toEqual({ kind: 'applied' });
    expect(attempts.map(({ failure }) => failure?.kind)).toEqual(['unidentified', undefined]);
    expect(gate.closures).toBe(0);
  });
});

describe('throttling', () => {
  test('never ends a delivery, however long it lasts', async () => {
    const { caller, attempts } = await setUp({ script: Array(30).fill(throttle), maxAttempts: 1 });
    const work = newWork();
    expect(await caller.run(update, work)).toEqual({ kind: 'applied' });
    expect(work.tally).toMatchObject({ attempts: 31, counted: 0 });
    expect(attempts).toHaveLength(31);
    expect(work.interruption.asked.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(work.interruption.asked.at(-1)).toBe(10_000);
  });

  test('takes no attempt from those for other failures, nor gives any back', async () => {
    const script = [internal, throttle, throttle, internal, throttle, internal];
    const { caller } = await setUp({ script, maxAttempts: 3 });
    const work = newWork();
    expect(await caller.run(update, work)).toMatchObject({ kind: 'failed', failure: { kind: 'retryable' } });
    expect(work.tally).toMatchObject({ attempts: 6, counted: 3 });
  });

  test('waits longer with each throttle in a row and begins anew after another answer', async () => {
    const { caller } = await setUp({ script: [throttle, throttle, internal, throttle, throttle] });
    const work = newWork();
    await caller.run(update, work);
    expect(work.interruption.asked).toEqual([100, 200, 100, 100, 200]);
  });

  test.each([
    ['seconds', '7', 7_000],
    ['a date', 'Mon, 23 Nov 2026 07:00:10 GMT', 10_000],
    ['an hour, cut to 15 minutes', '3600', 900_000],
    ['nothing, and so by backoff', '0', 100],
    ['what cannot be read, and so by backoff', 'soon', 100],
  ])('waits as Retry-After asks: %s', async (_, retryAfter, ms) => {
    const { caller } = await setUp({ script: [{ ...throttle, headers: { 'retry-after': retryAfter } }] });
    const work = newWork();
    await caller.run(update, work);
    expect(work.interruption.asked).toEqual([ms]);
  });
});

describe('failures that may pass', () => {
  test('end the delivery when its attempts are spent', async () => {
    const { caller, server } = await setUp({ script: Array(9).fill(internal), maxAttempts: 4 });
    const work = newWork();
    expect(await caller.run(update, work)).toMatchObject({
      kind: 'failed',
      failure: { kind: 'retryable', name: 'InternalServerException', status: 500 },
    });
    expect(server.stats().calls).toBe(4);
    expect(work.interruption.asked).toEqual([100, 200, 400]);
  });

  test('are counted per delivery: the next one has all its attempts again', async () => {
    const { caller, server } = await setUp({ script: Array(6).fill(internal), maxAttempts: 3 });
    await caller.run(update, newWork());
    await caller.run(update, newWork());
    expect(server.stats().calls).toBe(6);
  });

  test.each<[string, ScriptedAnswer]>([
    ['a reset connection', 'reset'],
    ['an HTML page', { status: 503, body: '<html>away</html>' }],
    ['408', { status: 408, errorType: 'RequestTimeoutException' }],
    ['409', { status: 409, errorType: 'ConflictException' }],
  ])('are tried again: %s', async (_, answer) => {
    const { caller } = await setUp({ script: [answer] });
    expect(await caller.run(update, newWork())).toEqual({ kind: 'applied' });
  });

  test('are tried again after a call without an answer', async () => {
    const { caller, attempts } = await setUp({ script: ['hang'], callTimeoutMs: 100 });
    expect(await caller.run(update, newWork())).toEqual({ kind: 'applied' });
    expect(attempts[0]?.failure).toMatchObject({ kind: 'retryable', name: 'TimeoutError' });
  });

  test('wait as Retry-After asks', async () => {
    const { caller } = await setUp({ script: [{ ...internal, headers: { 'retry-after': '9' } }] });
    const work = newWork();
    await caller.run(update, work);
    expect(work.interruption.asked).toEqual([9_000]);
  });

  test.each<[string, ScriptedAnswer, string]>([
    ['400', { status: 400, errorType: 'ValidationException' }, 'rejected'],
    ['404', { status: 404, errorType: 'ResourceNotFoundException' }, 'rejected'],
    ['403', { status: 403, errorType: 'AccessDeniedException' }, 'denied'],
  ])('are not among them: %s ends it after one call', async (_, answer, kind) => {
    const { caller, server } = await setUp({ script: [answer] });
    expect(await caller.run(update, newWork())).toMatchObject({ kind: 'failed', failure: { kind } });
    expect(server.stats().calls).toBe(1);
  });
});

describe('a closed gate', () => {
  test('lets an update be tried as a probe without end', async () => {
    const { caller, gate } = await setUp({ script: Array(12).fill(internal), maxAttempts: 2 });
    gate.close('outage', down);
    expect(await caller.run(update, newWork())).toEqual({ kind: 'applied' });
    expect(gate.state).toBe('open');
  });

  test('counts no probe against the message: after the outage it has all its attempts', async () => {
    let starts = 0;
    const { caller, gate, server } = await setUp({
      script: Array(4).fill(internal),
      maxAttempts: 2,
      onStart: () => {
        // Another update goes through while the fourth call is in flight.
        if (++starts === 4) gate.observe('z9');
      },
    });
    gate.close('outage', down);
    expect(await caller.run(update, newWork())).toEqual({ kind: 'applied' });
    expect(server.stats().calls).toBe(5);
  });

  test('takes back what was counted before it closed', async () => {
    const { caller, gate } = await setUp({ script: Array(3).fill(internal), maxAttempts: 3 });
    const work = newWork();
    const ending = caller.run(update, work);
    await work.interruption.asleep;
    gate.close('outage', down);
    gate.observe('z9');
    expect(await ending).toEqual({ kind: 'applied' });
  });

  test('is closed by our own credentials, and by answers that the API did not give once attempts are spent', async () => {
    const page: ScriptedAnswer = { status: 404, body: '<html>no such site</html>' };
    const expired: ScriptedAnswer = { status: 403, errorType: 'ExpiredTokenException' };
    const first = await setUp({ script: [expired, expired, 'apply'] });
    const second = await setUp({ script: [page, page, page, 'apply'], maxAttempts: 2 });

    expect(await first.caller.run(update, newWork())).toEqual({ kind: 'applied' });
    expect(await second.caller.run(update, newWork())).toEqual({ kind: 'applied' });

    expect(first.gate.closures).toBe(1);
    expect(second.gate.closures).toBe(1);
  });

  test('makes a run of failures wait instead of failing messages', async () => {
    const { caller, gate, server } = await setUp({ runLimit: 3, maxAttempts: 2, maxConcurrency: 1 });
    server.scriptAll(internal);
    const endings = ['b1', 'b2', 'b3', 'b4'].map((Identifier) =>
      caller.run({ ...update, Identifier }, newWork()),
    );
    await server.waitFor(() => gate.closed && server.stats().calls >= 12);
    server.scriptAll(null);
    expect(await Promise.all(endings)).toEqual(Array(4).fill({ kind: 'applied' }));
  });
});

describe('an interruption', () => {
  test('while waiting for a permit gives up without a call', async () => {
    const { caller, permits, server } = await setUp({ maxConcurrency: 1 });
    const other = permits.request();
    const work = newWork();
    const ending = caller.run(update, work);
    work.interruption.request({ deferSeconds: 9 });
    expect(await ending).toEqual({ kind: 'given-up', deferSeconds: 9 });
    expect([permits.inFlight, permits.waiting]).toEqual([1, 0]);
    permits.release(other);
    expect(server.stats().calls).toBe(0);
  });

  test('before the start gives up without a call or a place in the line', async () => {
    const { caller, permits, server } = await setUp();
    const work = newWork();
    work.interruption.request({});
    expect(await caller.run(update, work)).toEqual({ kind: 'given-up' });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
    expect(server.stats().calls).toBe(0);
  });

  test('between the grant of a permit and the call gives the permit back', async () => {
    const { caller, permits, server } = await setUp();
    const work = newWork();
    const ending = caller.run(update, work);
    work.interruption.request({});
    expect(await ending).toEqual({ kind: 'given-up' });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
    expect(server.stats().calls).toBe(0);
  });

  test('during a backoff gives up with the failure seen last', async () => {
    const { caller, server } = await setUp({ script: [internal] });
    const work = newWork({ hold: true });
    const ending = caller.run(update, work);
    await work.interruption.asleep;
    work.interruption.request({});
    expect(await ending).toMatchObject({ kind: 'given-up', failure: { kind: 'retryable', status: 500 } });
    expect(server.stats().calls).toBe(1);
  });

  test('during a call lets the call end, and an applied update be applied', async () => {
    const { caller, server } = await setUp({ script: [{ status: 204, delayMs: 50 }] });
    const work = newWork();
    const ending = caller.run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    expect(work.calling).toBe(true);
    work.interruption.request({});
    expect(await ending).toEqual({ kind: 'applied' });
    expect(work.calling).toBe(false);
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
    const { caller, server, permits } = await setUp({ script: [answer] });
    const work = newWork();
    const ending = caller.run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    work.interruption.request({ deferSeconds: 3 });
    expect(await ending).toMatchObject(expected);
    expect(server.stats().calls).toBe(1);
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });
});

describe('the end', () => {
  test('of time cuts a call short: given up, blamed for nothing, told to nobody', async () => {
    const { caller, server, permits, gate, attempts, deadline } = await setUp({
      script: ['hang'],
      runLimit: 1,
    });
    const work = newWork();
    const ending = caller.run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    deadline.abort();
    expect(await ending).toEqual({ kind: 'given-up' });
    expect(work).toMatchObject({ calling: false, tally: { counted: 0 } });
    expect(permits.inFlight).toBe(0);
    expect(gate.state).toBe('open');
    expect(attempts).toEqual([]);
  });

  test('of permits gives up what waits for one', async () => {
    const { caller, permits } = await setUp({ maxConcurrency: 1 });
    permits.request();
    const ending = caller.run(update, newWork());
    permits.close();
    expect(await ending).toEqual({ kind: 'given-up' });
  });
});

describe('a bug of ours', () => {
  test('that the API edge reports ends it as internal after one call', async () => {
    const error = {
      name: 'TypeError',
      message: 'x is not a function',
      stack: 'TypeError: x is not a function\n at y',
    };
    const answer: CallAnswer = { ok: false, error };
    const updateOtaTask = vi.fn(async () => answer);
    const { caller, permits } = await setUp({ api: { updateOtaTask, destroy: () => {} } });
    expect(await caller.run(update, newWork())).toEqual({
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
      'in an observer of starts',
      {
        onStart: () => {
          throw new TypeError('bug');
        },
      },
    ],
  ])('%s ends it as internal, and gives the permit back', async (_, setting) => {
    const { caller, permits } = await setUp(setting);
    const work = newWork();
    expect(await caller.run(update, work)).toEqual({
      kind: 'failed',
      failure: {
        kind: 'internal',
        name: 'TypeError',
        message: 'bug',
        stack: expect.stringContaining('TypeError'),
      },
    });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
    expect(work.calling).toBe(false);
  });

  test('is told in one line of at most 1,000 characters, as every failure is', async () => {
    const bug = new TypeError(`two\nlines ${'x'.repeat(2_000)}`);
    const { caller } = await setUp({ api: { updateOtaTask: () => Promise.reject(bug), destroy: () => {} } });
    const ending = await caller.run(update, newWork());
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
    const { caller, server, permits } = await setUp({ newest });
    const work = newWork();
    expect(await caller.run(update, work)).toEqual({ kind: 'superseded' });
    expect(work).toMatchObject({ superseded: ['Description'], tally: { attempts: 0 } });
    expect([server.stats().calls, permits.inFlight]).toEqual([0, 0]);
  });

  test('one that has lost a field is called for with the others, and only these are marked', async () => {
    const newest = new LocalNewest();
    newest.applied('a1', { Description: 'newer' }, 1_001);
    const { caller, server } = await setUp({ newest });
    const work = newWork();
    expect(await caller.run(full, work)).toEqual({ kind: 'applied' });
    expect(work.superseded).toEqual(['Description']);
    expect(server.callsFor('a1').map(({ input }) => input)).toEqual([{ TaskConfigurationId: 'cfg' }]);
    expect(newest.known('a1')).toEqual({ Description: 1_001, TaskConfigurationId: 1_000 });
  });

  test('nothing is marked for a call that failed', async () => {
    const newest = new LocalNewest();
    const { caller } = await setUp({ newest, script: [{ status: 400, errorType: 'ValidationException' }] });
    expect(await caller.run(update, newWork())).toMatchObject({ kind: 'failed' });
    expect(newest.known('a1')).toBeUndefined();
  });

  test('a claim held elsewhere is waited for without a permit, then taken for one attempt at a time', async () => {
    const { newest, tokens } = claimed(2);
    const { caller, permits, server } = await setUp({ newest, script: [internal] });
    const work = newWork();
    const slept: number[] = [];
    work.interruption.sleep = async () => {
      slept.push(permits.inFlight);
      return true;
    };
    expect(await caller.run(update, work)).toEqual({ kind: 'applied' });
    // Two waits for the claim, one backoff.
    expect(slept).toEqual([0, 0, 0]);
    expect(tokens).toEqual(['+3', '-3', '+4', 'applied 4']);
    expect(server.stats().calls).toBe(2);
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });

  test('the claim of a call without an answer is left standing, and gone on with, until the update ends', async () => {
    const { newest, tokens } = claimed(0);
    const { caller, server } = await setUp({ newest, script: [internal, 'reset', internal] });
    expect(await caller.run(update, newWork())).toEqual({ kind: 'applied' });
    expect(tokens).toEqual(['+1', '-1', '+2', '-2, left', '+2', '-2, left', '+2', 'applied 2, left']);
    expect(server.stats().calls).toBe(4);
  });

  test('so is the claim of a call that was cut', async () => {
    const { newest, tokens } = claimed(0);
    const { caller, server } = await setUp({ newest, script: ['hang'] });
    const cut = new AbortController();
    const ending = caller.run(update, { ...newWork(), signal: cut.signal });
    await server.waitFor(() => server.stats().inFlight === 1);
    cut.abort();
    expect(await ending).toEqual({ kind: 'given-up' });
    expect(tokens).toEqual(['+1', '-1, left']);
  });

  test('what another worker applied meanwhile is seen with the claim', async () => {
    const { newest, tokens } = claimed(1, (local) => local.applied('a1', { Description: 'newer' }, 2_000));
    const { caller, server, permits } = await setUp({ newest });
    expect(await caller.run(update, newWork())).toEqual({ kind: 'superseded' });
    expect(tokens).toEqual(['+2', '-2']);
    expect([server.stats().calls, permits.inFlight]).toEqual([0, 0]);
  });

  test('who waits for a claim can be told to give up', async () => {
    const { newest } = claimed(Number.POSITIVE_INFINITY);
    const { caller, permits } = await setUp({ newest });
    const work = newWork({ hold: true });
    const ending = caller.run(update, work);
    await work.interruption.asleep;
    work.interruption.request({ deferSeconds: 3 });
    expect(await ending).toEqual({ kind: 'given-up', deferSeconds: 3 });
    expect([permits.inFlight, permits.waiting]).toEqual([0, 0]);
  });

  test('who is told to give up while the claim is asked for makes no call, and gives it back', async () => {
    const work = newWork();
    const { newest, tokens } = claimed(0, () => work.interruption.request({}));
    const { caller, server, permits } = await setUp({ newest });
    expect(await caller.run(update, work)).toEqual({ kind: 'given-up' });
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
    const callerOf = async (workerId: string) => {
      const waits = { claimMs: 60_000, unansweredMs: 200 };
      const newest = new RedisNewest({ url: redis.url, workerId, ...waits, onShared: () => {} });
      onTestFinished(() => newest.close());
      return (await setUp({ api, newest })).caller;
    };
    const [one, other] = [await callerOf('one'), await callerOf('other')];
    const [older, newer] = [newWork(), { ...newWork(), decidedAt: 2_000 }];
    let newerEnding: Promise<unknown> = Promise.resolve();
    older.interruption.sleep = async () => {
      newerEnding = other.run({ Identifier: 'a1', Description: 'newer' }, newer);
      await Promise.race([newerEnding, newer.interruption.asleep]);
      // Only now the first call does what it was asked to.
      value = 'older';
      return true;
    };
    expect(await one.run({ Identifier: 'a1', Description: 'older' }, older)).toEqual({ kind: 'applied' });
    expect(await newerEnding).toEqual({ kind: 'applied' });
    expect(value).toBe('newer');
  });
});

describe('a message that is no longer ours', () => {
  test('is not called for, and its permit is given back', async () => {
    const asked: TestWork[] = [];
    const { caller, server, permits, attempts } = await setUp({
      holds: (work) => {
        asked.push(work);
        return false;
      },
    });
    const work = newWork();
    expect(await caller.run(update, work)).toEqual({ kind: 'given-up' });
    expect(asked).toEqual([work]);
    expect([server.stats().calls, attempts.length, permits.inFlight, work.tally.attempts]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('is not called for again', async () => {
    const { caller, server } = await setUp({
      script: [{ status: 500, errorType: 'InternalServerException' }],
      holds: ({ tally }) => tally.attempts === 0,
    });
    expect(await caller.run(update, newWork())).toMatchObject({
      kind: 'given-up',
      failure: { name: 'InternalServerException' },
    });
    expect(server.stats().calls).toBe(1);
  });

  test('has its call in flight cut by a signal of its own, and nothing is observed of it', async () => {
    const { caller, server, permits, attempts, gate } = await setUp({ script: ['hang'], runLimit: 1 });
    const cut = new AbortController();
    const work = { ...newWork(), signal: cut.signal };
    const ending = caller.run(update, work);
    await server.waitFor(() => server.stats().inFlight === 1);
    cut.abort();
    expect(await ending).toEqual({ kind: 'given-up' });
    await server.waitFor(() => server.stats().inFlight === 0);
    expect([attempts.length, permits.inFlight, gate.closed, work.calling]).toEqual([0, 0, false, false]);
  });
});
