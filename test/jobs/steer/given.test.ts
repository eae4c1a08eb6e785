/** What a command that sends a job changes of how it is sent. */
import { expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
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

const MINUTE = 60_000;

test('a start that has passed is refused: the job would be sent at once', () => {
  const startAt = now - 365 * 86_400_000;
  const given = () => changesOf(control, { given: { startAt }, now }, counts);
  expect(given).toThrow(CommandError);
  expect(given).toThrow(
    /^--start-at, \d{4}-.* UTC, was 365d ago: the job would be sent at once\. Give a time in the future/,
  );
});

test.each([
  ['a little before: clocks differ, and typing takes a while', control, { startAt: now - 5 * MINUTE }],
  [
    'again, as the job has it: a command that is run once more',
    { ...control, settings: { startAt: 1_000 } },
    { startAt: 1_000 },
  ],
  ['in time', control, { startAt: now + 1 }],
])('a start is taken %s', (_, has, given) => {
  expect(changesOf(has, { given, now }, counts).settings).toMatchObject(given);
});

test('a start that passed while the rows were entered is taken', () => {
  const setting = { given: { startAt: now - 30 * MINUTE }, givenAt: now - 31 * MINUTE, now };
  expect(changesOf(control, setting, counts).settings).toMatchObject(setting.given);
});

test('a start or a window of a job whose deadline has passed is refused, unless it gets another deadline', () => {
  const over = { ...control, settings: { deadline: now - MINUTE } };
  for (const given of [{ startAt: now + MINUTE }, { between: { from: '01:00', to: '05:00', tz: 'UTC' } }]) {
    expect(() => changesOf(over, { given, now }, counts)).toThrow(
      /^Nothing would be sent: the job's deadline, .* UTC, has passed\. Give a later --deadline, too\./,
    );
    expect(changesOf(over, { given, unset: ['deadline'], now }, counts).settings).toEqual(given);
    const later = { ...given, deadline: now + 2 * 86_400_000 };
    expect(changesOf(over, { given: later, now }, counts).settings).toEqual(later);
  }
  expect(changesOf(over, { given: { rate: 5 }, now }, counts).settings).toMatchObject({ rate: 5 });
});

test('a canary is of the rows that are sent from now on', () => {
  const { progress } = changesOf(control, { given: { canary: { rows: 5 } }, now }, counts);
  expect(progress).toBeDefined();
  expect(progress).not.toEqual(beginning);
});
