import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginning } from '../../../src/jobs/rules/progress.ts';
import { hasEnded, seenDevices, VerificationSum } from '../../../src/jobs/verify/sum.ts';
import { countsOf, deviceStates } from '../../../src/message/devices.ts';
import type { Failure } from '../../../src/message/failure.ts';

const gone: Failure = { kind: 'rejected', status: 404, name: 'ResourceNotFoundException', message: 'gone' };
const denied: Failure = { kind: 'denied', status: 403, name: 'AccessDeniedException', message: 'no' };

const none = countsOf(() => 0);
const row = (Row: number, TaskConfigurationId = 'new') => ({
  Row,
  Identifier: `task${Row}`,
  TaskConfigurationId,
});
const read = (devices: Partial<typeof none> | undefined, TaskConfigurationId = 'new') => ({
  ok: true as const,
  value: { TaskConfigurationId, ...(devices !== undefined && { devices: { ...none, ...devices } }) },
});

test('sums devices by state, and says what of them has ended and failed', () => {
  const sum = new VerificationSum(7);
  sum.add(row(1), read({ succeeded: 3, failed: 1, queued: 5 }), undefined, '');
  sum.add(
    row(2),
    read({ succeeded: 1, 'timed-out': 1, rejected: 1, removed: 4, canceled: 2 }),
    undefined,
    '',
  );
  sum.add(row(3), read(undefined), undefined, '');
  // Counted one by one, they are what counts.
  sum.add(row(4), read({ succeeded: 9 }), { ...none, 'in-progress': 1 }, '');
  const found = sum.result(true);
  expect(found).toMatchObject({
    at: 7,
    whole: true,
    tasks: 4,
    devices: {
      ...none,
      succeeded: 4,
      failed: 1,
      'timed-out': 1,
      rejected: 1,
      removed: 4,
      canceled: 2,
      queued: 5,
      'in-progress': 1,
    },
    notHolding: 0,
  });
  expect(seenDevices(found, beginning)).toEqual({
    at: 7,
    ended: 7,
    failed: 3,
    underWay: 6,
    judged: { after: 0, ended: 7, failed: 3 },
    stage: { tasks: 4, unnamed: 1, devices: 19, ended: 7, underWay: 6, lastSent: 0 },
  });
});

test('devices of the stage are those of the rows that were sent after the stages before, and rules judge by those sent since the job went on', () => {
  const at = Date.UTC(2026, 10, 30, 9);
  const sent = (Row: number, ms: number) => ({ ...row(Row), sentAt: at + ms });
  const sum = new VerificationSum(1, { stageAfter: at, judgedAfter: at - 1 });
  sum.add(sent(1, -1), read({ succeeded: 50, queued: 1 }), undefined, '');
  sum.add(sent(2, 0), read({ failed: 5 }), undefined, '');
  sum.add(sent(3, 1), read({ succeeded: 1, failed: 2, 'in-progress': 3, removed: 4 }), undefined, '');
  sum.add(sent(4, 9), read(undefined), undefined, '');
  // When it was sent is not known.
  sum.add(row(5), read({ queued: 7 }), undefined, '');
  const { stage, judged } = seenDevices(sum.result(true), beginning);
  expect(judged).toEqual({ after: at - 1, ended: 8, failed: 7 });
  expect(stage).toEqual({
    tasks: 2,
    unnamed: 1,
    devices: 10,
    ended: 3,
    underWay: 3,
    lastSent: at + 9,
  });
});

test.each([
  ['has its former configuration again', { TaskConfigurationId: 'old' }, 'old', 0],
  ['has what the job set', { TaskConfigurationId: 'old' }, 'new', 3],
  ['has another one, or the same one as the API writes it', { TaskConfigurationId: 'old' }, 'NEW', 3],
  ['has one of which the plan has not read what was before', undefined, 'old', 3],
  ['had none, which nothing gives back: the API does not tell', { TaskConfigurationId: '' }, '', 3],
  ['had the same one before', { TaskConfigurationId: 'new' }, 'new', 3],
  [
    'has its former configuration, and kept a name',
    { TaskConfigurationId: 'old', Description: '' },
    'old',
    0,
  ],
] as const)('of a task that %s its devices count as they do for the job', (_, Former, now, failed) => {
  const sum = new VerificationSum(1, { stageAfter: 5, judgedAfter: 0 });
  const one = { ...row(1), Description: 'x', sentAt: 9, ...(Former !== undefined && { Former }) };
  const counts = { ...none, failed: 3, succeeded: 2, queued: 1 };
  const answer = {
    ok: true as const,
    value: { TaskConfigurationId: now, Description: 'x', devices: counts },
  };
  sum.add(one, answer, undefined, '');
  const { judged, stage, ...seen } = seenDevices(sum.result(true), beginning);
  const counted = failed > 0;
  expect(judged).toEqual({ after: 0, ended: counted ? 5 : 0, failed });
  expect(stage).toEqual({
    tasks: 1,
    unnamed: counted ? 0 : 1,
    devices: counted ? 6 : 0,
    ended: counted ? 5 : 0,
    underWay: counted ? 1 : 0,
    lastSent: 9,
  });
  // What there is is shown.
  expect(seen).toMatchObject({ ended: 5, failed: 3 });
});

test('of a job that sets descriptions alone, devices of a task that has its former one again do not count', () => {
  const sum = new VerificationSum(1);
  const one = { Row: 1, Identifier: 'task1', Description: 'x', Former: { Description: 'was' } };
  const seen = (Description: string) => ({
    ok: true as const,
    value: { Description, devices: { ...none, failed: 1 } },
  });
  sum.add(one, seen('was'), undefined, '');
  sum.add(one, seen('x'), undefined, '');
  expect(sum.result(true).judged).toEqual({ after: 0, ended: 1, failed: 1 });
});

test('a look knows the wait of the stage in which it was begun', () => {
  const found = new VerificationSum(7).result(true);
  const inWait = (waitsFor: 'verify' | 'soak') => seenDevices(found, { waitsFor, since: 9 }).inWait;
  expect([inWait('verify'), inWait('soak')]).toEqual([9, undefined]);
});

test('devices of tasks that were not read may still have to end', () => {
  const sum = new VerificationSum(1);
  sum.add(row(1), read({ ...none, succeeded: 3 }), undefined, '');
  expect([hasEnded(sum.result(true)), hasEnded(sum.result(false))]).toEqual([true, false]);
});

test('says which tasks no longer hold what was set, which are gone and which could not be read', () => {
  const sum = new VerificationSum(0);
  sum.add(row(1), read({}, 'other'), undefined, '');
  sum.add({ ...row(2), Description: 'x' }, read({}), undefined, '');
  sum.add({ Row: 3, Identifier: 'task3' }, read({}, 'other'), undefined, '');
  sum.add(row(4), { ok: false, failure: gone }, undefined, 'not found');
  sum.add(row(5), { ok: false, failure: denied }, undefined, 'it is denied');
  expect(sum.result(false)).toMatchObject({
    whole: false,
    tasks: 3,
    notHolding: 2,
    someNotHolding: [
      { row: 1, identifier: 'task1', field: 'TaskConfigurationId', set: 'new', now: 'other' },
      { row: 2, identifier: 'task2', field: 'Description', set: 'x', now: '' },
    ],
    gone: 1,
    unread: 1,
    unreadWhy: 'it is denied',
  });
});

describe('of any number of tasks', () => {
  test('the worst are kept, the worst first, and every device is counted once', () => {
    const devices = fc.record(
      Object.fromEntries(deviceStates.map((state) => [state, fc.nat(20)])) as Record<
        (typeof deviceStates)[number],
        fc.Arbitrary<number>
      >,
    );
    fc.assert(
      fc.property(fc.array(devices, { maxLength: 60 }), (tasks) => {
        const sum = new VerificationSum(0);
        for (const [i, counts] of tasks.entries()) sum.add(row(i + 1), read(counts), undefined, '');
        const found = sum.result(true);
        for (const state of deviceStates)
          expect(found.devices[state]).toBe(tasks.reduce((all, counts) => all + counts[state], 0));
        const failures = tasks
          .map((counts) => counts.failed + counts['timed-out'] + counts.rejected)
          .filter((failed) => failed > 0)
          .toSorted((a, b) => b - a);
        expect(found.worst.map(({ failed }) => failed)).toEqual(failures.slice(0, 10));
      }),
    );
  });

  test('the lists stay short', () => {
    const sum = new VerificationSum(0);
    for (let i = 1; i <= 1_000; i++) {
      sum.add(row(i), read({ failed: 1 }, 'other'), undefined, '');
      sum.addFailedDevice({ identifier: `task${i}`, thing: `t${i}`, state: 'failed' });
    }
    const { worst, someNotHolding, failedDevices, notHolding } = sum.result(true);
    expect([worst.length, someNotHolding.length, failedDevices.length, notHolding]).toEqual([
      10, 10, 10, 1_000,
    ]);
  });
});
