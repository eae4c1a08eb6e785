/** Who waits for a ledger, and what is said of it. Time passes by waiting only. */
import { expect, test } from 'vitest';
import type { Patience } from '../../../src/jobs/ledger/shared/context.ts';
import { commandPatience } from '../../../src/jobs/ledger/shared/context.ts';
import { LedgerBusyError, LedgerInterrupted } from '../../../src/jobs/ledger/shared/error.ts';
import { Waiting } from '../../../src/jobs/ledger/shared/waiting.ts';

class Setting {
  at = 0;
  readonly said: string[] = [];
  /** Told of each wait. */
  onWait: () => void = () => {};

  waiting(patience: Patience): Waiting {
    return new Waiting(
      {
        clock: { wall: () => this.at, monotonic: () => this.at },
        random: () => 0.5,
        sleep: async (ms) => {
          await new Promise((resolve) => setImmediate(resolve));
          this.at += ms;
          this.onWait();
        },
      },
      patience,
      {
        what: 'The ledger x',
        backoff: { baseMs: 100, maxMs: 100 },
        tellAfterMs: 1_000,
        isAway: (error) => error instanceof LedgerBusyError,
        isLocked: () => true,
        error: (error) => error as LedgerBusyError,
        explain: (error) => error,
        sayAway: () => 'is locked',
        sayBack: (seconds) => `is free again after ${seconds} s`,
      },
    );
  }

  readonly say = (sentence: string): void => void this.said.push(sentence);
}

const busy = (): never => {
  throw new LedgerBusyError('busy');
};

test('of several who wait nobody says that it is locked while one of them gets through', async () => {
  const setting = new Setting();
  const waiting = setting.waiting({ ms: Number.POSITIVE_INFINITY, say: setting.say });
  let open = true;
  const unlucky = waiting.for(() => (open ? busy() : undefined));
  // Every half second another one gets through, for a minute.
  for (let nextAt = 500; setting.at < 60_000; nextAt += 500)
    await waiting.for(() => (setting.at < nextAt ? busy() : undefined));
  expect(setting.said).toEqual([]);
  open = false;
  await unlucky;
  expect(setting.said).toEqual([]);
});

test('an outage is told once, by however many who wait, and its end once', async () => {
  const setting = new Setting();
  const waiting = setting.waiting({ ms: Number.POSITIVE_INFINITY, say: setting.say });
  const outage = async (until: number) => {
    const wait = () => waiting.for(() => (setting.at < until ? busy() : undefined));
    await Promise.all([wait(), wait(), wait()]);
  };
  await outage(10_000);
  await outage(10_400);
  expect(setting.said).toEqual([
    'The ledger x is locked: nothing is sent until it is free. Nothing is lost',
    'The ledger x is free again after 10 s',
  ]);
  await outage(30_000);
  expect(setting.said).toHaveLength(4);
});

test('a command says what it waits for, and for how long', async () => {
  const setting = new Setting();
  const waiting = setting.waiting(commandPatience(new AbortController().signal, setting.say));
  await expect(waiting.for(busy)).rejects.toThrow(LedgerBusyError);
  expect(setting.at).toBeGreaterThan(20_000);
  expect(setting.said).toEqual(['The ledger x is locked: waiting for it, 20 s at most']);
});

test('a command that is interrupted waits no longer, and what it waited for is not done', async () => {
  const setting = new Setting();
  const command = new AbortController();
  const waiting = setting.waiting(commandPatience(command.signal, setting.say));
  let tries = 0;
  let free = false;
  setting.onWait = () => {
    if (tries !== 3) return;
    command.abort();
    free = true;
  };
  const interrupted = await waiting
    .for(() => {
      tries++;
      return free ? undefined : busy();
    })
    .catch((error: unknown) => error);
  expect(interrupted).toBeInstanceOf(LedgerInterrupted);
  expect(interrupted).toMatchObject({
    exitCode: 130,
    message:
      'Interrupted. The ledger x was not available: the waiting request was not carried out, and everything done before is kept.',
  });
  expect(tries).toBe(3);
});

test('a command that is interrupted waits no longer for an answer', async () => {
  const setting = new Setting();
  const command = new AbortController();
  const waiting = setting.waiting(commandPatience(command.signal, setting.say));
  const silent = waiting.for(() => new Promise<never>(() => {}));
  command.abort();
  await expect(silent).rejects.toThrow(LedgerInterrupted);
});

test('an interrupted sender still writes what is in flight', async () => {
  const setting = new Setting();
  const signal = AbortSignal.abort();
  const waiting = setting.waiting({ ms: Number.POSITIVE_INFINITY, signal });
  expect(await waiting.for(() => (setting.at < 1_500 ? busy() : 'written'))).toBe('written');
  await expect(waiting.for(busy)).rejects.toThrow(LedgerBusyError);
});
