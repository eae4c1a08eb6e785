import { describe, expect, test } from 'vitest';
import { decideRefreshed, formerOf, isAsWanted } from '../../../src/jobs/plan/decisions.ts';
import { durationText } from '../../../src/jobs/plan/duration.ts';
import { Reasons } from '../../../src/jobs/plan/reasons.ts';
import type { TaskChange } from '../../../src/jobs/plan/types.ts';
import { toConditions } from '../../../src/jobs/plan/where.ts';
import { decideReconciliation } from '../../../src/jobs/run/reconcile.ts';
import { decideUndo, type JobRow, mayHaveChanged } from '../../../src/jobs/run/undo.ts';
import type { Failure, FailureKind } from '../../../src/message/failure.ts';
import type { OtaTask, ReadAnswer } from '../../../src/ota/reader.ts';

const task = (value: OtaTask): ReadAnswer<OtaTask> => ({ ok: true, value: { TaskId: 't1', ...value } });
const failed = (kind: FailureKind, status?: number): { readonly ok: false; readonly failure: Failure } => ({
  ok: false,
  failure: { kind, name: 'SomeException', message: 'said so', ...(status !== undefined && { status }) },
});

test.each<[string, TaskChange, TaskChange | undefined, boolean]>([
  [
    'all is so',
    { Description: 'x', TaskConfigurationId: 'c' },
    { Description: 'x', TaskConfigurationId: 'c' },
    true,
  ],
  [
    'what is asked for is so',
    { TaskConfigurationId: 'c' },
    { Description: 'y', TaskConfigurationId: 'c' },
    true,
  ],
  [
    'half is so',
    { Description: 'x', TaskConfigurationId: 'c' },
    { Description: 'y', TaskConfigurationId: 'c' },
    false,
  ],
  ['half is not known', { Description: 'x', TaskConfigurationId: 'c' }, { TaskConfigurationId: 'c' }, false],
  ['nothing is known', { Description: 'x' }, undefined, false],
])('when %s, isAsWanted says so', (_what, change, present, expected) => {
  expect(isAsWanted(change, present)).toBe(expected);
});

test('formerOf takes the changed fields alone, absent ones as empty and endless ones not at all', () => {
  const change = { Description: 'x', TaskConfigurationId: 'c' };
  expect(formerOf(change, { Description: 'old', TaskConfigurationId: 'c0' })).toEqual({
    Description: 'old',
    TaskConfigurationId: 'c0',
  });
  expect(formerOf({ Description: 'x' }, { TaskConfigurationId: 'c0' })).toEqual({ Description: '' });
  expect(formerOf(change, { Description: 'x'.repeat(1_001), TaskConfigurationId: 'c0' })).toEqual({
    TaskConfigurationId: 'c0',
  });
});

describe('decideRefreshed', () => {
  const candidate = { line: 2, Identifier: 't1', Description: 'x' };

  test('records what was before', () => {
    expect(decideRefreshed(candidate, task({ Description: 'old' }), undefined)).toEqual({
      candidate: { ...candidate, Former: { Description: 'old' } },
    });
  });

  test('refuses a task that is gone, or that the API will not hear of', () => {
    expect(decideRefreshed(candidate, failed('rejected', 404), undefined)).toEqual({
      reason: 'there is no such task (404)',
    });
    expect(decideRefreshed(candidate, failed('rejected', 400), undefined)).toEqual({
      reason: 'SomeException: said so',
    });
  });

  test('refuses a task that does not meet the conditions any more', () => {
    const conditions = toConditions([['Status', 'SCHEDULED']]);
    expect(decideRefreshed(candidate, task({ Status: 'COMPLETED' }), conditions)).toEqual({
      reason: 'Status has changed since the tasks were listed',
    });
    expect(decideRefreshed(candidate, task({ Status: 'SCHEDULED' }), conditions)).toHaveProperty('candidate');
  });

  test.each<FailureKind>(['denied', 'retryable', 'misconfigured', 'internal'])(
    'keeps a row whose task cannot be read (%s)',
    (kind) => {
      expect(decideRefreshed(candidate, failed(kind), undefined)).toEqual({ unread: true, candidate });
    },
  );
});

describe('decideUndo', () => {
  const row: JobRow = {
    row: 1,
    identifier: 't1',
    change: { TaskConfigurationId: 'new' },
    former: { TaskConfigurationId: 'old' },
    state: 'applied',
    sends: 1,
  };
  const nothing = { change: {}, former: {}, faults: [] };

  test.each<[string, Partial<JobRow>, OtaTask, ReturnType<typeof decideUndo>]>([
    [
      'puts back what the job set',
      {},
      { TaskConfigurationId: 'new' },
      { change: { TaskConfigurationId: 'old' }, former: { TaskConfigurationId: 'new' }, faults: [] },
    ],
    ['does nothing where all is as before', {}, { TaskConfigurationId: 'old' }, nothing],
    [
      'leaves alone what was changed since',
      {},
      { TaskConfigurationId: 'other' },
      { ...nothing, faults: ['TaskConfigurationId: the task was changed since'] },
    ],
    [
      'puts back what a call that failed has changed nevertheless',
      { state: 'dead-lettered' },
      { TaskConfigurationId: 'new' },
      { change: { TaskConfigurationId: 'old' }, former: { TaskConfigurationId: 'new' }, faults: [] },
    ],
    [
      'has nothing to put back where a call failed and changed nothing',
      { state: 'dead-lettered', former: undefined },
      { TaskConfigurationId: 'other' },
      nothing,
    ],
    [
      'cannot put back what was never read',
      { former: undefined },
      { TaskConfigurationId: 'new' },
      { ...nothing, faults: ['TaskConfigurationId: no former value was recorded'] },
    ],
    [
      'cannot empty a field',
      { former: { TaskConfigurationId: '' } },
      { TaskConfigurationId: 'new' },
      { ...nothing, faults: ['TaskConfigurationId: was empty before, and the API cannot empty it'] },
    ],
    [
      'cannot put back what the API would refuse',
      { former: { TaskConfigurationId: 'a/b' } },
      { TaskConfigurationId: 'new' },
      { ...nothing, faults: ['TaskConfigurationId: its former value is none that UpdateOtaTask takes'] },
    ],
    [
      'puts back the half that can be, and says what cannot',
      { change: { Description: 'x', TaskConfigurationId: 'new' } },
      { Description: 'x', TaskConfigurationId: 'new' },
      {
        change: { TaskConfigurationId: 'old' },
        former: { TaskConfigurationId: 'new' },
        faults: ['Description: no former value was recorded'],
      },
    ],
  ])('%s', (_what, facts, present, expected) => {
    expect(decideUndo({ ...row, ...facts }, task(present))).toEqual(expected);
  });

  test('cannot undo what is gone or cannot be read', () => {
    expect(decideUndo(row, failed('rejected', 404)).faults).toEqual(['there is no such task any more']);
    expect(decideUndo(row, failed('denied', 403)).faults).toEqual([
      'cannot be read (SomeException: said so)',
    ]);
  });

  test.each<[string, number, unknown]>([
    ['applied', 1, true],
    ['dead-lettered', 1, true],
    ['superseded', 1, false],
    ['planned', 0, false],
    ['planned', 1, true],
    ['refused', 1, false],
    ['refused', 2, true],
    ['sending', 1, { reason: expect.stringContaining('has not ended') }],
    ['sent', 1, { reason: expect.stringContaining('has not ended') }],
  ])('looks at a row that is %s and was sent %i times', (state, sends, expected) => {
    expect(mayHaveChanged({ state, sends })).toEqual(expected);
  });
});

test.each<[string, ReadAnswer<OtaTask>, string]>([
  ['as wanted', task({ Description: 'x' }), 'applied'],
  ['otherwise', task({ Description: 'y' }), 'again'],
  ['gone', failed('rejected', 404), 'gone'],
  ['not for us to read', failed('denied', 403), 'again'],
  ['refused by the API', failed('rejected', 400), 'again'],
  ['out of reach', failed('retryable'), 'unknown'],
  ['out of reach for our own fault', failed('misconfigured', 403), 'unknown'],
])('a row without an outcome whose task is %s is decided', (_what, answer, decision) => {
  expect(decideReconciliation({ Description: 'x' }, answer)).toMatchObject({ decision });
});

test.each([
  [0.4, undefined],
  [1, '1 s'],
  [65, '1 min 5 s'],
  [3_600, '1 h'],
  [4_980, '1 h 23 min'],
  [98_500, '1 d 3 h'],
  [Number.POSITIVE_INFINITY, undefined],
  [Number.NaN, undefined],
])('%d seconds are said as %s', (seconds, expected) => {
  expect(durationText(seconds)).toBe(expected);
});

test('Reasons counts every row, in bounded memory, and keeps the first lines of each', () => {
  const reasons = new Reasons();
  for (let line = 1; line <= 5_000; line++) reasons.add({ line, reason: `fault ${line}` });
  for (let line = 1; line <= 5; line++) reasons.add({ line, reason: 'fault 1' });
  const counts = reasons.counts();
  expect(reasons.total).toBe(5_005);
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(5_005);
  expect(counts.length).toBeLessThan(210);
  expect(counts[0]).toMatchObject({ reason: 'other reasons' });
  expect(counts[1]).toEqual({ reason: 'fault 1', count: 6, lines: [1, 1, 2] });
});
