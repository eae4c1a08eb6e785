/** What a command that sends a job changes of how it is sent. */
import { expect, test } from 'vitest';
import { beginning } from '../../../src/jobs/rules/progress.ts';
import { changesOf } from '../../../src/jobs/steer/given.ts';
import { now } from '../ledger/contract.ts';

const counts = {
  total: 10,
  planned: 7,
  inFlight: 0,
  applied: 2,
  superseded: 0,
  failed: 1,
  notSent: 0,
  ended: 3,
  causes: [],
  calls: 3,
  callsOf: 3,
};
const control = { settings: { window: 100, rate: 50 }, progress: beginning };

test('what is given is added to what the job has, and leaves its progress as it is', () => {
  expect(changesOf(control, { given: { rate: 20 }, now }, counts)).toEqual({
    settings: { window: 100, rate: 20 },
  });
});

test('a canary is of the rows that are sent from now on', () => {
  const { progress } = changesOf(control, { given: { canary: { rows: 5 } }, now }, counts);
  expect(progress).toBeDefined();
  expect(progress).not.toEqual(beginning);
});
