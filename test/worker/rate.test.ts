/** A whole worker with an adaptive rate before an API with a limit, in virtual time: near the limit, and not hoarding. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OtaApi } from '../../src/ota/client.ts';
import {
  createLimit,
  LimitSchema,
  type LimitSettingsInput,
} from '../../src/sandbox/simulated-api/limits/index.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';
import { seeded } from '../../testing/random.ts';
import { makeVirtualWorker } from '../../testing/stages/virtual-worker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Settled = Extract<WorkerEvent, { type: 'settled' }>;

/** A worker of 200 calls a second, and so many updates, on an API with this limit; without one first, where it is null. */
async function setUp(count: number, limit: LimitSettingsInput | null) {
  const random = seeded(5);
  const settled: Settled[] = [];
  const calls = { all: 0, throttled: 0 };
  const limited = (settings: LimitSettingsInput | null) =>
    settings && createLimit(LimitSchema.parse(settings), performance.now(), random);
  let limiting = limited(limit);
  const call: OtaApi['updateOtaTask'] = async () => {
    calls.all++;
    const at = performance.now();
    const own = limiting;
    const admitted = own?.admit({ at, connection: 0 }) ?? true;
    await new Promise<void>((resolve) => setTimeout(resolve, 5 + 15 * random()));
    if (admitted) own?.ended(performance.now());
    else calls.throttled++;
    if (admitted) return { ok: true, requestId: 'r-1' };
    return { ok: false, error: { name: 'ThrottlingException', message: 'slow down', status: 429 } };
  };
  const made = makeVirtualWorker({
    call,
    env: { RATE_LIMIT: '200', MAX_CONCURRENCY: '200' },
    adaptive: true,
    listener: (event) => {
      if (event.type === 'settled') settled.push(event);
    },
  });
  for (let i = 0; i < count; i++)
    made.source.put(JSON.stringify({ Identifier: `task${i}`, Description: 'x' }));
  await made.worker.start();
  const of = (action: Settled['disposition']['action']): Settled[] =>
    settled.filter(({ disposition }) => disposition.action === action);
  /** Lets time pass, a tenth of a second at a time, at most ten minutes. */
  const until = async (predicate: () => boolean, look: () => void = () => {}): Promise<void> => {
    for (let i = 0; i < 6_000 && !predicate(); i++) {
      await vi.advanceTimersByTimeAsync(100);
      look();
    }
    expect(predicate()).toBe(true);
  };
  const setLimit = (settings: LimitSettingsInput | null): void => {
    limiting = limited(settings);
  };
  return { ...made, of, until, calls, setLimit };
}

const identifierOf = ({ subject }: Settled): string | undefined => subject.ids.identifier;

test('with RATE_LIMIT at four times the limit it runs near the limit, and holds only what that rate can start', async () => {
  const { worker, of, until, calls } = await setUp(700, { ratePerSecond: 50, burst: 5 });
  await until(() => of('acknowledge').length >= 250);
  const seen: { rate: number; held: number }[] = [];
  await until(
    () => of('acknowledge').length >= 500,
    () => {
      const { rate, held } = worker.snapshot();
      seen.push({ rate, held });
    },
  );
  const rates = seen.map(({ rate }) => rate).toSorted((a, b) => a - b);
  const median = rates[Math.floor(rates.length / 2)];
  expect(median).toBeLessThan(50 * 1.25);
  expect(median).toBeGreaterThan(50 / 1.25);
  // Two seconds' worth, and half as much again before any are released.
  for (const { rate, held } of seen) expect(held).toBeLessThan(3 * rate);
  await until(() => of('acknowledge').length >= 700);
  const { apiLimit, at, stateSince } = worker.snapshot();
  expect(Math.abs((apiLimit?.perSecond ?? 0) - 50)).toBeLessThan(5);
  expect(apiLimit?.since).toBeGreaterThan(stateSince);
  expect(apiLimit?.since).toBeLessThan(at);
  expect(of('dead-letter')).toEqual([]);
  // Most calls are not wasted, though it began at four times the limit.
  expect(calls.throttled / calls.all).toBeLessThan(0.1);
});

test('when the limit falls it releases what it cannot start soon, and applies it later', async () => {
  const { worker, source, of, until, setLimit } = await setUp(900, null);
  // Twice what it starts in a second.
  await until(() => worker.snapshot().held >= 300);
  setLimit({ ratePerSecond: 20, burst: 2 });
  await until(() => worker.snapshot().held <= 120);
  const released = of('release');
  expect(released.length).toBeGreaterThan(100);
  // No call was made for them before.
  for (const { attempts } of released) expect(attempts).toBe(0);
  const applied = new Set(of('acknowledge').map(identifierOf));
  for (const each of released) expect(applied).not.toContain(identifierOf(each));
  expect(source.left.ready).toBeGreaterThan(100);
  setLimit(null);
  await until(() => of('acknowledge').length >= 900);
  expect(new Set(of('acknowledge').map(identifierOf)).size).toBe(900);
  expect(of('dead-letter')).toEqual([]);
});
