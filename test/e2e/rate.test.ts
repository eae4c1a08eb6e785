/** A worker with an adaptive rate, assembled as the commands do it. */
import { Writable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { type Assembly, assemble } from '../../src/commands/assemble.ts';
import type { Environment } from '../../src/config.ts';
import { createLogger } from '../../src/observe/logger.ts';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';
import { credentials, REGION, type SettledEvent, type Stage, setStage } from '../../testing/stages/stage.ts';

const nowhere = new Writable({
  write(_chunk, _encoding, done) {
    done();
  },
});

let stage: Stage;
let assembly: Assembly;
let settled: SettledEvent[];
let listeners: Set<(event: WorkerEvent) => void>;

/** A stage with an adaptive worker, started instead of the stage's own. */
async function setUp(api: SimulatedApiSettingsInput, env: Environment, updates: number): Promise<string[]> {
  stage = await setStage({ api, env });
  settled = [];
  listeners = new Set();
  const client = { region: REGION, credentials };
  assembly = assemble({
    config: stage.config,
    env: stage.environment(env),
    log: createLogger('silent', nowhere),
    listeners: [
      (event) => {
        if (event.type === 'settled') settled.push(event);
        for (const listener of listeners) listener(event);
      },
    ],
    sqs: { ...client, endpoint: stage.sqsUrl },
    api: { ...client, endpoint: stage.api.url },
  });
  const identifiers = await stage.sendUpdates(updates);
  await assembly.worker.start();
  return identifiers;
}

afterEach(async () => {
  await assembly.worker.stop();
  await assembly.close();
  await stage.strike();
});

/** Resolves when `predicate` holds; it is checked after every event of the worker. */
function until(predicate: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const listener = (): void => {
      if (!predicate()) return;
      listeners.delete(listener);
      resolve();
    };
    listeners.add(listener);
    listener();
  });
}

const of = (action: SettledEvent['disposition']['action']): SettledEvent[] =>
  settled.filter(({ disposition }) => disposition.action === action);

const identifierOf = ({ subject }: SettledEvent): string | undefined => subject.ids.identifier;

test('a worker with RATE_LIMIT at four times the limit runs near the limit, and holds only what that rate can start', {
  timeout: 60_000,
}, async () => {
  const updates = 700;
  // At 200 a second it would hold 400.
  const identifiers = await setUp(
    { limit: { ratePerSecond: 50, burst: 5 }, latency: { minMs: 5, maxMs: 20 } },
    { RATE_LIMIT: '200', MAX_CONCURRENCY: '200' },
    updates,
  );
  await until(() => of('acknowledge').length >= 250);

  const seen: { rate: number; held: number }[] = [];
  listeners.add((event) => {
    if (event.type !== 'attempt') return;
    const { rate, held } = assembly.worker.snapshot();
    seen.push({ rate, held });
  });
  await until(() => of('acknowledge').length >= 500);
  const rates = seen.map(({ rate }) => rate).toSorted((a, b) => a - b);
  const median = rates[Math.floor(rates.length / 2)];
  expect(median).toBeLessThan(50 * 1.25);
  // The utilization depends on the machine, and is measured in bench.
  expect(median).toBeGreaterThan(50 / 4);
  // Two seconds' worth, half as much again before any are released, and what is being received and settled.
  for (const { rate, held } of seen) expect(held).toBeLessThan(3 * rate + 60);

  await until(() => of('acknowledge').length >= updates);
  expect(new Set(of('acknowledge').map(identifierOf))).toEqual(new Set(identifiers));
  expect(of('dead-letter')).toEqual([]);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
  // Most calls are not wasted, though it began at four times the limit.
  const { calls, throttled } = stage.api.stats();
  expect(throttled / calls).toBeLessThan(0.25);
});

test('a worker whose limit falls releases what it cannot start soon, and applies it later', {
  timeout: 60_000,
}, async () => {
  const updates = 900;
  const identifiers = await setUp(
    { latency: { minMs: 5, maxMs: 20 } },
    { RATE_LIMIT: '200', MAX_CONCURRENCY: '200' },
    updates,
  );
  // Twice what it starts in a second: up to 400, fewer on a slow machine.
  await until(() => assembly.worker.snapshot().held >= 200);
  stage.api.configure({ limit: { ratePerSecond: 20, burst: 2 } });

  await until(() => assembly.worker.snapshot().held <= 120);
  const released = of('release');
  expect(released.length).toBeGreaterThan(50);
  // No call was made for them before.
  for (const { attempts } of released) expect(attempts).toBe(0);
  const applied = new Set(of('acknowledge').map(identifierOf));
  for (const each of released) expect(applied).not.toContain(identifierOf(each));
  expect(stage.left().ready).toBeGreaterThan(100);

  stage.api.configure({ limit: null });
  await until(() => of('acknowledge').length >= updates);
  expect(new Set(of('acknowledge').map(identifierOf))).toEqual(new Set(identifiers));
  expect(of('dead-letter')).toEqual([]);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});
