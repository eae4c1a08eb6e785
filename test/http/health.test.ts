import { describe, expect, test } from 'vitest';
import { liveness, readiness, STALLED_MS, shownRate } from '../../src/http/health.ts';
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
    ['before it starts', { state: 'stopped' }, ['the worker is stopped']],
    [
      'while it starts',
      { state: 'starting', queuesFound: false },
      ['the worker is starting', 'the queues have not been found yet'],
    ],
    ['while it drains', { state: 'draining' }, ['the worker is draining']],
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
      { refusedOutcomes: 2 },
      ['the outcome queue refuses 2 outcomes'],
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
      { gate: 'denied', gateReason: { kind: 'denied', name: 'AccessDeniedException', message: 'hidden' } },
      ['calls are paused: the API denies every call: a policy may have been revoked (AccessDeniedException)'],
    ],
    [
      'when its credentials are refused',
      { gate: 'misconfigured' },
      ["calls are paused: this worker's credentials, clock or configuration are refused"],
    ],
    [
      'for several reasons at once, all of which it lists',
      {
        state: 'draining',
        conditions: conditionsAt({ receiving: 'TimeoutError', 'dead-lettering': 'AccessDenied' }),
        gate: 'outage',
      },
      [
        'the worker is draining',
        `receiving from the queue fails (TimeoutError, since ${epoch})`,
        `the dead-letter queue does not accept letters (AccessDenied, since ${epoch})`,
        'calls are paused: API outage',
      ],
    ],
  ];
  test.each(notReady)('%s', (_, change, reasons) => {
    expect(readiness({ ...well, ...change })).toEqual({ ok: false, reasons });
  });
});

test('the rate is shown with its ceiling and whose budget it is, alone since when', () => {
  const shared = { ...well, rate: 80, rateCeiling: 100, rateBudget: 'shared' } as const;
  expect(shownRate(shared)).toEqual({ perSecond: 80, ceiling: 100, budget: 'shared' });
  const conditions = conditionsAt({ 'sharing-rate': 'ECONNREFUSED' });
  const alone = { ...shared, rate: 25, rateBudget: 'alone', conditions } as const;
  expect(shownRate(alone)).toEqual({ perSecond: 25, ceiling: 100, budget: 'alone', aloneSince: epoch });
  // Each worker keeps to its part, and updates go through.
  expect(readiness(alone)).toEqual({ ok: true, reasons: [] });
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
