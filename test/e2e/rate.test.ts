/** A worker with an adaptive rate, assembled as the commands do it. How near it comes: test/worker/rate.test.ts. */
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

test('its rate comes down to what the API takes, and every update is applied', async () => {
  const updates = 200;
  // Slower than any machine.
  const limit = { ratePerSecond: 5, burst: 5 };
  const identifiers = await setUp(
    { limit, latency: { minMs: 5, maxMs: 20 } },
    { RATE_LIMIT: '200', MAX_CONCURRENCY: '200' },
    updates,
  );
  await until(() => assembly.worker.snapshot().rate < 40);
  expect(of('acknowledge').length).toBeLessThan(updates);
  stage.api.configure({ limit: null });
  await until(() => of('acknowledge').length >= updates);
  expect(new Set(of('acknowledge').map(identifierOf))).toEqual(new Set(identifiers));
  expect(of('dead-letter')).toEqual([]);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});

test('its calls come to all the front ends behind an address, although one connection could make them', async () => {
  const count = 10;
  const limit = {
    kind: 'frontEnds',
    count,
    sticky: true,
    limit: { kind: 'bucket', ratePerSecond: count, burst: 10 * count },
  } as const;
  const settings = { RATE_LIMIT: '100', MAX_CONCURRENCY: String(count) };
  await setUp({ limit, latency: { minMs: 0, maxMs: 0 } }, settings, 6 * count);
  await until(() => of('acknowledge').length === 6 * count);
  expect(stage.api.stats().byStatus).toEqual({ 204: 6 * count });
});
