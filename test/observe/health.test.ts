import { describe, expect, test } from 'vitest';
import {
  liveness,
  readiness,
  STALLED_MS,
  shownConditions,
  shownLimit,
  shownRate,
} from '../../src/observe/health.ts';
import { conditionNames } from '../../src/worker/conditions.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { conditionsAt, well } from '../../testing/stages/snapshot.ts';

const epoch = '1970-01-01T00:00:00.000Z';

describe('a worker is ready', () => {
  const ready: [string, Partial<WorkerSnapshot>][] = [
    ['when it runs', {}],
    ['with all slots taken', { held: 400, inFlight: 50, settling: 100, oldestHeldMs: 3_600_000 }],
    ['with messages on trial', { onTrial: 5 }],
    ['when unpaced', { rate: Number.POSITIVE_INFINITY }],
  ];
  test.each(ready)('%s', (_, change) => {
    expect(readiness({ ...well, ...change })).toEqual({ ok: true, reasons: [] });
  });
});

describe('a worker is not ready', () => {
  const notReady: [string, Partial<WorkerSnapshot>, string[]][] = [
    ['before it starts', { state: 'stopped' }, [`the worker is stopped (since ${epoch})`]],
    [
      'while it starts',
      { state: 'starting', queuesFound: false },
      [`the worker is starting (since ${epoch})`, `the queues have not been found yet (since ${epoch})`],
    ],
    ['while it drains', { state: 'draining' }, [`the worker is draining (since ${epoch})`]],
    [
      'cut off from SQS',
      { conditions: conditionsAt({ receiving: 'TimeoutError' }) },
      [`receiving from the queue fails (TimeoutError, since ${epoch})`],
    ],
    [
      'while the dead-letter queue is unreachable',
      { conditions: conditionsAt({ 'dead-lettering': 'AccessDenied' }) },
      [`the dead-letter queue does not accept letters (AccessDenied, since ${epoch})`],
    ],
    [
      'while the outcome queue is unreachable',
      { conditions: conditionsAt({ publishing: 'QueueDoesNotExist' }) },
      [`the outcome queue does not accept outcomes (QueueDoesNotExist, since ${epoch})`],
    ],
    [
      'while the outcome queue refuses outcomes',
      { refusedOutcomes: { count: 2, since: 0, error: 'InvalidParameterValue' } },
      [`the outcome queue refuses 2 outcomes (InvalidParameterValue, since ${epoch})`],
    ],
    [
      'while the dead-letter queue refuses a letter',
      { refusedLetters: { count: 1, since: 0, error: 'InvalidParameterValue' } },
      [`the dead-letter queue refuses 1 letter (InvalidParameterValue, since ${epoch})`],
    ],
    [
      'in an outage',
      {
        gate: 'outage',
        gateReason: { kind: 'retryable', name: 'InternalServerException', message: 'hidden' },
        gateSince: 0,
      },
      [`calls are paused: API outage (InternalServerException, since ${epoch})`],
    ],
    [
      'when every call is denied',
      {
        gate: 'denied',
        gateReason: { kind: 'denied', name: 'AccessDeniedException', message: 'hidden' },
        gateSince: 0,
      },
      [
        `calls are paused: the API denies every call: a policy may have been revoked (AccessDeniedException, since ${epoch})`,
      ],
    ],
    [
      'when its credentials are refused',
      { gate: 'misconfigured', gateSince: 0 },
      [`calls are paused: this worker's credentials, clock or configuration are refused (since ${epoch})`],
    ],
    [
      'for several reasons at once, all of which it lists',
      {
        state: 'draining',
        conditions: conditionsAt({ receiving: 'TimeoutError', 'dead-lettering': 'AccessDenied' }),
        gate: 'outage',
      },
      [
        `the worker is draining (since ${epoch})`,
        `receiving from the queue fails (TimeoutError, since ${epoch})`,
        `the dead-letter queue does not accept letters (AccessDenied, since ${epoch})`,
        `calls are paused: API outage (since ${epoch})`,
      ],
    ],
  ];
  test.each(notReady)('%s', (_, change, reasons) => {
    expect(readiness({ ...well, ...change })).toEqual({ ok: false, reasons });
  });
});

test('everything that keeps updates from going through has since and why, and is known by its name', () => {
  const shown = shownConditions({
    ...well,
    at: 65_000,
    state: 'draining',
    stateSince: 1_000,
    queuesFound: false,
    conditions: conditionsAt(Object.fromEntries(conditionNames.map((name) => [name, 'TimeoutError']))),
    refusedLetters: { count: 3, since: 2_000, error: 'InvalidMessageContents' },
    refusedOutcomes: { count: 1, since: 3_000, error: 'InvalidMessageContents' },
    gate: 'unreachable',
    gateReason: { kind: 'unreachable', name: 'ECONNREFUSED', message: 'hidden' },
    gateSince: 4_000,
    callsHeld: { since: 4_500, until: 70_000 },
    pollStalledMs: 61_000,
  });
  expect(shown.map(({ condition }) => condition)).toEqual([
    'draining',
    'queues',
    ...conditionNames,
    'refused-letters',
    'refused-outcomes',
    'calling',
    'held-calls',
    'polling',
  ]);
  for (const { condition, since, why } of shown) {
    expect(since, condition).toMatch(/^1970-01-01T00:00:0[0-4]\.[05]00Z$/);
    expect(why, condition).toMatch(/ /);
  }
  expect(shown.at(-3)).toEqual({
    condition: 'calling',
    effect: 'not-ready',
    since: '1970-01-01T00:00:04.000Z',
    why: 'calls are paused: cannot connect to the API',
    error: 'ECONNREFUSED',
  });
});

test('a hold is shown with its end, and leaves the worker ready: the API works', () => {
  const held = { ...well, at: 1_000, callsHeld: { since: 0, until: 5_000 } };
  expect(shownConditions(held)).toEqual([
    {
      condition: 'held-calls',
      effect: 'noted',
      since: epoch,
      until: '1970-01-01T00:00:05.000Z',
      why: 'all calls wait: the API has told several in a row when to retry',
    },
  ]);
  expect(readiness(held)).toEqual({ ok: true, reasons: [] });
});

test('the rate is shown with its ceiling and whose budget it is, alone since when', () => {
  const shared = {
    ...well,
    rate: 80,
    rateCeiling: 100,
    rateBudget: 'shared',
    rateFleet: 'following',
  } as const;
  expect(shownRate(shared)).toEqual({
    perSecond: 80,
    ceiling: 100,
    apiLimit: null,
    budget: 'shared',
    fleet: 'following',
  });
  const conditions = conditionsAt({ 'sharing-rate': 'ECONNREFUSED' });
  const alone = { ...shared, rate: 25, rateBudget: 'alone', rateFleet: 'alone', conditions } as const;
  expect(shownRate(alone)).toEqual({
    perSecond: 25,
    ceiling: 100,
    apiLimit: null,
    budget: 'alone',
    fleet: 'alone',
    aloneSince: epoch,
  });
  // Each worker keeps to its part, and updates go through.
  expect(readiness(alone)).toEqual({ ok: true, reasons: [] });
});

test('the limit of the API is shown as far as it is known', () => {
  const found = { perSecond: 198.3456, since: 0, withinShare: 0.0123456, periodMs: undefined, noise: 0 };
  expect(shownRate({ ...well, apiLimit: found }).apiLimit).toEqual({
    perSecond: 198.35,
    within: 0.0123,
    since: epoch,
    periodSeconds: null,
    noise: 0,
  });
  const window = { ...found, withinShare: undefined, periodMs: 60_049, noise: 0.010_04 };
  expect(shownLimit({ ...well, apiLimit: window })).toMatchObject({
    within: null,
    periodSeconds: 60,
    noise: 0.01,
  });
});

test('a worker whose permits do not come is not ready', () => {
  expect(readiness({ ...well, conditions: conditionsAt({ pacing: 'Error' }) }).ok).toBe(false);
});

describe('a worker is alive', () => {
  const alive: [string, Partial<WorkerSnapshot>][] = [
    ['when it runs', {}],
    ['before it starts', { state: 'stopped', queuesFound: false }],
    ['while it starts', { state: 'starting', queuesFound: false }],
    ['while it drains', { state: 'draining' }],
    ['cut off from SQS', { conditions: conditionsAt({ receiving: 'TimeoutError' }) }],
    ['while calls are paused', { gate: 'outage' }],
    ['while the dead-letter queue is unreachable', { conditions: conditionsAt({ 'dead-lettering': 'X' }) }],
    ['while the outcome queue is unreachable', { conditions: conditionsAt({ publishing: 'X' }) }],
    ['during a long poll', { pollStalledMs: 30_000 }],
    ['at the limit', { pollStalledMs: STALLED_MS }],
    ['with one message held for hours', { held: 1, oldestHeldMs: 12 * 3_600_000 }],
  ];
  test.each(alive)('%s', (_, change) => {
    expect(liveness({ ...well, ...change })).toEqual({ ok: true, reasons: [] });
  });
});

test('a worker is dead when it wants messages and has finished no poll for over a minute', () => {
  expect(liveness({ ...well, pollStalledMs: STALLED_MS + 1 })).toEqual({
    ok: false,
    reasons: ['no poll has finished for 60 s although messages are wanted'],
  });
});
