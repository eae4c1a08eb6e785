import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GoodRow } from '../../src/input/validate.ts';
import { batchRows, isFifo, toOutgoing } from '../../src/sending/batches.ts';

const run = 'run-1';
const standard = { fifo: false, run };
const ordered = { fifo: true, run };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function row(line: number, Identifier: string, JobId?: string): GoodRow {
  return { line, raw: '', update: { Identifier, Description: 'x', ...(JobId !== undefined && { JobId }) } };
}

async function* each(rows: readonly GoodRow[]): AsyncGenerator<GoodRow> {
  yield* rows;
}

async function linesOf(rows: readonly GoodRow[], fifo: boolean, maxBytes?: number): Promise<number[][]> {
  const options = { fifo, run, ...(maxBytes !== undefined && { maxBytes }) };
  const batches = await Array.fromAsync(batchRows(each(rows), options));
  return batches.map((batch) => batch.map((outgoing) => outgoing.row.line));
}

describe('toOutgoing', () => {
  test('groups by job on a standard queue, for fairness', () => {
    expect(toOutgoing(row(2, 'a1', 'job-1'), standard).message).toEqual({
      key: '2',
      body: '{"Identifier":"a1","Description":"x","JobId":"job-1"}',
      groupId: 'job-1',
    });
  });

  test('sends no group to a standard queue when there is no job', () => {
    expect(Object.keys(toOutgoing(row(2, 'a1'), standard).message)).toEqual(['key', 'body']);
  });

  test('groups by Identifier on a FIFO queue', () => {
    expect(toOutgoing(row(2, 'a1', 'job-1'), ordered).message.groupId).toBe('a1');
  });

  test('gives a row tried again its deduplication id again, and no other row, and no other run', () => {
    const id = (line: number, Identifier: string, inRun = run): string | undefined =>
      toOutgoing(row(line, Identifier), { fifo: true, run: inRun }).message.deduplicationId;
    expect(id(2, 'a1')).toBe(id(2, 'a1'));
    expect(id(2, 'a1')).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set([id(2, 'a1'), id(3, 'a1'), id(2, 'b2'), id(2, 'a1', 'run-2')]).size).toBe(4);
  });

  test.each([
    [128, 'x'.repeat(128)],
    [129, sha256('x'.repeat(129))],
  ])('makes a group of an Identifier of %d characters', (length, groupId) => {
    expect(toOutgoing(row(2, 'x'.repeat(length)), ordered).message.groupId).toBe(groupId);
  });
});

test.each([
  ['https://sqs.eu-west-1.amazonaws.com/1/updates.fifo', true],
  ['https://sqs.eu-west-1.amazonaws.com/1/updates', false],
  ['https://host.fifo/1/updates', false],
])('isFifo(%s) is %s', (url, fifo) => {
  expect(isFifo(url)).toBe(fifo);
});

describe('batchRows', () => {
  test('puts ten rows into a batch', async () => {
    const batches = await linesOf(
      Array.from({ length: 23 }, (_, i) => row(i + 2, 'same')),
      false,
    );
    expect(batches.map((batch) => batch.length)).toEqual([10, 10, 3]);
  });

  test('closes a batch before its bodies exceed the limit in bytes', async () => {
    const bytes = Buffer.byteLength(toOutgoing(row(2, 'a'), standard).message.body);
    expect(await linesOf([row(2, 'a'), row(3, 'b'), row(4, 'c')], false, 2 * bytes)).toEqual([[2, 3], [4]]);
    expect(await linesOf([row(2, 'a'), row(3, 'b')], false, 2 * bytes - 1)).toEqual([[2], [3]]);
    expect(await linesOf([row(2, 'a'), row(3, 'b')], false, 1)).toEqual([[2], [3]]);
  });

  test('never puts two rows of a group into one batch of a FIFO queue', async () => {
    expect(await linesOf([row(2, 'a'), row(3, 'b'), row(4, 'a'), row(5, 'a'), row(6, 'c')], true)).toEqual([
      [2, 3],
      [4],
      [5, 6],
    ]);
  });

  test('loses no row and keeps the order, whatever the rows', async () => {
    const identifiers = fc.array(fc.stringMatching(/^[a-c]{1,2}$/));
    await fc.assert(
      fc.asyncProperty(
        identifiers,
        fc.boolean(),
        fc.integer({ min: 1, max: 400 }),
        async (all, fifo, maxBytes) => {
          const rows = all.map((identifier, i) => row(i, identifier));
          const batches = await linesOf(rows, fifo, maxBytes);
          expect(batches.flat()).toEqual(rows.map(({ line }) => line));
          for (const batch of batches) {
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(10);
            const distinct = new Set(batch.map((line) => all[line]));
            if (fifo) expect(distinct.size).toBe(batch.length);
          }
        },
      ),
    );
  });
});
