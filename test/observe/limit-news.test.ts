import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { limitNews } from '../../src/observe/limit-news.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { well } from '../../testing/stages/snapshot.ts';

type Limit = NonNullable<WorkerSnapshot['apiLimit']>;

const sure: Limit = { perSecond: 200, withinShare: 0.02, since: 60_000, periodMs: undefined, noise: 0.01 };
let lines: Record<string, unknown>[];
let see: (now: WorkerSnapshot) => void;
let look: (limit: Partial<Limit> | undefined) => void;

beforeEach(() => {
  lines = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  see = limitNews(log, 6);
  look = (limit) => see({ ...well, apiLimit: limit && { ...sure, ...limit } });
});

test('a limit is told when it is found, with how sure it is and since when', () => {
  look(undefined);
  expect(lines).toEqual([]);
  look({});
  expect(lines).toEqual([
    {
      level: 30,
      event: 'rate.limit_found',
      apiLimit: 200,
      within: 0.02,
      since: '1970-01-01T00:01:00.000Z',
      noise: 0.01,
      msg: 'the limit of the API has been found, or has changed',
    },
  ]);
});

test('a period is told; without one nothing is told before it is sure', () => {
  look({ withinShare: undefined });
  expect(lines).toEqual([]);
  look({ withinShare: undefined, periodMs: 60_000 });
  expect(lines).toMatchObject([{ periodSeconds: 60 }]);
});

test.each([
  { rate: 200, told: false },
  { rate: 219, told: false },
  { rate: 181, told: false },
  { rate: 221, told: true },
  { rate: 179, told: true },
])('200/s has been told, and it is $rate/s now: told $told', ({ rate, told }) => {
  look({});
  for (let i = 0; i < 6; i++) look(undefined);
  look({ perSecond: rate });
  expect(lines.length).toBe(told ? 2 : 1);
});

test('of a fleet the one that leads tells it', () => {
  see({ ...well, rateFleet: 'following', apiLimit: sure });
  expect(lines).toEqual([]);
  see({ ...well, rateFleet: 'leading', apiLimit: sure });
  expect(lines).toHaveLength(1);
});

test('from one line to the next there are six looks, however a limit sways', () => {
  for (let i = 0; i < 24; i++) look({ perSecond: 100 * 2 ** i });
  expect(lines.map(({ apiLimit }) => apiLimit)).toEqual([0, 6, 12, 18].map((i) => 100 * 2 ** i));
});
