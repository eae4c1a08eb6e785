/** Where a worker's rate begins, by what is remembered, and what the log says of that. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createRate, recallRate } from '../../src/commands/rate.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { RateFile } from '../../src/ota/rate/memory-file.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-29T12:00:00.000Z');
const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/updates';
const env = { AWS_REGION: 'eu-west-1' };
const clock = { wall: () => NOW, monotonic: () => 5_000 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rate-'));
  return () => rm(folder, { recursive: true });
});

const file = () => new RateFile(folder, env, queueUrl);

async function start(rateLimit: number, rateAdaptive = true) {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) });
  const rates: number[] = [];
  const config = { rateAdaptive, rateLimit, queueUrl };
  const kept = await recallRate(config, env, folder, NOW, log);
  const created = createRate({ config, kept, clock, log, onRate: (rate) => rates.push(rate) });
  return { ...created, lines, rates };
}

test('begins below the remembered rate, says so, and since when it was found', async () => {
  await file().save({ perSecond: 200, at: NOW - HOUR / 20 });
  const { rate, keeper, lines, rates } = await start(1_000);
  expect(rate.rate).toBe(170);
  expect(rate.foundAt).toBe(5_000 - HOUR / 20);
  expect(rates).toEqual([170]);
  expect(keeper).toBeDefined();
  expect(lines).toMatchObject([
    { level: 'info', event: 'rate.remembered', rate: 170, remembered: 200, age: '3m' },
  ]);
});

test.each([
  ['nothing is remembered', undefined],
  ['what is remembered allows RATE_LIMIT', { perSecond: 2_000, at: NOW }],
])('begins at RATE_LIMIT, and has nothing to say, where %s', async (_, remembered) => {
  await file().save(remembered);
  const { rate, lines, rates } = await start(1_000);
  expect([rate.rate, rate.foundAt]).toEqual([1_000, undefined]);
  expect([lines, rates]).toEqual([[], []]);
});

test('begins at RATE_LIMIT where what is remembered is too old', async () => {
  await file().save({ perSecond: 200, at: NOW - 49 * HOUR });
  const { rate, lines } = await start(1_000);
  expect(rate.rate).toBe(1_000);
  expect(lines).toMatchObject([{ level: 'info', event: 'rate.not_remembered', age: '2d 1h' }]);
});

test('begins at RATE_LIMIT where what is remembered is damaged', async () => {
  await writeFile(file().path, '{"version":1');
  const { rate, lines } = await start(1_000);
  expect(rate.rate).toBe(1_000);
  expect(lines).toMatchObject([{ level: 'warn', event: 'rate.not_remembered', file: file().path }]);
});

test('neither reads nor keeps a rate that does not adapt', async () => {
  await file().save({ perSecond: 200, at: NOW });
  const { rate, keeper, lines } = await start(1_000, false);
  expect([rate.rate, keeper, lines]).toEqual([1_000, undefined, []]);
});
