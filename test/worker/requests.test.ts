/** Requests to SQS per update, of whole workers in virtual time: batches are as full as the calls let them be. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { OtaApi } from '../../src/ota/client.ts';
import { seeded } from '../../testing/random.ts';
import { makeVirtualWorker, type VirtualWorker } from '../../testing/stages/virtual-worker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The minimum is 0.2: ten messages per receive, ten per delete. */
const REQUESTS_PER_UPDATE = 0.21;

/** A worker on so many updates, whose calls take 20 to 80 ms. */
async function start(updates: number, rate: string, publishes = false): Promise<VirtualWorker> {
  const random = seeded(3);
  const call: OtaApi['updateOtaTask'] = async () => {
    await new Promise<void>((resolve) => setTimeout(resolve, 20 + 60 * random()));
    return { ok: true, requestId: 'r-1' };
  };
  const made = makeVirtualWorker({ call, env: { RATE_LIMIT: rate }, publishes });
  for (let i = 0; i < updates; i++)
    made.source.put(JSON.stringify({ Identifier: `task${i}`, Description: 'x' }));
  await made.worker.start();
  return made;
}

const left = ({ source }: VirtualWorker): number => source.left.ready + source.left.inFlight;

/** Lets time pass until so many updates are left on the queue, at most ten minutes. */
async function until(made: VirtualWorker, most: number): Promise<void> {
  for (let i = 0; i < 60_000 && left(made) > most; i++) await vi.advanceTimersByTimeAsync(10);
  expect(left(made)).toBeLessThanOrEqual(most);
}

describe.each([
  { rate: 'unlimited', updates: 2_000, around: 400 },
  { rate: '50', updates: 400, around: 150 },
])('requests per update with RATE_LIMIT=$rate', ({ rate, updates, around }) => {
  test('stay at or below 0.21 during a backlog', async () => {
    const made = await start(updates + 2 * around, rate);
    // Receives are ahead of deletes: counting begins then, and ends while more messages wait.
    await until(made, updates + around);
    const [before, requests] = [left(made), made.source.requests];
    await until(made, around);
    const settled = before - left(made);
    expect((made.source.requests - requests) / settled).toBeLessThanOrEqual(REQUESTS_PER_UPDATE);
  });

  test('stay at or below 0.21 from first to last', async () => {
    const made = await start(updates, rate);
    await until(made, 0);
    expect(made.source.requests / updates).toBeLessThanOrEqual(REQUESTS_PER_UPDATE);
  });

  test('are a tenth more for its outcome', async () => {
    const made = await start(updates, rate, true);
    await until(made, 0);
    expect(made.outcomes.sent).toHaveLength(updates);
    expect(made.outcomes.counts.send / updates).toBeLessThanOrEqual(0.11);
    expect(made.source.counts.delete / updates).toBeLessThanOrEqual(0.11);
  });
});
