import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EMF_EVERY_MS, publishEmf } from '../../../src/observe/emf/publish.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';
import { well } from '../../../testing/stages/snapshot.ts';

const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/ota-updates';

beforeEach(() => {
  // A scrape waits for a real turn of the event loop.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('writes a line a minute, and the last one when it is stopped', async () => {
  const { registry, listener } = createMetrics(() => well);
  const written: string[] = [];
  const first = Promise.withResolvers<void>();
  const stop = publishEmf({
    registry,
    queueUrl: QUEUE_URL,
    destination: {
      write: (line) => {
        written.push(line);
        first.resolve();
      },
    },
    now: () => 1_700_000_000_000,
  });
  expect(EMF_EVERY_MS).toBe(60_000);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await first.promise;
  expect(written).toHaveLength(1);
  listener({ type: 'received', count: 7, durationMs: 1 });
  await stop();
  expect(written).toHaveLength(2);
  expect(written[1]?.endsWith('\n')).toBe(true);
  expect(JSON.parse(written[1] ?? '')).toMatchObject({ MessagesReceived: 7 });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(written).toHaveLength(2);
});

test('a worker that cannot be read is warned of, and stops nothing', async () => {
  const { registry } = createMetrics(() => {
    throw new Error('no snapshot');
  });
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const destination = { write: vi.fn() };
  const stop = publishEmf({ registry, queueUrl: QUEUE_URL, destination, now: Date.now });
  await stop();
  expect(warned).toHaveBeenCalledTimes(1);
  expect(destination.write).not.toHaveBeenCalled();
});
