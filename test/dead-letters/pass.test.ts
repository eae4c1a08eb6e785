import { describe, expect, test } from 'vitest';
import type { Letter } from '../../src/dead-letters/letters/letter.ts';
import type { HeldLetters } from '../../src/dead-letters/pass/held.ts';
import { MAX_IN_FLIGHT, passOver } from '../../src/dead-letters/pass/pass.ts';
import { FakeQueue, fakeSurroundings, messages } from '../../testing/letters.ts';

const unbounded = { limit: Number.POSITIVE_INFINITY, seconds: Number.POSITIVE_INFINITY };

/** One pass that keeps the ids it is handed. */
async function look(
  queue: FakeQueue,
  bounds: Partial<typeof unbounded> = {},
  surroundings = fakeSurroundings(),
) {
  const ids: string[] = [];
  const result = await passOver(queue, { ...unbounded, ...bounds }, surroundings, async (letters) => {
    ids.push(...letters.map(({ message }) => message.messageId));
    return true;
  });
  return { ...result, ids };
}

const byId = messages(95).map(({ messageId }) => messageId);

describe('a pass', () => {
  test('sees every letter once and leaves all visible', async () => {
    const queue = new FakeQueue(messages(95));
    const { ids, end, seen, about, heldByOthers } = await look(queue);
    expect(ids.toSorted()).toEqual(byId.toSorted());
    expect({ end, seen, about, heldByOthers }).toEqual({
      end: 'through',
      seen: 95,
      about: 95,
      heldByOthers: 0,
    });
    expect(queue.visible).toHaveLength(95);
  });

  test('goes on after empty answers while the queue counts more letters than were seen', async () => {
    const queue = new FakeQueue(messages(95));
    queue.receives = Array.from({ length: 16 }, () => 'empty' as const);
    expect(await look(queue)).toMatchObject({ seen: 95, end: 'through' });
  });

  test('ends when the queue counts more than there is', async () => {
    const queue = new FakeQueue(messages(5));
    queue.counted = { visible: 50 };
    expect(await look(queue)).toMatchObject({ seen: 5, about: 50, end: 'through' });
  });

  test('counts a letter once that SQS delivers twice', async () => {
    const twice = messages(5).map((message) => ({
      ...message,
      receiptHandle: `${message.receiptHandle}-again`,
    }));
    const queue = new FakeQueue([...messages(5), ...twice]);
    expect((await look(queue)).ids).toEqual(messages(5).map(({ messageId }) => messageId));
  });

  test('stops at its limit, and looks at no more than that', async () => {
    const queue = new FakeQueue(messages(95));
    expect(await look(queue, { limit: 33 })).toMatchObject({ seen: 33, end: 'limit' });
    expect(queue.visible).toHaveLength(95);
  });

  test('stops when its time is up', async () => {
    const queue = new FakeQueue(messages(95));
    expect(await look(queue, { seconds: 0 })).toMatchObject({ seen: 0, end: 'time' });
  });

  test('stops before the limit of messages in flight, beyond which SQS delivers nothing', async () => {
    const queue = new FakeQueue(messages(95));
    queue.counted = { notVisible: MAX_IN_FLIGHT - 50 };
    expect(await look(queue)).toMatchObject({ end: 'in-flight-limit', seen: 80 });
    expect(queue.visible).toHaveLength(95);
  });

  test('stops when it is interrupted, and leaves all visible', async () => {
    const queue = new FakeQueue(messages(95));
    const surroundings = fakeSurroundings();
    const result = await passOver(queue, unbounded, surroundings, async () => {
      surroundings.abort();
      return true;
    });
    expect(result).toMatchObject({ end: 'interrupted', seen: 40 });
    expect(queue.visible).toHaveLength(95);
  });

  test('leaves all visible when a request fails for good, also what other polls received', async () => {
    const queue = new FakeQueue(messages(95));
    const denied = Object.assign(new Error('no'), { name: 'AccessDenied' });
    queue.receives = ['empty', denied];
    await expect(look(queue)).rejects.toBe(denied);
    expect(queue.visible).toHaveLength(95);
    expect(queue.hidden.size).toBe(0);
  });

  test('retries a request that may succeed later', async () => {
    const queue = new FakeQueue(messages(5));
    queue.receives = [Object.assign(new Error('busy'), { name: 'ThrottlingException' })];
    expect(await look(queue)).toMatchObject({ seen: 5 });
  });

  test('leaves all visible when the handling of letters throws', async () => {
    const queue = new FakeQueue(messages(95));
    const bug = new Error('bug');
    await expect(passOver(queue, unbounded, fakeSurroundings(), () => Promise.reject(bug))).rejects.toBe(bug);
    expect(queue.visible).toHaveLength(95);
  });

  test('extends the leases of letters that are still held, and no others', async () => {
    const queue = new FakeQueue(messages(20));
    const surroundings = fakeSurroundings();
    const work = async (letters: readonly Letter[], held: HeldLetters): Promise<boolean> => {
      for (const { message } of letters.slice(0, 15)) held.forget(message.messageId);
      // Ten minutes, a little at a time.
      for (let i = 0; i < 60; i++) await surroundings.sleep(10_000, surroundings.signal);
      return true;
    };
    await passOver(queue, unbounded, surroundings, work);
    const extended = queue.changes.filter(({ seconds }) => seconds === 120).map((c) => c.receiptHandle);
    expect(new Set(extended)).toEqual(new Set([15, 16, 17, 18, 19].map((i) => `handle-${i}`)));
    expect(extended.length).toBeGreaterThanOrEqual(5 * 5);
  });
});
