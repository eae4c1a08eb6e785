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

test('nothing given changes nothing: a sender takes back nothing that was set since it read the job', () => {
  expect(changesOf(control, {}, counts, now)).toEqual({});
});

test('what is given is added to what the job has, and leaves its progress as it is', () => {
  expect(changesOf(control, { rate: 20 }, counts, now)).toEqual({ settings: { window: 100, rate: 20 } });
});

test('a canary is of the rows that are sent from now on', () => {
  const { progress } = changesOf(control, { canary: { rows: 5 } }, counts, now);
  expect(progress).toBeDefined();
  expect(progress).not.toEqual(beginning);
});
