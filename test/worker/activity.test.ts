import { describe, expect, test } from 'vitest';
import type { Disposition } from '../../src/message/disposition.ts';
import type { Failure } from '../../src/message/failure.ts';
import { Activity, OTHER } from '../../src/worker/activity.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';

function subjectSentAt(sentAt: number) {
  const message = { messageId: 'm', receiptHandle: 'r', body: '', attributes: {}, sentAt, receiveCount: 1 };
  return { message, ids: { identifier: 'task1' } };
}

function attempt(kind?: Failure['kind'], name = 'X'): WorkerEvent {
  const failure = kind && { failure: { kind, name, message: '' } };
  return { type: 'attempt', subject: subjectSentAt(0), attempt: 1, durationMs: 5, ...failure };
}

function settled(disposition: Disposition, sentAt = 0): WorkerEvent {
  return { type: 'settled', subject: subjectSentAt(sentAt), disposition, attempts: 1, dwellMs: 5 };
}

const applied: Disposition = { action: 'acknowledge', outcome: 'applied' };
const dead = (reason: 'Rejected' | 'Invalid'): Disposition => ({
  action: 'dead-letter',
  reason,
  error: { name: 'X', message: '' },
});

/** An activity whose clocks stand at `time.now`; epoch time is a million ahead. */
function setUp() {
  const time = { now: 500 };
  const activity = new Activity({ wall: () => 1_000_000 + time.now, monotonic: () => time.now });
  return {
    time,
    activity,
    see: (...events: WorkerEvent[]) => {
      for (const each of events) activity.observe(each);
    },
  };
}

describe('activity', () => {
  test('counts messages received, calls, settlements, and failures by name', () => {
    const { activity, see } = setUp();
    see(
      { type: 'received', count: 10, durationMs: 5 },
      { type: 'received', count: 3, durationMs: 5 },
      attempt(),
      attempt('throttled', 'ThrottlingException'),
      attempt('retryable', 'TimeoutError'),
      attempt('rejected', 'ValidationException'),
      attempt('retryable', 'TimeoutError'),
      settled(applied),
      settled({ action: 'acknowledge', outcome: 'superseded' }),
      settled({ action: 'defer', seconds: 5 }),
      settled({ action: 'release' }),
      settled(dead('Rejected')),
      settled(dead('Rejected')),
      settled(dead('Invalid')),
      {
        type: 'receive-failed',
        error: Object.assign(new Error(), { name: 'ServiceUnavailable' }),
        retryInMs: 1,
      },
      { type: 'settle-failed', request: 'delete', count: 2, error: { code: 'InternalError' } },
    );
    const { counts } = activity.now();
    expect(counts).toEqual({
      received: 13,
      applied: 1,
      superseded: 1,
      deadLettered: 3,
      deferred: 1,
      released: 1,
      calls: 5,
      throttled: 1,
      failed: 3,
      deadLetteredByReason: { Rejected: 2, Invalid: 1 },
      callErrors: new Map([
        ['ThrottlingException', 1],
        ['TimeoutError', 2],
        ['ValidationException', 1],
      ]),
      queueErrors: new Map([
        ['ServiceUnavailable', 1],
        ['InternalError', 1],
      ]),
    });
    // A copy: those of the activity go on.
    see(settled(applied));
    expect(counts.applied).toBe(1);
    expect(activity.counts.applied).toBe(2);
  });

  test('keeps fifty names of errors apart, whatever they are, and counts the others together', () => {
    const { activity, see } = setUp();
    see(attempt('rejected', '__proto__'));
    for (let i = 0; i < 60; i++) see(attempt('rejected', `Invented${i}`));
    see(attempt('rejected', 'Invented0'));
    const { callErrors } = activity.counts;
    expect(callErrors.size).toBe(51);
    expect(callErrors.get('__proto__')).toBe(1);
    expect(callErrors.get('Invented0')).toBe(2);
    expect(callErrors.get(OTHER)).toBe(11);
  });

  test('measures calls and ended messages per second over ten seconds', () => {
    const { time, activity, see } = setUp();
    expect(activity.now()).toMatchObject({ callsPerSecond: 0, finishedPerSecond: 0 });
    for (let second = 0; second < 20; second++) {
      for (let i = 0; i < 30; i++) see(attempt());
      for (let i = 0; i < 10; i++)
        see(settled(applied), settled(dead('Invalid')), settled({ action: 'release' }));
      time.now += 1_000;
    }
    expect(activity.now()).toMatchObject({ callsPerSecond: 30, finishedPerSecond: 20 });
    time.now += 5_000;
    expect(activity.now().callsPerSecond).toBeCloseTo(13.3, 1);
    time.now += 1e6;
    expect(activity.now()).toMatchObject({ callsPerSecond: 0, finishedPerSecond: 0 });
  });

  test('tells the last success, and the messages deferred that are not visible yet', () => {
    const { time, activity, see } = setUp();
    see(attempt('rejected'), settled({ action: 'defer', seconds: 2 }, 30));
    expect(activity.now()).toMatchObject({ lastSuccess: undefined, deferred: 1, oldestDeferred: 30 });
    time.now = 1_000;
    see(
      attempt(),
      settled({ action: 'defer', seconds: 100 }, 70),
      settled({ action: 'defer', seconds: 100 }, 60),
    );
    expect(activity.now()).toMatchObject({ lastSuccess: 1_001_000, deferred: 3, oldestDeferred: 30 });
    time.now = 3_000;
    expect(activity.now()).toMatchObject({ deferred: 2, oldestDeferred: 60 });
    time.now = 200_000;
    expect(activity.now()).toMatchObject({ deferred: 0, oldestDeferred: undefined });
  });
});
