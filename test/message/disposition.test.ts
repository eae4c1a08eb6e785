import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Disposition,
  type DispositionContext,
  decideDisposition,
  decideRetry,
  deferralSeconds,
  type Ending,
  type RetryDecision,
  type Tally,
} from '../../src/message/disposition.ts';
import type { Failure, FailureKind } from '../../src/message/failure.ts';

const settings = { baseMs: 200, maxMs: 20_000, maxAttempts: 5 };
const half = () => 0.5;
const kinds: readonly FailureKind[] = [
  'throttled',
  'unreachable',
  'retryable',
  'conflict',
  'denied',
  'rejected',
  'misconfigured',
  'unidentified',
  'internal',
];

function failed(kind: FailureKind, extra: Partial<Failure> = {}): Failure {
  return { kind, name: 'SomeException', message: 'it failed', ...extra };
}

function tally(counts: Partial<Tally> = {}): Tally {
  return { attempts: 1, counted: 0, throttledInARow: 0, ...counts };
}

describe('decideRetry', () => {
  const no: RetryDecision = { retry: false };
  const again = (delayMs: number): RetryDecision => ({ retry: true, delayMs });

  test.each<[string, Failure, Partial<Tally>, boolean, RetryDecision]>([
    ['throttled once', failed('throttled'), { throttledInARow: 1 }, false, again(100)],
    ['throttled thrice', failed('throttled'), { throttledInARow: 3 }, false, again(400)],
    [
      'throttled 9,999 times',
      failed('throttled'),
      { attempts: 9_999, throttledInARow: 9_999 },
      false,
      again(10_000),
    ],
    [
      'throttled after other failures',
      failed('throttled'),
      { counted: 5, throttledInARow: 1 },
      false,
      again(100),
    ],
    [
      'throttled, with Retry-After',
      failed('throttled', { retryAfterMs: 7_000 }),
      { throttledInARow: 1 },
      false,
      again(7_000),
    ],
    [
      'throttled, with a shorter Retry-After',
      failed('throttled', { retryAfterMs: 1 }),
      { throttledInARow: 3 },
      false,
      again(400),
    ],
    ['throttled while closed', failed('throttled'), { throttledInARow: 1 }, true, again(100)],

    ['retryable once', failed('retryable'), { counted: 1 }, false, again(100)],
    ['retryable, one attempt left', failed('retryable'), { counted: 4 }, false, again(800)],
    ['retryable, attempts spent', failed('retryable'), { counted: 5 }, false, no],
    [
      'retryable, with Retry-After',
      failed('retryable', { retryAfterMs: 7_000 }),
      { counted: 1 },
      false,
      again(7_000),
    ],
    [
      'retryable, attempts spent, with Retry-After',
      failed('retryable', { retryAfterMs: 7_000 }),
      { counted: 5 },
      false,
      no,
    ],
    ['retryable while closed', failed('retryable'), { counted: 5 }, true, again(0)],
    [
      'retryable while closed, with Retry-After',
      failed('retryable', { retryAfterMs: 7_000 }),
      { counted: 5 },
      true,
      again(7_000),
    ],
    [
      'retryable, many of them throttles',
      failed('retryable'),
      { attempts: 99, counted: 1 },
      false,
      again(100),
    ],

    ['unidentified once', failed('unidentified'), { counted: 1 }, false, again(100)],
    ['unidentified, attempts spent', failed('unidentified'), { counted: 5 }, false, no],
    ['unidentified while closed', failed('unidentified'), { counted: 5 }, true, again(0)],

    ['conflict once', failed('conflict'), { counted: 1 }, false, again(100)],
    ['conflict, attempts spent', failed('conflict'), { counted: 5 }, false, no],
    ['conflict, attempts spent, while closed', failed('conflict'), { counted: 5 }, true, no],

    ['misconfigured', failed('misconfigured'), {}, true, again(0)],
    ['unreachable', failed('unreachable'), { counted: 5 }, true, again(0)],
    ['denied', failed('denied'), {}, false, no],
    ['denied while closed', failed('denied'), {}, true, again(0)],
    ['rejected', failed('rejected'), {}, false, no],
    ['rejected while closed', failed('rejected'), {}, true, no],
    ['rejected, with Retry-After', failed('rejected', { retryAfterMs: 7_000 }), {}, false, no],
    ['internal', failed('internal'), {}, false, no],
    ['internal while closed', failed('internal'), {}, true, no],
  ])('%s', (_, failure, counts, gateClosed, decision) => {
    expect(decideRetry(failure, tally(counts), gateClosed, settings, half)).toEqual(decision);
  });

  test('never ends a delivery because of throttling', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        (attempts, counted, throttledInARow, closed) => {
          const decision = decideRetry(
            failed('throttled'),
            { attempts, counted, throttledInARow },
            closed,
            settings,
            half,
          );
          expect(decision.retry).toBe(true);
        },
      ),
    );
  });

  test('never calls again before Retry-After', () => {
    const kind = fc.constantFrom<FailureKind>('throttled', 'retryable', 'unidentified');
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        kind,
        fc.nat(900_000),
        fc.integer({ min: 1, max: 4 }),
        random,
        (name, retryAfterMs, count, drawn) => {
          const counts = tally({ counted: count, throttledInARow: count });
          const decision = decideRetry(failed(name, { retryAfterMs }), counts, false, settings, () => drawn);
          expect(decision).toMatchObject({ retry: true });
          expect(decision.retry && decision.delayMs).toBeGreaterThanOrEqual(retryAfterMs);
        },
      ),
    );
  });
});

describe('decideDisposition', () => {
  const young: DispositionContext = {
    receiveCount: 1,
    maxDeliveries: 5,
    secondsToExpiring: 86_400,
    gateClosed: false,
  };
  const error = { name: 'SomeException', message: 'it failed' };
  const letter = (reason: 'Rejected' | 'RetriesExhausted' | 'Expiring' | 'InternalError'): Disposition => ({
    action: 'dead-letter',
    reason,
    error,
  });
  const failure = (kind: FailureKind): Ending => ({ kind: 'failed', failure: failed(kind) });
  const last = { receiveCount: 5 };
  const closed = { gateClosed: true };
  const expiring = { secondsToExpiring: 0 };

  test.each<[string, Ending, Partial<DispositionContext>, Disposition]>([
    ['applied', { kind: 'applied', superseded: [] }, {}, { action: 'acknowledge', outcome: 'applied' }],
    [
      'applied at the last moment',
      { kind: 'applied', superseded: [] },
      { ...last, ...expiring },
      { action: 'acknowledge', outcome: 'applied' },
    ],
    [
      'applied while closed',
      { kind: 'applied', superseded: [] },
      closed,
      { action: 'acknowledge', outcome: 'applied' },
    ],
    [
      'superseded',
      { kind: 'superseded', superseded: ['Description'] },
      {},
      { action: 'acknowledge', outcome: 'superseded' },
    ],
    [
      'superseded at the last moment',
      { kind: 'superseded', superseded: ['Description'] },
      { ...last, ...expiring },
      { action: 'acknowledge', outcome: 'superseded' },
    ],

    ['retryable', failure('retryable'), {}, { action: 'defer', seconds: 3 }],
    [
      'retryable, second delivery',
      failure('retryable'),
      { receiveCount: 2 },
      { action: 'defer', seconds: 5 },
    ],
    ['retryable, last but one', failure('retryable'), { receiveCount: 4 }, { action: 'defer', seconds: 20 }],
    ['retryable, last delivery', failure('retryable'), last, letter('RetriesExhausted')],
    ['retryable, beyond the last', failure('retryable'), { receiveCount: 6 }, letter('RetriesExhausted')],
    [
      'retryable, last, in an outage',
      failure('retryable'),
      { ...last, ...closed },
      { action: 'defer', seconds: 40 },
    ],
    [
      'retryable, in the 50th delivery of an outage',
      failure('retryable'),
      { receiveCount: 50, ...closed },
      { action: 'defer', seconds: 60 },
    ],
    ['retryable, expiring', failure('retryable'), expiring, letter('Expiring')],
    [
      'retryable, expiring in an outage',
      failure('retryable'),
      { ...expiring, ...closed },
      letter('Expiring'),
    ],
    [
      'retryable, last and expiring',
      failure('retryable'),
      { ...last, ...expiring },
      letter('RetriesExhausted'),
    ],

    ['rejected', failure('rejected'), {}, letter('Rejected')],
    ['rejected while closed', failure('rejected'), closed, letter('Rejected')],
    ['rejected, expiring', failure('rejected'), expiring, letter('Rejected')],

    ['denied, found guilty', failure('denied'), {}, letter('Rejected')],
    // In an outage, and with the policy revoked, nothing is dead-lettered (a trial's term may end in one).
    ['denied while closed', failure('denied'), closed, { action: 'release' }],
    ['denied while closed, expiring', failure('denied'), { ...closed, ...expiring }, letter('Expiring')],

    ['internal', failure('internal'), {}, { action: 'defer', seconds: 3 }],
    ['internal, last delivery', failure('internal'), last, letter('InternalError')],
    ['internal, expiring', failure('internal'), expiring, letter('Expiring')],

    ['throttled', failure('throttled'), {}, { action: 'release' }],
    ['throttled, last delivery', failure('throttled'), last, { action: 'release' }],
    ['throttled, expiring', failure('throttled'), expiring, letter('Expiring')],
    ['misconfigured', failure('misconfigured'), {}, { action: 'release' }],
    ['misconfigured, last delivery', failure('misconfigured'), last, { action: 'release' }],
    ['misconfigured, expiring', failure('misconfigured'), expiring, letter('Expiring')],
    ['unreachable', failure('unreachable'), {}, { action: 'release' }],
    ['unreachable, last delivery', failure('unreachable'), last, { action: 'release' }],
    ['unreachable, expiring', failure('unreachable'), expiring, letter('Expiring')],
    ['unidentified', failure('unidentified'), {}, { action: 'defer', seconds: 3 }],
    ['unidentified, last delivery', failure('unidentified'), last, letter('RetriesExhausted')],
    [
      'unidentified, last delivery, while closed',
      failure('unidentified'),
      { ...last, ...closed },
      { action: 'defer', seconds: 40 },
    ],
    ['conflict', failure('conflict'), {}, { action: 'defer', seconds: 3 }],
    ['conflict, last delivery', failure('conflict'), last, letter('RetriesExhausted')],
    ['unidentified, expiring', failure('unidentified'), expiring, letter('Expiring')],

    ['given up', { kind: 'given-up' }, {}, { action: 'release' }],
    ['given up, last delivery', { kind: 'given-up' }, last, { action: 'release' }],
    ['given up for a while', { kind: 'given-up', deferSeconds: 9 }, {}, { action: 'defer', seconds: 9 }],
    [
      'given up after a failure, expiring',
      { kind: 'given-up', failure: failed('throttled') },
      expiring,
      letter('Expiring'),
    ],
    [
      'given up for a while, expiring',
      { kind: 'given-up', deferSeconds: 9, failure: failed('retryable') },
      expiring,
      letter('Expiring'),
    ],
    ['past expiring', failure('throttled'), { secondsToExpiring: -86_400 }, letter('Expiring')],
  ])('%s', (_, ending, context, disposition) => {
    expect(decideDisposition(ending, { ...young, ...context }, half)).toEqual(disposition);
  });

  test('dead-letters an invalid update with what is wrong, also when it is expiring', () => {
    const expected = {
      action: 'dead-letter',
      reason: 'Invalid',
      error: { name: 'InvalidUpdate', message: 'the body is not JSON' },
    };
    const ending: Ending = { kind: 'invalid', message: 'the body is not JSON' };
    expect(decideDisposition(ending, young, half)).toEqual(expected);
    expect(decideDisposition(ending, { ...young, ...closed, ...expiring }, half)).toEqual(expected);
  });

  test('dead-letters an expiring message that was never called for', () => {
    const disposition = decideDisposition({ kind: 'given-up' }, { ...young, ...expiring }, half);
    expect(disposition).toMatchObject({
      action: 'dead-letter',
      reason: 'Expiring',
      error: { name: 'Expiring' },
    });
  });

  test('keeps name, message, status and request id of the failure', () => {
    const full = failed('rejected', { status: 400, requestId: 'r-1', retryAfterMs: 9, stack: 'at x' });
    expect(decideDisposition({ kind: 'failed', failure: full }, young, half)).toEqual({
      action: 'dead-letter',
      reason: 'Rejected',
      error: { ...error, status: 400, requestId: 'r-1' },
    });
  });

  test('defers no longer than until the message is expiring', () => {
    const ending: Ending = { kind: 'given-up', deferSeconds: 100 };
    expect(decideDisposition(ending, { ...young, secondsToExpiring: 42.9 }, half)).toEqual({
      action: 'defer',
      seconds: 42,
    });
    expect(decideDisposition(ending, { ...young, secondsToExpiring: 0.9 }, half)).toEqual({
      action: 'defer',
      seconds: 0,
    });
    expect(
      decideDisposition(ending, { ...young, secondsToExpiring: Number.POSITIVE_INFINITY }, half),
    ).toEqual({
      action: 'defer',
      seconds: 100,
    });
  });

  test('releases what is not the message’s fault while there is time, and never defers beyond expiring', () => {
    const arbitrary = fc.record({
      kind: fc.constantFrom(...kinds),
      receiveCount: fc.integer({ min: 1, max: 1_000 }),
      secondsToExpiring: fc.double({ min: 0.001, max: 400_000, noNaN: true }),
      gateClosed: fc.boolean(),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(arbitrary, ({ kind, random, ...context }) => {
        const disposition = decideDisposition(failure(kind), { ...young, ...context }, () => random);
        if (['throttled', 'misconfigured', 'unreachable'].includes(kind))
          expect(disposition.action).toBe('release');
        if (['retryable', 'unidentified'].includes(kind) && context.gateClosed)
          expect(disposition.action).toBe('defer');
        if (disposition.action === 'defer') {
          expect(Number.isInteger(disposition.seconds)).toBe(true);
          expect(disposition.seconds).toBeGreaterThanOrEqual(0);
          expect(disposition.seconds).toBeLessThanOrEqual(Math.min(120, context.secondsToExpiring));
        }
      }),
    );
  });
});

describe('deferralSeconds', () => {
  test.each([
    [1, 0.999, 5],
    [2, 0.999, 10],
    [5, 0.999, 80],
    [6, 0.999, 120],
    [500, 0.999, 120],
    [3, 0, 0],
  ])('at receive count %i and random number %d is %i', (receiveCount, random, seconds) => {
    expect(deferralSeconds(receiveCount, () => random)).toBe(seconds);
  });
});
