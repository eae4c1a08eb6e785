import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BATCH_SIZE,
  MAX_PAYLOAD_BYTES,
  packRequests,
  partitionBatch,
  RequestPacker,
} from '../../src/queue/batch.ts';
import type { BatchFailure } from '../../src/queue/types.ts';

const failure = (key: string, senderFault: boolean): BatchFailure => ({
  key,
  senderFault,
  code: senderFault ? 'InvalidMessageContents' : 'InternalError',
  message: '',
});

describe('partitionBatch', () => {
  const letters = (text: string): string[] => [...text];
  test.each<[string, string, string, { taken: string; atFault: string; again: string }]>([
    ['abc', '', '', { taken: 'abc', atFault: '', again: '' }],
    ['abc', 'b', '', { taken: 'ac', atFault: 'b', again: '' }],
    ['abc', '', 'ca', { taken: 'b', atFault: '', again: 'ac' }],
    ['abc', 'a', 'c', { taken: 'b', atFault: 'a', again: 'c' }],
    ['abc', 'cb', 'a', { taken: '', atFault: 'bc', again: 'a' }],
    // A failure of an entry that was not asked for says nothing.
    ['ab', 'x', 'y', { taken: 'ab', atFault: '', again: '' }],
    ['', '', '', { taken: '', atFault: '', again: '' }],
  ])('of %s, with %j at fault and %j to try again', (items, atFault, again, expected) => {
    const failures = [
      ...letters(atFault).map((key) => failure(key, true)),
      ...letters(again).map((key) => failure(key, false)),
    ];
    const parts = partitionBatch(letters(items), failures, (key) => key);
    expect(parts.taken.join('')).toBe(expected.taken);
    expect(parts.atFault.map(({ item }) => item).join('')).toBe(expected.atFault);
    expect(parts.again.map(({ item }) => item).join('')).toBe(expected.again);
  });

  test('every item is in exactly one part, with the failure of its key', () => {
    const entries = fc.uniqueArray(
      fc.record({ key: fc.string(), outcome: fc.constantFrom('taken', 'atFault', 'again') }),
      { selector: ({ key }) => key, maxLength: BATCH_SIZE },
    );
    fc.assert(
      fc.property(entries, (items) => {
        const failures = items
          .filter(({ outcome }) => outcome !== 'taken')
          .map(({ key, outcome }) => failure(key, outcome === 'atFault'))
          .reverse();
        const { taken, atFault, again } = partitionBatch(items, failures, ({ key }) => key);
        expect(taken).toEqual(items.filter(({ outcome }) => outcome === 'taken'));
        for (const [part, outcome] of [
          [atFault, 'atFault'],
          [again, 'again'],
        ] as const) {
          expect(part.map(({ item }) => item)).toEqual(items.filter((item) => item.outcome === outcome));
          for (const { item, failure: why } of part) expect(why.key).toBe(item.key);
        }
      }),
    );
  });
});

describe('packRequests', () => {
  interface Item {
    readonly bytes: number;
    readonly group?: string;
    readonly alone?: boolean;
  }
  const sizes = (items: readonly Item[], limits = {}): number[] =>
    [...packRequests(items, (item) => item, limits)].map((request) => request.length);

  test.each<[string, Item[], number[]]>([
    ['nothing', [], []],
    ['ten small ones share a request', Array<Item>(10).fill({ bytes: 1 }), [10]],
    ['an eleventh begins another', Array<Item>(11).fill({ bytes: 1 }), [10, 1]],
    ['exactly 1 MiB fits', [{ bytes: MAX_PAYLOAD_BYTES - 1 }, { bytes: 1 }], [2]],
    ['a byte more does not', [{ bytes: MAX_PAYLOAD_BYTES - 1 }, { bytes: 2 }], [1, 1]],
    ['one over the limit has a request of its own', [{ bytes: MAX_PAYLOAD_BYTES + 1 }, { bytes: 0 }], [1, 1]],
    [
      'a group repeats',
      [
        { bytes: 1, group: 'a' },
        { bytes: 1, group: 'b' },
        { bytes: 1, group: 'a' },
      ],
      [2, 1],
    ],
    ['no group repeats', [{ bytes: 1 }, { bytes: 1 }], [2]],
    ['one that shares with no other', [{ bytes: 1 }, { bytes: 1, alone: true }, { bytes: 1 }], [1, 1, 1]],
  ])('%s', (_, items, expected) => {
    expect(sizes(items)).toEqual(expected);
  });

  test('without a measure, only the number counts', () => {
    expect([...packRequests('abcdefghijkl')].map((request) => request.join(''))).toEqual([
      'abcdefghij',
      'kl',
    ]);
  });

  test('requests hold all items in order, keep the limits, and are as full as the limits allow', () => {
    const items = fc.array(
      fc.record(
        {
          bytes: fc.nat({ max: 60 }),
          group: fc.constantFrom('a', 'b', 'c'),
          alone: fc.boolean(),
        },
        { requiredKeys: ['bytes'] },
      ),
    );
    const limits = fc.record({
      items: fc.integer({ min: 1, max: 10 }),
      bytes: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(items, limits, (all, { items: maxItems, bytes: maxBytes }) => {
        const requests = [...packRequests<Item>(all, (item) => item, { items: maxItems, bytes: maxBytes })];
        expect(requests.flat()).toEqual(all);
        const fits = (request: readonly Item[]): boolean => {
          const groups = request.flatMap(({ group }) => group ?? []);
          return (
            request.length <= maxItems &&
            request.reduce((sum, { bytes }) => sum + bytes, 0) <= maxBytes &&
            new Set(groups).size === groups.length &&
            (request.length === 1 || request.every(({ alone }) => alone !== true))
          );
        };
        for (const [i, request] of requests.entries()) {
          expect(request.length === 1 || fits(request)).toBe(true);
          const next = requests[i + 1]?.[0];
          if (next !== undefined) expect(fits([...request, next])).toBe(false);
        }
      }),
    );
  });

  test('reads no further than the first item of the next request', () => {
    let read = 0;
    const endless = function* (): Generator<number, never> {
      for (;;) yield read++;
    };
    const [first] = packRequests(endless());
    expect(first).toHaveLength(BATCH_SIZE);
    expect(read).toBe(BATCH_SIZE + 1);
  });
});

describe('RequestPacker', () => {
  test('gives a request out when the next item does not fit, and the rest when asked', () => {
    const packer = new RequestPacker<string>(() => ({}), { items: 2 });
    expect(['a', 'b', 'c'].map((item) => packer.add(item))).toEqual([undefined, undefined, ['a', 'b']]);
    expect(packer.takeRest()).toEqual(['c']);
    expect(packer.takeRest()).toEqual([]);
  });
});
