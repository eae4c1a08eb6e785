import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRequestId, requestIdOf } from '../../../src/jobs/ledger/row.ts';

test('a RequestId carries row and try, and no other text is taken for one', () => {
  expect(requestIdOf({ Row: 17, try: 1 })).toBe('r000017.1');
  fc.assert(
    fc.property(
      fc.record({ Row: fc.integer({ min: 1, max: 10_000_000 }), try: fc.integer({ min: 1, max: 1_000 }) }),
      (row) => {
        expect(parseRequestId(requestIdOf(row))).toEqual(row);
      },
    ),
  );
  for (const text of ['row-000017', 'r000017', 'r17.1', 'r000017.0', 'r0000017.1', 'r000000.1', 'r000017.1 '])
    expect(parseRequestId(text)).toBeUndefined();
});
