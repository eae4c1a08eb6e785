import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { logSummaries, SUMMARY_EVERY_MS } from '../../src/observe/summary.ts';
import type { Counts } from '../../src/worker/activity.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { conditionsAt, well } from '../../testing/stages/snapshot.ts';

describe('logSummaries', () => {
  let counts: { -readonly [Key in keyof Counts]: Counts[Key] };
  let now: WorkerSnapshot;
  let lines: Record<string, unknown>[];
  let stop: () => void;

  beforeEach(() => {
    vi.useFakeTimers();
    counts = { ...well.counts };
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

  test('counts errors of calls and of SQS requests by name, and leaves out what has not occurred', () => {
    const callErrors = new Map([['TimeoutError', 3]]);
    const queueErrors = new Map<string, number>();
    Object.assign(counts, { callErrors, queueErrors, failed: 3, calls: 3 });
    vi.advanceTimersByTime(10_000);
    callErrors.set('TimeoutError', 5).set('__proto__', 1);
    queueErrors.set('ServiceUnavailable', 2);
    counts.failed = 6;
    vi.advanceTimersByTime(10_000);
    expect(lines[0]).toMatchObject({ callErrors: { TimeoutError: 3 } });
    expect(lines[0]).not.toHaveProperty('queueErrors');
    expect(JSON.stringify(lines[1]?.callErrors)).toBe('{"TimeoutError":2,"__proto__":1}');
    expect(lines[1]).toMatchObject({ queueErrors: { ServiceUnavailable: 2 } });
    stop();
  });

  test('says what updates are blocked by, since when and why, also while nothing is held', () => {
    now = { ...well, gate: 'outage', gateSince: 0, conditions: conditionsAt({ receiving: 'TimeoutError' }) };
    vi.advanceTimersByTime(10_000);
    const since = '1970-01-01T00:00:00.000Z';
    expect(lines).toMatchObject([
      {
        conditions: [
          { condition: 'receiving', since, why: 'receiving from the queue fails', error: 'TimeoutError' },
          { condition: 'calling', since, why: 'calls are paused: API outage' },
        ],
      },
    ]);
    // What is only noted makes no lines in an idle worker.
    now = { ...well, conditions: conditionsAt({ 'sharing-rate': 'ECONNREFUSED' }) };
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(1);
    counts.applied++;
    vi.advanceTimersByTime(10_000);
    expect(lines[1]).toMatchObject({ conditions: [{ condition: 'sharing-rate', effect: 'noted', since }] });
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

  test('holds the limit of the API, of which a line of its own says more', () => {
    const apiLimit = { perSecond: 61.504, since: 0, withinShare: 0.02, periodMs: undefined, noise: 0 };
    now = { ...well, held: 1, apiLimit };
    vi.advanceTimersByTime(20_000);
    expect(lines).toMatchObject([
      { event: 'rate.limit_found', apiLimit: 61.5, within: 0.02 },
      { event: 'summary', apiLimit: 61.5 },
      { event: 'summary', apiLimit: 61.5 },
    ]);
    stop();
  });

  test('is at level info', () => {
    counts.applied = 1;
    vi.advanceTimersByTime(10_000);
    expect(lines).toMatchObject([{ level: 30 }]);
    stop();
  });
});
