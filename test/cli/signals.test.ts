import { describe, expect, test } from 'vitest';
import { interruptible, stopOnSignal } from '../../src/cli/signals.ts';

type Listener = (signal: 'SIGINT' | 'SIGTERM') => void;

class Signals {
  readonly listeners = new Set<Listener>();
  readonly exits: number[] = [];
  readonly onSignal = (listener: Listener) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };
  readonly exitNow = (code: number) => void this.exits.push(code);
  readonly send: Listener = (signal) => {
    for (const listener of this.listeners) listener(signal);
  };
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('interruptible', () => {
  test('gives the result of the work, and then listens no more', async () => {
    const signals = new Signals();
    expect(await interruptible(signals, async ({ aborted }) => aborted)).toBe(false);
    expect(signals.listeners.size).toBe(0);
  });

  test('lets interrupted work end by itself', async () => {
    const signals = new Signals();
    const result = interruptible(signals, async (signal) => {
      signals.send('SIGINT');
      return signal.aborted;
    });
    expect(await result).toBe(true);
    expect(signals.exits).toEqual([]);
  });

  test('turns the AbortError of an interruption into one sentence and exit code 130', async () => {
    const signals = new Signals();
    const result = interruptible(signals, aborted);
    signals.send('SIGTERM');
    await expect(result).rejects.toMatchObject({
      message: 'Interrupted. Nothing was changed.',
      exitCode: 130,
    });
    expect(signals.listeners.size).toBe(0);
  });

  test('passes any other error on, also after an interruption', async () => {
    const signals = new Signals();
    const error = new Error('disk full');
    const result = interruptible(signals, async () => {
      signals.send('SIGINT');
      throw error;
    });
    await expect(result).rejects.toBe(error);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends the process on a second signal: %s is exit code %i', async (signal, code) => {
    const signals = new Signals();
    await interruptible(signals, async () => {
      signals.send('SIGINT');
      signals.send(signal);
    });
    expect(signals.exits).toEqual([code]);
  });
});

describe('stopOnSignal', () => {
  test('stops on the first signal and resolves when the stop has ended', async () => {
    const signals = new Signals();
    const stop = Promise.withResolvers<void>();
    let stops = 0;
    const stopped = stopOnSignal(signals, () => {
      stops++;
      return stop.promise;
    });
    signals.send('SIGTERM');
    expect({ stops, exits: signals.exits }).toEqual({ stops: 1, exits: [] });
    signals.send('SIGTERM');
    expect({ stops, exits: signals.exits }).toEqual({ stops: 1, exits: [143] });
    stop.resolve();
    await stopped;
  });

  test('rejects with the failure of the stop', async () => {
    const signals = new Signals();
    const stopped = stopOnSignal(signals, () => Promise.reject(new Error('bug')));
    signals.send('SIGINT');
    await expect(stopped).rejects.toThrow('bug');
  });
});
