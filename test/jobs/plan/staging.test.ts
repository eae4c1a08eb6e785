import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChangeRow, PlanRow } from '../../../src/jobs/plan/format.ts';
import { type StagedRow, Staging } from '../../../src/jobs/plan/staging.ts';

const change = fc.record(
  { Description: fc.constantFrom('', 'x', 'y'), TaskConfigurationId: fc.constantFrom('', 'cfg') },
  { requiredKeys: [] },
);
const former = change.filter((value) => Object.keys(value).length > 0);

test('the last row of each task counts, whole, the others are left out in their places, and nothing is lost or changed', async () => {
  const rows = fc.array(
    fc.record(
      {
        Identifier: fc.stringMatching(/^[ab]{1,3}$/),
        change,
        former,
        refused: fc.constant(true),
      },
      { requiredKeys: ['Identifier', 'change'] },
    ),
    { maxLength: 250 },
  );
  await fc.assert(
    fc.asyncProperty(rows, async (all) => {
      const given = all.map(({ Identifier, change: fields, former: Former, refused }, i): StagedRow => {
        const Row = i + 1;
        const row: PlanRow = refused
          ? { Row, LeftOut: 'refused', Identifier, ...fields, Reason: 'no' }
          : { Row, Identifier, ...fields, ...(Former && { Former }) };
        return { line: i + 2, row };
      });
      const candidates = given.filter(({ row }) => !('LeftOut' in row));
      const staging = new Staging();
      for (const staged of given) staging.add(staged);
      const duplicates = staging.seal();
      const staged = await Array.fromAsync(staging.rows());
      staging.close();
      const last = new Map(candidates.map((staged) => [staged.row.Identifier, staged]));
      const expected = given.map((staged) => {
        const { line, row } = staged;
        const winner = 'LeftOut' in row ? undefined : last.get(row.Identifier);
        if (winner === undefined || winner === staged) return staged;
        const { Former: _, ...kept } = row as ChangeRow;
        const Reason = `line ${winner.line} names the same task and counts instead`;
        return { line, row: { ...kept, LeftOut: 'duplicate', Reason } };
      });
      expect(staged).toEqual(expected);
      expect(duplicates.rows).toBe(candidates.length - last.size);
      const counts = Object.values(Object.groupBy(candidates, ({ row }) => row.Identifier ?? ''));
      expect(duplicates.identifiers).toBe(counts.filter((group) => (group?.length ?? 0) > 1).length);
    }),
    { numRuns: 40 },
  );
});
