import { expect, test } from 'vitest';
import { shownConditions } from '../../src/observe/health.ts';
import { statusJson } from '../../src/status/json.ts';
import { statusPage } from '../../src/status/page.ts';
import { type AskedWorker, makeStatus, type StatusFacts } from '../../src/status/status.ts';
import { statusBlock, statusText } from '../../src/status/view.ts';
import { readWorkerStatus, type WorkerStatus, workerStatusOf } from '../../src/status/worker-status.ts';
import { conditionNames } from '../../src/worker/conditions.ts';
import { conditionsAt, well } from '../../testing/stages/snapshot.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
const controls = /[\u0000-\u0009\u000b-\u001f\u202e]/;
const now = Date.UTC(2026, 10, 28, 7, 10);
const minutesAgo = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
const base = workerStatusOf({ ...well, at: now }, 'w1');
const depth = (visible: number, inFlight = 0) => ({ visible, inFlight, delayed: 0, readAt: minutesAgo(0) });

interface Parts {
  readonly calls?: Partial<WorkerStatus['calls']>;
  readonly rate?: Partial<WorkerStatus['rate']>;
  readonly messages?: Partial<WorkerStatus['messages']>;
  readonly conditions?: WorkerStatus['conditions'];
}
const worker = (where: string, { calls, rate, messages, conditions = [] }: Parts = {}): AskedWorker => ({
  where,
  ok: true,
  status: {
    ...base,
    worker: where,
    conditions,
    since: minutesAgo(60),
    calls: { ...base.calls, ...calls },
    rate: { ...base.rate, ...rate },
    messages: { ...base.messages, ...messages },
  },
});
const blocked = {
  condition: 'calling',
  effect: 'not-ready',
  since: minutesAgo(3),
  why: 'calls are paused: API outage',
  error: 'InternalServerException',
} as const;
const made = (facts: Partial<StatusFacts>) => makeStatus({ now, workers: [], queues: {}, ...facts });
const line = (...args: readonly string[]) => ['ota-updater', ...args].join(' ');
const text = (facts: Partial<StatusFacts>) => statusText(made(facts), 80, line);

const busy = {
  calls: { perSecond: 20, inFlight: 4 },
  messages: { held: 30, finishedPerSecond: 20, deferred: 1 },
};

test.each<{ what: string; facts: Partial<StatusFacts>; state: string; next: string | undefined }>([
  {
    what: 'idle',
    facts: { workers: [worker('a')], queues: { source: { ok: true, depth: depth(0) } } },
    state: 'idle',
    next: undefined,
  },
  {
    what: 'busy',
    facts: { workers: [worker('a', busy)], queues: { source: { ok: true, depth: depth(400) } } },
    state: 'going',
    next: 'status --watch',
  },
  {
    what: 'dead letters',
    facts: { workers: [worker('a', busy)], queues: { deadLetter: { ok: true, depth: depth(3) } } },
    state: 'going',
    next: 'dead-letters list --group',
  },
  {
    what: 'blocked',
    facts: { workers: [worker('a', { conditions: [blocked] })] },
    state: 'blocked',
    next: 'check',
  },
  {
    what: 'one of two blocked',
    facts: { workers: [worker('a', busy), worker('b', { conditions: [blocked] })] },
    state: 'in-part',
    next: 'check',
  },
  {
    what: 'one of two silent',
    facts: { workers: [worker('a', busy), { where: 'b', ok: false, why: 'no' }] },
    state: 'in-part',
    next: undefined,
  },
  {
    what: 'only noted',
    facts: { workers: [worker('a', { ...busy, conditions: [{ ...blocked, effect: 'noted' }] })] },
    state: 'going',
    next: 'status --watch',
  },
  {
    what: 'no worker',
    facts: {
      workers: [{ where: 'b', ok: false, why: 'no' }],
      queues: { source: { ok: true, depth: depth(7) } },
    },
    state: 'unknown',
    next: 'worker',
  },
  {
    what: 'only the ledger away',
    facts: { workers: [worker('a')], ledger: { since: now, why: 'no connection' } },
    state: 'in-part',
    next: 'check',
  },
  {
    what: 'blocked, and the ledger away',
    facts: {
      workers: [worker('a', { conditions: [blocked] })],
      ledger: { since: now, why: 'no connection' },
    },
    state: 'blocked',
    next: 'check',
  },
  {
    what: 'nothing at all',
    facts: { queues: { source: { ok: false, why: 'denied' } } },
    state: 'unknown',
    next: 'check',
  },
])('$what: $state, next $next', ({ facts, state, next }) => {
  const status = made(facts);
  expect([status.verdict.state, status.next?.join(' ')]).toEqual([state, next]);
});

test('of a ledger that another process has locked it says that it takes no changes, and who is to be ended', () => {
  const ledger = {
    since: Date.UTC(2026, 10, 29, 3),
    why: 'another process has it locked',
    isRead: true,
  } as const;
  const { verdict, problems } = made({ workers: [worker('a')], ledger });
  expect(verdict.sentence).toMatch(
    /^The ledger takes no changes since 2026-11-29 03:00:00 UTC, and no job continues: end the process that holds/,
  );
  expect(problems).toMatchObject([
    { why: 'another process has it locked', remedy: expect.stringMatching(/^end/) },
  ]);
});

test('the sentence on top names a ledger that is away, since when and what to do, whatever else is so', () => {
  const ledger = { since: Date.UTC(2026, 10, 29, 3), why: 'no connection' };
  const sentence = (facts: Partial<StatusFacts>) => made({ ...facts, ledger }).verdict.sentence;
  const said = /The ledger cannot be read since 2026-11-29 03:00:00 UTC, and no job continues: check that/;
  expect(sentence({ workers: [worker('a')] })).toMatch(new RegExp(`^${said.source}`));
  expect(sentence({ workers: [worker('a', { conditions: [blocked] })] })).toMatch(
    new RegExp(`^Updates do not go through: .*\\. ${said.source}`),
  );
  expect(sentence({})).toMatch(said);
  expect(made({ ledger }).problems).toMatchObject([
    { where: ['ledger'], why: 'no connection', since: '2026-11-29T03:00:00.000Z' },
  ]);
});

test('without a worker it is what the queues say, and says so', () => {
  const said = text({
    workers: [{ where: '10.0.0.3:8080', ok: false, why: 'connection refused' }],
    queues: { source: { ok: true, depth: depth(1_000, 5) } },
  });
  expect(said).toMatch(/^No worker answered: this shows only the queues\.\n/);
  expect(said).toContain('backlog       about 1,005: 1,000 waiting, 5 received or deferred');
  expect(said).toContain('to drain      not known: no worker answered');
  expect(said).not.toContain('calls');
});

test('without a worker and a queue it says that nothing is known', () => {
  const said = text({
    workers: [{ where: '10.0.0.3:8080', ok: false, why: 'connection refused' }],
    queues: { source: { ok: false, why: 'denied' }, deadLetter: { ok: false, why: 'denied' } },
  });
  expect(said).toMatch(/^No worker answered, and no queue could be read: nothing is known\.\n/);
});

test('workers are taken together: rates of their own are added, a shared one is there once', () => {
  const own = made({
    workers: [
      worker('a', { rate: { inForce: 10, ceiling: 10 } }),
      worker('b', { rate: { inForce: 5, ceiling: 10 } }),
    ],
  });
  expect(own.totals.rate).toMatchObject({ inForce: 15, ceiling: 20 });
  const shared = {
    budget: 'shared',
    inForce: 100,
    found: 60,
    ceiling: 100,
    foundSince: minutesAgo(9),
  } as const;
  const together = made({
    workers: [
      worker('a', { rate: shared, messages: { deadLetteredByReason: { Rejected: 2 }, oldestAgeSeconds: 5 } }),
      worker('b', {
        rate: { ...shared, found: 20, foundSince: minutesAgo(4) },
        messages: { deadLetteredByReason: { Rejected: 1, Invalid: 9 }, oldestAgeSeconds: 70 },
      }),
    ],
  });
  expect(together.totals).toMatchObject({
    rate: { inForce: 100, found: 80, foundSince: minutesAgo(9), ceiling: 100 },
    oldestAgeSeconds: 70,
    deadLetteredByReason: { Invalid: 9, Rejected: 3 },
    redis: { state: 'shared', of: 2 },
  });
  const fleet = made({
    workers: [
      worker('a', { rate: { ...shared, inForce: 60, fleet: 'leading' } }),
      worker('b', { rate: { ...shared, inForce: 59, found: 59, fleet: 'following' } }),
      worker('c', { rate: { ...shared, budget: 'alone', inForce: 5, found: 8, fleet: 'alone' } }),
    ],
  });
  expect(fleet.totals.rate).toMatchObject({ inForce: 65, found: 68, ceiling: 100 });
  const lost = made({
    workers: [
      worker('a', { rate: shared }),
      worker('b', { rate: { ...shared, budget: 'alone', inForce: 10, budgetSince: minutesAgo(2) } }),
    ],
  });
  expect(lost.totals.redis).toEqual({ state: 'lost', alone: 1, of: 2, since: minutesAgo(2) });
  expect(
    made({ workers: [worker('a', { rate: { inForce: null, ceiling: null } })] }).totals.rate.ceiling,
  ).toBeNull();
});

const limit = {
  perSecond: 198.4,
  within: 0.021,
  since: minutesAgo(8),
  periodSeconds: null,
  noise: 0,
} as const;

test.each<{ what: string; found: NonNullable<WorkerStatus['rate']['apiLimit']>; said: string }>([
  { what: 'how sure', found: limit, said: 'about 198.4/s (±2%) since 07:02:00, 8m' },
  { what: 'very sure', found: { ...limit, within: 0.001 }, said: 'about 198.4/s (±1%) since 07:02:00, 8m' },
  { what: 'not sure', found: { ...limit, within: null }, said: 'about 198.4/s since 07:02:00, 8m' },
  {
    what: 'noise',
    found: { ...limit, noise: 0.012 },
    said: 'about 198.4/s (±2%) since 07:02:00, 8m; noise 1.2%',
  },
  {
    what: 'a period',
    found: { ...limit, perSecond: 9.98, periodSeconds: 60.1 },
    said: 'about 600 in 60 s (±2%) since 07:02:00, 8m',
  },
])('the limit of the API that was found is told once: $what', ({ found, said }) => {
  const rate = { apiLimit: found, found: 197, foundSince: minutesAgo(9) };
  const lines = text({ workers: [worker('a', { rate })] });
  expect(lines).toContain(`API limit     ${said}\n`);
  expect(lines).not.toContain('the API takes');
  expect(text({ workers: [worker('a', { rate: { ...rate, apiLimit: null } })] })).toContain(
    'the API takes 197/s',
  );
});

test('the limit of a fleet is what its leader has found; those of others are added, where all are known', () => {
  const other = { ...limit, perSecond: 10, within: 0.1, since: minutesAgo(2), noise: 0.01 } as const;
  const limitOf = (...rates: readonly Partial<WorkerStatus['rate']>[]) =>
    made({ workers: rates.map((rate, i) => worker(String(i), { rate })) }).totals.rate.apiLimit;
  const follows = { fleet: 'following', apiLimit: other } as const;
  expect(limitOf(follows, { fleet: 'leading', apiLimit: limit })).toEqual(limit);
  expect(limitOf(follows, follows)).toEqual(other);
  expect(limitOf({ apiLimit: limit }, { apiLimit: other })).toEqual({
    perSecond: 208.4,
    within: 0.1,
    since: minutesAgo(2),
    periodSeconds: null,
    noise: 0.01,
  });
  expect(limitOf({ apiLimit: { ...limit, within: null } }, { apiLimit: other })?.within).toBeNull();
  expect(limitOf({ apiLimit: limit }, { apiLimit: null })).toBeNull();
  expect(limitOf({ fleet: 'following', apiLimit: null })).toBeNull();
  expect(limitOf()).toBeNull();
});

test('time to drain is the backlog at the present pace', () => {
  const source = { ok: true, depth: depth(1_180, 20) } as const;
  expect(made({ workers: [worker('a', busy), worker('b', busy)], queues: { source } }).drain).toEqual({
    seconds: 30,
  });
  expect(made({ workers: [worker('a')], queues: { source } }).drain).toEqual({
    unknown: 'nothing was finished in the last 10 s',
  });
});

test('the backlog is never less than what workers hold and have deferred, however late a reading is', () => {
  const status = made({ workers: [worker('a', busy)], queues: { source: { ok: true, depth: depth(0) } } });
  expect([status.backlog, status.drain]).toEqual([31, { seconds: 2 }]);
});

test("the workers' reading of a queue stands in where it could not be read", () => {
  const one = worker('a');
  if (one.ok) Object.assign(one.status, { queues: { ...base.queues, source: depth(9) } });
  const status = made({ workers: [one], queues: { source: { ok: false, why: 'access is denied' } } });
  expect(status.backlog).toBe(9);
  expect(status.problems).toMatchObject([
    { where: ['update queue'], blocks: false, why: 'access is denied' },
  ]);
});

test('what is so of several workers is one problem, since it first was', () => {
  const later = { ...blocked, since: minutesAgo(1) };
  const status = made({
    workers: [
      worker('a', { conditions: [later] }),
      worker('b', { conditions: [blocked] }),
      worker('c', busy),
    ],
  });
  expect(status.problems).toMatchObject([{ where: ['a', 'b'], since: minutesAgo(3) }]);
  expect(statusText(status, 80, line)).toContain('! a and 1 other: calls are paused');
});

test('a hold is told with its end: of several workers, from the earliest to the latest', () => {
  const held = { ...blocked, condition: 'held-calls', effect: 'noted', why: 'all calls wait' } as const;
  const inSeconds = (seconds: number): string => new Date(now + seconds * 1_000).toISOString();
  const status = made({
    workers: [
      worker('a', { ...busy, conditions: [{ ...held, until: inSeconds(20) }] }),
      worker('b', { ...busy, conditions: [{ ...held, since: minutesAgo(1), until: inSeconds(5) }] }),
    ],
  });
  expect(status.problems).toMatchObject([{ blocks: false, since: minutesAgo(3), until: inSeconds(20) }]);
  expect(statusText(status, 200, line)).toContain(`until ${inSeconds(20).slice(11, 19)})`);
});

test('a full picture fits 80 columns and 24 lines', () => {
  const rate = {
    budget: 'shared',
    inForce: 50,
    found: 50,
    ceiling: 100,
    foundSince: minutesAgo(8),
    apiLimit: { ...limit, perSecond: 5_000, periodSeconds: 86_400, noise: 0.123 },
  } as const;
  const names = [
    '10.0.0.3:8080',
    '10.0.0.4:8080',
    '10.0.0.5:8080',
    '10.0.0.6:8080',
    '10.0.0.7:8080',
    '10.0.0.8:8080',
  ];
  const status = made({
    workers: [
      ...names.map((name) =>
        worker(name, {
          ...busy,
          rate,
          conditions: [blocked],
          messages: {
            ...busy.messages,
            deadLetteredByReason: { Rejected: 30, RetriesExhausted: 12, Invalid: 4, Expiring: 5 },
          },
        }),
      ),
      { where: '10.0.0.9:8080', ok: false, why: 'connection refused: nothing listens there (ECONNREFUSED)' },
    ],
    queues: {
      source: { ok: true, depth: depth(123_456, 789) },
      deadLetter: { ok: true, depth: depth(51) },
      outcome: { ok: true, depth: depth(7) },
    },
  });
  const block = statusBlock(status, 80);
  expect(block.length).toBeLessThanOrEqual(23);
  expect([...block, ...statusText(status, 80, line).split('\n')].filter((each) => each.length > 80)).toEqual(
    [],
  );
  // Narrow, it is longer, and its figures are whole all the same.
  const narrow = statusText(status, 40, line).split('\n');
  const figures = narrow.slice(0, narrow.indexOf(''));
  expect(figures.filter((each) => each.length > 40 || each.includes('…'))).toEqual([]);
  expect(figures.join(' ').replace(/ +/g, ' ')).toContain('ceiling 100/s');
});

test('limits below the environment are told with who says so, once for all workers that go by them', () => {
  const limited = (where: string): AskedWorker => {
    const since = minutesAgo(5);
    const limits = {
      rate: { value: 20, source: 'redis', since, by: 'ann@host', reason: 'slow' },
      concurrency: { value: 3, source: 'file', since },
    } as const;
    const asked = worker(where, busy);
    return asked.ok ? { ...asked, status: { ...asked.status, limits } } : asked;
  };
  expect(text({ workers: [worker('a', busy)] })).not.toMatch(/^ {2}limits/m);
  expect(text({ workers: [limited('a'), limited('b')] }).replace(/\s+/g, ' ')).toContain(
    ' limits RATE_LIMIT 20 by Redis (ann@host: slow); MAX_CONCURRENCY 3 by LIMITS_FILE backlog',
  );
  const { limits: _, ...earlier } = base;
  expect(readWorkerStatus(JSON.stringify(earlier))).toEqual(earlier);
});

test('hostile text controls neither terminal nor page', () => {
  const evil = '<script>alert(1)</script>"\'&\u001b[2J\u202e';
  const facts = {
    workers: [
      worker(evil, { conditions: [{ ...blocked, why: evil, error: evil, of: evil }] }),
      { where: evil, ok: false, why: evil } as const,
    ],
    queues: { source: { ok: false, why: evil } } as const,
  };
  const status = made(facts);
  const page = statusPage(status);
  expect(page).not.toContain('<script');
  expect(page).toContain('&lt;script&gt;');
  expect(
    `${page}${statusText(status, 80, line)}${statusJson(status, line)}${statusBlock(status, 80)}`,
  ).not.toMatch(controls);
});

test('the status of a worker is read as it was made; anything else is told as what it is', () => {
  const raised = {
    ...well,
    at: now,
    rate: Number.POSITIVE_INFINITY,
    conditions: conditionsAt({ receiving: 'QueueDoesNotExist' }),
    callsHeld: { since: now - 1_000, until: now + 1_000 },
  };
  const status = workerStatusOf(raised, 'w1');
  expect(readWorkerStatus(JSON.stringify(status))).toEqual(status);
  expect(status).toMatchObject({
    rate: { inForce: null },
    conditions: [
      { condition: 'receiving', error: 'QueueDoesNotExist' },
      { condition: 'held-calls', until: new Date(now + 1_000).toISOString() },
    ],
  });
  expect(readWorkerStatus('<html>')).toBe('the answer is not JSON, so it is not the status of a worker');
  for (const wrong of [
    {},
    [],
    null,
    { ...status, since: 'never' },
    { ...status, calls: { ...status.calls, made: -1 } },
    { ...status, conditions: Array(200).fill(status.conditions[0]) },
  ])
    expect(readWorkerStatus(JSON.stringify(wrong))).toMatch(/^the answer is not the status of a worker/);
  const long = readWorkerStatus(JSON.stringify({ ...status, version: 'v'.repeat(5_000) }));
  expect(typeof long === 'string' ? 0 : long.version.length).toBe(200);
});

test('says what to do about whatever a worker can say of itself, and of who does not answer', () => {
  const gates = ['outage', 'unreachable', 'denied', 'misconfigured'] as const;
  const kinds = [...gates.map((gate) => ({ gate })), { gate: 'outage', kind: 'unidentified' }] as const;
  const remedies = kinds.map((state) => {
    const conditions = shownConditions({
      ...well,
      at: now,
      state: 'draining',
      queuesFound: false,
      conditions: conditionsAt(Object.fromEntries(conditionNames.map((name) => [name, 'TimeoutError']))),
      refusedLetters: { count: 1, since: 0, error: 'x' },
      refusedOutcomes: { count: 1, since: 0, error: 'x' },
      gate: state.gate,
      gateReason: { kind: 'kind' in state ? state.kind : 'retryable', name: 'x', message: 'x' },
      callsHeld: { since: 0, until: 1 },
      pollStalledMs: 61_000,
    });
    const { problems } = made({ workers: [worker('a', { conditions: [...conditions] })] });
    expect(problems.filter(({ remedy }) => remedy === undefined)).toEqual([]);
    return problems.find(({ why }) => why.startsWith('calls are paused'))?.remedy;
  });
  expect(new Set(remedies).size).toBe(kinds.length);
  const silent = made({
    workers: [{ where: 'a', ok: false, why: 'no answer within 3 s' }],
    queues: { source: { ok: false, why: 'denied' } },
  });
  expect(silent.problems.map(({ remedy }) => remedy)).toEqual([
    expect.stringContaining('WORKER_URLS'),
    expect.stringContaining('check'),
  ]);
  const unknown = { ...blocked, condition: 'toString', why: 'of a later version' };
  expect(made({ workers: [worker('a', { conditions: [unknown] })] }).problems[0]).not.toHaveProperty(
    'remedy',
  );
});
