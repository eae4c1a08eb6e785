import { expect, test } from 'vitest';
import { memoryFault } from '../../testing/proof/memory.ts';

test.each([
  ['as much as with a tenth of the rows', 140, 140, undefined],
  ['two runs that differ as two of the same do', 165, 138, undefined],
  ['one that holds 50 bytes of each of 900,000 rows', 185, 140, /^plan took 185 MB, and 140 MB with a tenth/],
  ['one that holds much whatever the rows', 201, 201, /^plan took 201 MB, more than 200$/],
  ['one that has no tenth beside it', 158, undefined, undefined],
  ['one that was not seen', 0, 140, /not measured/],
  ['one beside a tenth that was not seen', 140, 0, /more than 1\.3 times/],
] as const)('memory is told to be as it should be, or not: %s', (_, peak, tenth, fault) => {
  const said = memoryFault('plan', peak, tenth);
  if (fault === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(fault);
});
