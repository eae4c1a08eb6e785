import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../src/text/nearest.ts';

const names = [
  'worker',
  'enqueue',
  'dead-letters',
  'jobs',
  'Identifier',
  'TaskConfigurationId',
  'JobId',
  '--version',
];

test.each([
  ['wroker', 'worker'],
  ['deadletters', 'dead-letters'],
  ['dead_letters', 'dead-letters'],
  ['identifier', 'Identifier'],
  ['Task Configuration ID', 'TaskConfigurationId'],
  ['TaskConfigurtionIdd', 'TaskConfigurationId'],
  ['job', 'jobs'],
  ['job id', 'JobId'],
  ['TaskConf', 'TaskConfigurationId'],
  ['nothing', undefined],
  // Dashes before a name make it no longer, and so no nearer.
  ['--reason', undefined],
  ['--versoin', '--version'],
  ['x', undefined],
  ['', undefined],
  ['w'.repeat(1_000_000), undefined],
])('%s: %s', (wrong, right) => expect(nearest(wrong, names)).toBe(right));

test('is the name itself, where that is one', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1 }), (all) => {
      const [first = ''] = all;
      expect(nearest(first, [first])).toBe(first);
    }),
  );
});

test('as the end of a sentence', () => {
  expect([didYouMean('wroker', names), didYouMean('xyz', names)]).toEqual([' Did you mean "worker"?', '']);
});
