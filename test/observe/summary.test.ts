import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Disposition } from '../../src/message/disposition.ts';
import type { Failure } from '../../src/message/failure.ts';
import type { Message } from '../../src/message/message.ts';
import type { Counts } from '../../src/observe/counts.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { logSummaries, SUMMARY_EVERY_MS } from '../../src/observe/summary.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { well } from '../../testing/stages/snapshot.ts';

const message: Message = {
  messageId: 'm1',
  receiptHandle: 'r1',
  body: '',
  attributes: {},
  sentAt: 0,
  receiveCount: 1,
};
const subject = { message, ids: { identifier: 'task1' } };

function attempt(kind?: Failure['kind']): WorkerEvent {
  const failure = kind && { failure: { kind, name: 'X', message: '' } };
  return { type: 'attempt', subject, attempt: 1, durationMs: 5, ...failure };
}

function settled(disposition: Disposition): WorkerEvent {
  return { type: 'settled', subject, disposition, attempts: 1, dwellMs: 5 };
}

describe('the counts', () => {
  test('are of messages received, calls and settlements', () => {
    const { counts, listener } = createMetrics(() => well);
    listener({ type: 'received', count: 10, durationMs: 5 });
    listener({ type: 'received', count: 3, durationMs: 5 });
    listener(attempt());
    listener(attempt('throttled'));
    listener(attempt('retryable'));
    listener(attempt('rejected'));
    listener(settled({ action: 'acknowledge', outcome: 'applied' }));
    listener(settled({ action: 'acknowledge', outcome: 'superseded' }));
    listener(settled({ action: 'defer', seconds: 5 }));
    listener(settled({ action: 'release' }));
    const error = { name: 'X', message: '' };
    listener(settled({ action: 'dead-letter', reason: 'Rejected', error }));
    listener(settled({ action: 'dead-letter', reason: 'Rejected', error }));
    listener(settled({ action: 'dead-letter', reason: 'Invalid', error }));
    expect(counts).toEqual({
      received: 13,
      applied: 1,
      superseded: 1,
      deadLettered: 3,
      deferred: 1,
      released: 1,
      calls: 4,
      throttled: 1,
      failed: 2,
      deadLetteredByReason: { Rejected: 2, Invalid: 1 },
    });
  });
});

describe('logSummaries', () => {
  let counts: Counts;
  let now: WorkerSnapshot;
  let lines: Record<string, unknown>[];
  let stop: () => void;

  beforeEach(() => {
    vi.useFakeTimers();
    counts = createMetrics(() => well).counts;
    now = well;
    lines = [];
    const log = pino(
      { base: null, timestamp: false },
      { write: (line) => void lines.push(JSON.parse(line)) },
    );
    stop = logSummaries(log, counts, () => now);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('writes every ten seconds what has happened since the previous line', () => {
    expect(SUMMARY_EVERY_MS).toBe(10_000);
    counts.applied = 100;
    counts.calls = 120;
    counts.throttled = 15;
    counts.failed = 5;
    vi.advanceTimersByTime(9_999);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(lines).toMatchObject([
      {
        event: 'summary',
        applied: 100,
        calls: 120,
        throttled: 15,
        failed: 5,
        held: 0,
        gate: 'open',
        rate: 10,
        rateCeiling: 10,
        rateBudget: 'none',
      },
    ]);
    counts.applied = 150;
    counts.calls = 170;
    vi.advanceTimersByTime(10_000);
    expect(lines[1]).toMatchObject({ applied: 50, calls: 50, throttled: 0, failed: 0 });
    stop();
  });

  test('writes nothing while nothing happens and nothing is held', () => {
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual([]);
    now = { ...well, held: 3, gate: 'outage' };
    vi.advanceTimersByTime(10_000);
    expect(lines).toMatchObject([{ held: 3, gate: 'outage', applied: 0 }]);
    stop();
  });

  test('writes a last line when it is stopped', () => {
    counts.deadLettered = 2;
    stop();
    expect(lines).toMatchObject([{ deadLettered: 2 }]);
    counts.applied = 5;
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(1);
  });

  test('writes an unpaced rate as a word, because JSON has no Infinity', () => {
    now = { ...well, held: 1, rate: Number.POSITIVE_INFINITY, rateCeiling: Number.POSITIVE_INFINITY };
    vi.advanceTimersByTime(10_000);
    expect(lines).toMatchObject([{ rate: 'unlimited', rateCeiling: 'unlimited' }]);
    stop();
  });

  test('is at level info', () => {
    counts.applied = 1;
    vi.advanceTimersByTime(10_000);
    expect(lines).toMatchObject([{ level: 30 }]);
    stop();
  });
});
