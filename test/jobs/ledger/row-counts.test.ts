import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowStates } from '../../../src/jobs/ledger/row.ts';
import { rowCountsOf } from '../../../src/jobs/ledger/row-counts.ts';
import { toCounts } from '../../../src/jobs/ledger/shared/counts.ts';

test('each row is in exactly one of the counts that are told elsewhere, and in the total', () => {
  const tally = fc.record({
    state: fc.constantFrom(...rowStates),
    cause: fc.constantFrom('', 'Expired', 'ValidationException'),
    rows: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(tally), (tallies) => {
      const rows = tallies.reduce((sum, one) => sum + one.rows, 0);
      const { total, ...parts } = rowCountsOf(toCounts(tallies));
      expect(total).toBe(rows);
      expect(Object.values(parts).reduce((sum, count) => sum + count, 0)).toBe(rows);
    }),
  );
});
