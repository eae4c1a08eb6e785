import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, Staging } from '../../src/jobs/plan-staging.ts';

const change = fc.record(
  { Description: fc.constantFrom('', 'x', 'y'), TaskConfigurationId: fc.constantFrom('', 'cfg') },
  { requiredKeys: [] },
);
const former = change.filter((value) => Object.keys(value).length > 0);

test('the last row of each task wins, whole, and nothing else is lost or changed', async () => {
  const rows = fc.array(
    fc.record(
      { Identifier: fc.stringMatching(/^[ab]{1,3}$/), change, former, state: fc.constant('applied') },
      { requiredKeys: ['Identifier', 'change'] },
    ),
    { maxLength: 250 },
  );
  await fc.assert(
    fc.asyncProperty(rows, async (all) => {
      const candidates: Candidate[] = all.map(({ Identifier, change: fields, former: Former, state }, i) => ({
        line: i + 2,
        Identifier,
        ...fields,
        ...(Former && { Former }),
        ...(state && { state }),
      }));
      const staging = new Staging();
      for (const candidate of candidates) staging.add(candidate);
      const duplicates = staging.seal();
      const winners = await Array.fromAsync(staging.winners());
      staging.close();
      const last = new Map(candidates.map((candidate) => [candidate.Identifier, candidate]));
      expect(winners).toEqual([...last.values()].toSorted((a, b) => a.line - b.line));
      expect(duplicates.rows).toBe(candidates.length - last.size);
      const counts = Object.values(Object.groupBy(candidates, ({ Identifier }) => Identifier));
      expect(duplicates.identifiers).toBe(counts.filter((group) => (group?.length ?? 0) > 1).length);
    }),
    { numRuns: 40 },
  );
});
