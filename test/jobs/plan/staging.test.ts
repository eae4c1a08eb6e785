import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, type LeftOut, Staging } from '../../../src/jobs/plan/staging.ts';

const change = fc.record(
  { Description: fc.constantFrom('', 'x', 'y'), TaskConfigurationId: fc.constantFrom('', 'cfg') },
  { requiredKeys: [] },
);
const former = change.filter((value) => Object.keys(value).length > 0);

test('the last row of each task wins, whole, the others are left out in their places, and nothing is lost or changed', async () => {
  const rows = fc.array(
    fc.record(
      {
        Identifier: fc.stringMatching(/^[ab]{1,3}$/),
        change,
        former,
        state: fc.constant('applied'),
        refused: fc.constant(true),
      },
      { requiredKeys: ['Identifier', 'change'] },
    ),
    { maxLength: 250 },
  );
  await fc.assert(
    fc.asyncProperty(rows, async (all) => {
      const given = all.map(
        ({ Identifier, change: fields, former: Former, state, refused }, i): Candidate | LeftOut =>
          refused
            ? { line: i + 2, leftOut: 'refused', Identifier, reason: 'no' }
            : {
                line: i + 2,
                Identifier,
                ...fields,
                ...(Former && { Former }),
                ...(state && { state }),
              },
      );
      const candidates = given.filter((row): row is Candidate => !('leftOut' in row));
      const staging = new Staging();
      for (const row of given) {
        if ('leftOut' in row) staging.leaveOut(row);
        else staging.add(row);
      }
      const duplicates = staging.seal();
      const staged = await Array.fromAsync(staging.rows());
      staging.close();
      const last = new Map(candidates.map((candidate) => [candidate.Identifier, candidate]));
      const expected = given.map((row) => {
        const winner = 'leftOut' in row ? undefined : last.get(row.Identifier);
        if (winner === undefined || winner === row) return row;
        const reason = `line ${winner.line} names the same task: it counts`;
        return { line: row.line, leftOut: 'duplicate', Identifier: row.Identifier, reason };
      });
      expect(staged).toEqual(expected);
      expect(duplicates.rows).toBe(candidates.length - last.size);
      const counts = Object.values(Object.groupBy(candidates, ({ Identifier }) => Identifier));
      expect(duplicates.identifiers).toBe(counts.filter((group) => (group?.length ?? 0) > 1).length);
    }),
    { numRuns: 40 },
  );
});
