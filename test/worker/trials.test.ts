import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TRIAL_MS, Trials } from '../../src/worker/trials.ts';

const now = () => performance.now();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const trials = new Trials(now);
  const verdicts: Record<string, string> = {};
  const hold = (identifier: string, name = identifier) => {
    const { verdict, release } = trials.begin(identifier);
    void verdict.then((found) => {
      verdicts[name] = found;
    });
    return { release };
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { trials, verdicts, hold, pass };
}

describe('Trials', () => {
  test('finds guilty who was denied when a later call for another Identifier succeeds', async () => {
    const { trials, verdicts, hold, pass } = setUp();
    hold('a1');
    hold('a2');
    await pass(100);
    expect(verdicts).toEqual({});
    trials.observeApplied('b1', now());
    await pass(0);
    expect(verdicts).toEqual({ a1: 'guilty', a2: 'guilty' });
    expect(trials.open.size).toBe(0);
  });

  test('is not moved by a success of the same Identifier', async () => {
    const { trials, verdicts, hold, pass } = setUp();
    hold('a1');
    hold('a2');
    await pass(100);
    trials.observeApplied('a1', now());
    await pass(0);
    expect(verdicts).toEqual({ a2: 'guilty' });
    expect(trials.open.size).toBe(1);
  });

  test('is not moved by a call that began before the denial, however late it ended', async () => {
    const { trials, verdicts, hold, pass } = setUp();
    const startedAt = now();
    await pass(100);
    hold('a1');
    await pass(100);
    trials.observeApplied('b1', startedAt);
    await pass(0);
    expect(verdicts).toEqual({});
  });

  test('judges by one success all who were denied before that call, and none after', async () => {
    const { trials, verdicts, hold, pass } = setUp();
    hold('a1');
    hold('a2');
    await pass(10);
    const startedAt = now();
    await pass(10);
    hold('a3');
    trials.observeApplied('b1', startedAt);
    await pass(0);
    expect(verdicts).toEqual({ a1: 'guilty', a2: 'guilty' });
  });

  test('ends with its term, each by its own', async () => {
    const { verdicts, hold, pass } = setUp();
    hold('a1');
    await pass(10_000);
    hold('a2');
    await pass(TRIAL_MS - 10_001);
    expect(verdicts).toEqual({});
    await pass(1);
    expect(verdicts).toEqual({ a1: 'guilty' });
    await pass(9_999);
    expect(verdicts).toEqual({ a1: 'guilty' });
    await pass(1);
    expect(verdicts).toEqual({ a1: 'guilty', a2: 'guilty' });
  });

  test('lasts 30 s', () => {
    expect(TRIAL_MS).toBe(30_000);
  });

  test('keeps its own term when one before it has ended otherwise', async () => {
    const { verdicts, hold, pass } = setUp();
    const first = hold('a1');
    await pass(10_000);
    hold('a2');
    first.release();
    await pass(TRIAL_MS - 1);
    expect(verdicts).toEqual({ a1: 'released' });
    await pass(1);
    expect(verdicts).toEqual({ a1: 'released', a2: 'guilty' });
  });

  test('releases what is interrupted, and that verdict is final', async () => {
    const { trials, verdicts, hold, pass } = setUp();
    const trial = hold('a1');
    trial.release();
    trials.observeApplied('b1', now());
    await pass(TRIAL_MS);
    expect(verdicts).toEqual({ a1: 'released' });
    expect(trials.open.size).toBe(0);
  });

  test('holds two trials of one Identifier apart', async () => {
    const { trials, verdicts, hold, pass } = setUp();
    const first = hold('a1', 'first');
    hold('a1', 'second');
    first.release();
    await pass(0);
    expect(verdicts).toEqual({ first: 'released' });
    expect(trials.open.size).toBe(1);
  });

  test('leaves no timer behind when the last trial is over', async () => {
    const { trials, hold, pass } = setUp();
    hold('a1');
    expect(vi.getTimerCount()).toBe(1);
    trials.observeApplied('b1', now());
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
