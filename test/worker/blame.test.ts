/** Whose fault failures are: whole workers at defaults, minutes of virtual time, on a queue in memory. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CallError } from '../../src/message/failure.ts';
import type { OtaApi } from '../../src/ota/client.ts';
import { makeVirtualWorker } from '../../testing/stages/virtual-worker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const elapsed = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const denied = { name: 'AccessDeniedException', message: 'no', status: 403, requestId: 'r-1' };
const refused = { name: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:1', code: 'ECONNREFUSED' };
const unavailable = { name: 'ServiceUnavailable', message: 'no', status: 503 };
const conflict = { name: 'ConflictException', message: 'busy', status: 409, requestId: 'r-1' };

/** A worker (10 calls a second) on a queue of updates for these tasks, in this order. */
async function setUp(tasks: readonly string[], failureOf: (task: string) => CallError | undefined) {
  const calls: string[] = [];
  const applied: string[] = [];
  const call: OtaApi['updateOtaTask'] = async ({ Identifier }) => {
    calls.push(Identifier);
    await elapsed(20);
    const error = failureOf(Identifier);
    if (error !== undefined) return { ok: false, error };
    applied.push(Identifier);
    return { ok: true, requestId: 'r-1' };
  };
  const { worker, source, dead } = makeVirtualWorker({ call });
  for (const Identifier of tasks) source.put(JSON.stringify({ Identifier, Description: 'x' }));
  await worker.start();
  const begun = performance.now();
  /** Lets time pass until so many seconds after the start. */
  const until = (seconds: number) => vi.advanceTimersByTimeAsync(begun + seconds * 1_000 - performance.now());
  const letters = () => dead.sent.map(({ body }) => (JSON.parse(body) as { Identifier: string }).Identifier);
  return { worker, source, calls, applied, letters, until };
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const isGood = (task: string): boolean => task.startsWith('good');

describe('40 permitted tasks among 360 denied ones, at 10 calls a second', () => {
  const bad = names('bad', 360);
  const good = names('good', 40);
  const inBlocks = [0, 1, 2, 3].flatMap((i) => [
    ...bad.slice(i * 90, i * 90 + 90),
    ...good.slice(i * 10, i * 10 + 10),
  ]);

  test.each([
    ['in blocks, as tags would have it', inBlocks],
    ['last', [...bad, ...good]],
  ])('are applied within 120 s, and who was denied before one of them is rejected: %s', async (_, tasks) => {
    const { calls, applied, letters, until } = await setUp(tasks, (task) =>
      isGood(task) ? undefined : denied,
    );
    await until(120);
    expect(new Set(applied)).toEqual(new Set(good));
    const before = new Set(calls.slice(0, calls.findLastIndex(isGood)).filter((task) => !isGood(task)));
    await until(300);
    expect(new Set(letters())).toEqual(before);
  });
});

test('a policy revoked for all costs few calls, dead-letters nothing, and work resumes when it is restored', async () => {
  let revoked = true;
  const { calls, applied, letters, source, until } = await setUp(names('task', 400), () =>
    revoked ? denied : undefined,
  );
  await until(300);
  // Of 3,000 that the rate would allow.
  expect(calls.length).toBeLessThan(420);
  expect(source.requests).toBeLessThan(1_500);
  revoked = false;
  await until(600);
  expect(applied).toHaveLength(400);
  expect(letters()).toEqual([]);
});

test('one verdict serves all messages of a denied task', async () => {
  const { letters, until } = await setUp(Array<string>(75).fill('bad'), () => denied);
  await until(30);
  expect(letters()).toEqual([]);
  // One after the other they would serve 37 minutes.
  await until(300);
  expect(letters()).toHaveLength(75);
});

describe('60 s in which every call of ten messages fails', () => {
  test.each([
    ['no connection is made', refused],
    ['no descriptor is left', { name: 'Error', message: 'connect EMFILE 127.0.0.1:1', code: 'EMFILE' }],
    ['the endpoint is no URL', { name: 'TypeError', message: 'Invalid URL', code: 'ERR_INVALID_URL' }],
    ['a proxy answers', { name: 'SyntaxError', message: '<html>', status: 403 }],
    ['the API answers 503', unavailable],
    ['the policy is revoked', denied],
  ])('cost none of them: %s', async (_, error) => {
    let down = true;
    const { applied, letters, until } = await setUp(names('task', 10), () => (down ? error : undefined));
    await until(60);
    down = false;
    await until(300);
    expect(letters()).toEqual([]);
    expect(applied).toHaveLength(10);
  });
});

test('a message that fails alone is given up, in an otherwise idle queue and beside others that succeed', async () => {
  const alone = await setUp(['bad'], () => unavailable);
  await alone.until(300);
  expect(alone.letters()).toEqual(['bad']);
});

test('a message that a proxy refuses is given up in a quiet queue too, and holds up nobody from then on', async () => {
  const { worker, source, applied, letters, until } = await setUp(['bad'], (task) =>
    isGood(task) ? undefined : { name: 'SyntaxError', message: '<html>', status: 403 },
  );
  for (const [i, task] of names('good', 4).entries()) {
    await until(300 * (i + 1));
    source.put(JSON.stringify({ Identifier: task, Description: 'x' }));
  }
  await until(1_201);
  expect(letters()).toEqual(['bad']);
  expect([applied.length, worker.snapshot().gate]).toEqual([4, 'open']);
});

test('twenty-five tasks in conflict are given up, and stop nobody', async () => {
  const { worker, applied, letters, until } = await setUp(
    [...names('bad', 25), ...names('good', 50)],
    (task) => (isGood(task) ? undefined : conflict),
  );
  await until(70);
  expect(new Set(applied).size).toBe(50);
  expect(worker.snapshot().gate).toBe('open');
  await until(300);
  expect(new Set(letters())).toEqual(new Set(names('bad', 25)));
});
