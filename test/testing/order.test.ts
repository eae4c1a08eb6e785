import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderViolations, type SentUpdate } from '../../testing/sqs/order.ts';

const sent = (group: string, ...values: string[]): SentUpdate[] => values.map((value) => ({ group, value }));
const kinds = (all: readonly SentUpdate[], ...applied: [string, string][]): string[] =>
  orderViolations(
    all,
    applied.map(([group, value]) => ({ group, value })),
  ).map(({ kind, group, value }) => `${kind} ${group}:${value}`);

describe('orderViolations', () => {
  test('finds nothing in groups applied in order, side by side, with repeats', () => {
    const all = [...sent('a', '1', '2', '3'), ...sent('b', '1', '2')];
    expect(
      kinds(
        all,
        ['a', '1'],
        ['b', '1'],
        ['a', '2'],
        ['a', '2'],
        ['b', '2'],
        ['a', '1'],
        ['a', '2'],
        ['a', '3'],
      ),
    ).toEqual([]);
  });

  test.each<[string, [string, string][], string[]]>([
    [
      'an older value first applied after a newer one',
      [
        ['a', '2'],
        ['a', '1'],
        ['a', '3'],
      ],
      ['older-first-applied-after-newer a:1'],
    ],
    [
      'an older value applied again at the end',
      [
        ['a', '1'],
        ['a', '2'],
        ['a', '3'],
        ['a', '2'],
      ],
      ['newest-not-last a:2'],
    ],
    [
      'a value that never came',
      [
        ['a', '1'],
        ['a', '3'],
      ],
      ['missing a:2'],
    ],
    ['a group that never came', [], ['missing a:1', 'missing a:2', 'missing a:3']],
    [
      'a value that nobody sent',
      [
        ['a', '1'],
        ['a', '2'],
        ['a', '3'],
        ['a', '4'],
        ['b', '1'],
      ],
      ['unknown a:4', 'unknown b:1'],
    ],
    [
      'the newest before an older one',
      [
        ['a', '1'],
        ['a', '3'],
        ['a', '2'],
      ],
      ['older-first-applied-after-newer a:2', 'newest-not-last a:2'],
    ],
  ])('reports %s', (_what, applied, expected) => {
    expect(kinds(sent('a', '1', '2', '3'), ...applied)).toEqual(expected);
  });

  test('lets a dead-lettered update be missing, but not be applied late', () => {
    const all = [{ group: 'a', value: '1', mayBeMissing: true }, ...sent('a', '2')];
    expect(kinds(all, ['a', '2'])).toEqual([]);
    expect(kinds(all, ['a', '1'], ['a', '2'])).toEqual([]);
    expect(kinds(all, ['a', '2'], ['a', '1'], ['a', '2'])).toEqual(['older-first-applied-after-newer a:1']);
  });

  test('names the newer value', () => {
    const applied = ['2', '1'].map((value) => ({ group: 'a', value }));
    expect(orderViolations(sent('a', '1', '2'), applied).map(({ newer }) => newer)).toEqual(['2', '2']);
  });

  test('refuses a value sent twice in a group, whose order could not be decided', () => {
    expect(() => orderViolations(sent('a', '1', '1'), [])).toThrow('a: 1 was sent twice');
  });

  test('agrees with the promise, spelt out, on any record of one group', () => {
    const record = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 });
    fc.assert(
      fc.property(record, (applied) => {
        const firsts = applied.filter((value, i) => applied.indexOf(value) === i);
        const complete = firsts.length === 5;
        const inOrder = firsts.every((value, i) => i === 0 || value > (firsts[i - 1] ?? 0));
        const newestLast = applied.at(-1) === 4;
        const found = kinds(
          sent('a', '0', '1', '2', '3', '4'),
          ...applied.map((v): [string, string] => ['a', `${v}`]),
        );
        expect(found.length === 0).toBe(complete && inOrder && newestLast);
      }),
    );
  });
});
