/** What is kept of the rate from one run to the next: the file, and what of it a start may go by. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readRemembered, recall, writeRemembered } from '../../../src/ota/rate/memory.ts';
import { RateFile } from '../../../src/ota/rate/memory-file.ts';

const NOW = Date.parse('2026-11-29T12:00:00.000Z');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('the text', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1_000_000, noNaN: true }),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        (perSecond, at) => {
          expect(readRemembered(writeRemembered({ perSecond, at }))).toEqual({ perSecond, at });
        },
      ),
    );
  });

  const right = { version: 1, perSecond: 200, at: '2026-11-29T11:57:00.000Z' };
  test.each<[string, unknown]>([
    ['no object', 200],
    ['null', null],
    ['a list', [right]],
    ['a later version', { ...right, version: 2 }],
    ['no version', { ...right, version: undefined }],
    ['a rate as a text', { ...right, perSecond: '200' }],
    ['no rate', { ...right, perSecond: null }],
    ['a rate of 0', { ...right, perSecond: 0 }],
    ['a negative rate', { ...right, perSecond: -200 }],
    ['a huge rate', { ...right, perSecond: 1e300 }],
    ['no time', { ...right, at: undefined }],
    ['a time as a number', { ...right, at: NOW }],
    ['a time that is none', { ...right, at: '2026-13-99T99:00:00.000Z' }],
  ])('is refused: %s', (_, value) => {
    expect(() => readRemembered(JSON.stringify(value))).toThrow('does not hold a rate');
  });

  test.each(['', '{', 'NaN', '{"version":1,"perSecond":NaN}', '\u0000'])('is refused: %j', (text) => {
    expect(() => readRemembered(text)).toThrow('does not hold a rate');
  });

  test('never brings a rate or a time out of bounds, whatever it is', () => {
    const part = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom(1, 200, right.at));
    fc.assert(
      fc.property(fc.record({ version: part, perSecond: part, at: part }), (value) => {
        let read: ReturnType<typeof readRemembered>;
        try {
          read = readRemembered(JSON.stringify(value));
        } catch {
          return;
        }
        expect(read.perSecond).toBeGreaterThan(0);
        expect(read.perSecond).toBeLessThanOrEqual(1_000_000);
        expect(Number.isFinite(read.at)).toBe(true);
      }),
    );
  });
});

describe('what a start goes by', () => {
  const kept = (ageMs: number) => ({
    load: async () => ({ perSecond: 200, at: NOW - ageMs }),
    save: async () => {},
  });

  test.each([
    [3 * MINUTE, 3 * MINUTE],
    [DAY, DAY],
    [0, 0],
    // Clocks differ a little.
    [-MINUTE, 0],
  ])('%s ms old', async (age, ageMs) => {
    expect(await recall(kept(age), NOW)).toEqual({ use: 'rate', perSecond: 200, ageMs });
  });

  test('not older than a day, and not from the future', async () => {
    expect(await recall(kept(DAY + 1), NOW)).toEqual({ use: 'nothing', tooOldMs: DAY + 1 });
    expect(await recall(kept(-MINUTE - 1), NOW)).toEqual({
      use: 'nothing',
      fault: new Error('it is dated in the future'),
    });
  });
});

test('a start does not wait for ever for what is kept', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const recalled = recall({ load: () => new Promise(() => {}), save: async () => {} }, NOW);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await recalled).toEqual({ use: 'nothing', fault: new Error('no answer in time') });
  expect(vi.getTimerCount()).toBe(0);
});

describe('the file', () => {
  const env = { AWS_REGION: 'eu-west-1' };
  const queue = 'https://sqs.eu-west-1.amazonaws.com/123456789012/updates';
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rate-'));
    return () => rm(folder, { recursive: true });
  });

  test('keeps a rate in a folder that was not there, and forgets it', async () => {
    const file = new RateFile(join(folder, 'state'), env, queue);
    expect(await recall(file, NOW)).toEqual({ use: 'nothing' });
    await file.save({ perSecond: 200, at: NOW - MINUTE });
    expect(await readFile(file.path, 'utf8')).toBe(
      '{"version":1,"perSecond":200,"at":"2026-11-29T11:59:00.000Z"}\n',
    );
    expect(await recall(file, NOW)).toEqual({ use: 'rate', perSecond: 200, ageMs: MINUTE });
    await file.save(undefined);
    await file.save(undefined);
    expect(await recall(file, NOW)).toEqual({ use: 'nothing' });
  });

  test.each([
    ['damaged', '{"version":1,"perSec', 'it does not hold a rate that this version can read'],
    ['huge', ' '.repeat(2_000), 'it is larger than 1024 bytes'],
  ])('is not gone by: %s', async (_, text, fault) => {
    const file = new RateFile(folder, env, queue);
    await writeFile(file.path, text);
    expect(await recall(file, NOW)).toEqual({ use: 'nothing', fault: new Error(fault) });
  });

  test('is another for another API, account, or queue, and holds no secret in its name', () => {
    const pathOf = (more: Record<string, string>, url = queue) =>
      new RateFile(folder, { ...env, ...more }, url).path;
    const paths = [
      pathOf({}),
      pathOf({ AWS_REGION: 'ca-central-1' }),
      pathOf({ AWS_PROFILE: 'other' }),
      pathOf({ AWS_USE_FIPS_ENDPOINT: 'true' }),
      pathOf({ AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: 'http://localhost:4000' }),
      pathOf({ AWS_ENDPOINT_URL: 'http://localhost:4001' }),
      pathOf({}, queue.replace('123456789012', '210987654321')),
      pathOf({}, `${queue}-2`),
    ];
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) expect(path).toMatch(/\/rate-[0-9a-f]{16}\.json$/);
    expect(pathOf({ AWS_ACCESS_KEY_ID: 'one', AWS_SECRET_ACCESS_KEY: 'two' })).toBe(pathOf({}));
    expect(pathOf({ AWS_ENDPOINT_URL: 'http://user:password@localhost:4001' })).toBe(paths[5]);
  });
});
