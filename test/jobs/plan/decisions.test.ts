import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LedgerRow } from '../../../src/jobs/ledger/row.ts';
import { toConditions } from '../../../src/jobs/plan/conditions.ts';
import { decide, formerOf, isAsWanted, isUnread } from '../../../src/jobs/plan/decisions.ts';
import type { TaskChange } from '../../../src/jobs/plan/format.ts';
import { Refused } from '../../../src/jobs/plan/refused.ts';
import { decideUndo, mayHaveChanged } from '../../../src/jobs/plan/undo.ts';
import { decideReconciliation } from '../../../src/jobs/run/reconcile.ts';
import type { Failure, FailureKind } from '../../../src/message/failure.ts';
import type { OtaTask } from '../../../src/ota/answers.ts';
import type { ReadAnswer } from '../../../src/ota/reader.ts';

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

describe('decide', () => {
  const row = { Row: 1, Identifier: 't1', Description: 'x' };
  const refused = { Row: 1, LeftOut: 'refused', Identifier: 't1', Description: 'x' };

  test('keeps a row whose task was not to be read', () => {
    expect(decide(row, undefined, undefined)).toEqual(row);
  });

  test('records what was before', () => {
    expect(decide(row, task({ Description: 'old' }), undefined)).toEqual({
      ...row,
      Former: { Description: 'old' },
    });
  });

  test('leaves out a row whose task is as wanted', () => {
    const leftOut = { Row: 1, LeftOut: 'as-wanted', Identifier: 't1', Description: 'x' };
    expect(decide(row, task({ Description: 'x' }), undefined)).toEqual(leftOut);
    expect(decide({ ...row, Former: { Description: 'x' } }, undefined, undefined)).toEqual(leftOut);
  });

  test('refuses a task that is gone, or that the API rejects', () => {
    expect(decide(row, failed('rejected', 404), undefined)).toEqual({
      ...refused,
      Reason: 'there is no such task (404)',
    });
    expect(decide(row, failed('rejected', 400), undefined)).toEqual({
      ...refused,
      Reason: 'SomeException: said so',
    });
  });

  test('refuses a task that does not meet the conditions any more', () => {
    const conditions = toConditions([['Status', 'SCHEDULED']]);
    expect(decide(row, task({ Status: 'COMPLETED' }), conditions)).toEqual({
      ...refused,
      Reason: 'Status has changed since the tasks were listed',
    });
    expect(decide(row, task({ Status: 'SCHEDULED' }), conditions)).not.toHaveProperty('LeftOut');
  });

  test.each<FailureKind>(['denied', 'retryable', 'misconfigured', 'internal'])(
    'keeps a row whose task cannot be read (%s), and counts it as unread',
    (kind) => {
      expect(decide(row, failed(kind), undefined)).toEqual(row);
      expect(isUnread(failed(kind))).toBe(true);
    },
  );

  test.each([undefined, task({}), failed('rejected', 404)])('does not count %j as unread', (answer) => {
    expect(isUnread(answer)).toBe(false);
  });
});

describe('decideUndo', () => {
  type UndoRow = TaskChange & Pick<LedgerRow, 'Former' | 'state'>;
  const row: UndoRow = {
    TaskConfigurationId: 'new',
    Former: { TaskConfigurationId: 'old' },
    state: 'applied',
  };
  const nothing = { change: {}, former: {}, faults: [] };

  test.each<[string, Partial<Record<keyof UndoRow, unknown>>, OtaTask, ReturnType<typeof decideUndo>]>([
    [
      'restores what the job set',
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
      'restores what a call that failed has changed nevertheless',
      { state: 'dead-lettered' },
      { TaskConfigurationId: 'new' },
      { change: { TaskConfigurationId: 'old' }, former: { TaskConfigurationId: 'new' }, faults: [] },
    ],
    [
      'has nothing to restore where a call failed and changed nothing',
      { state: 'dead-lettered', Former: undefined },
      { TaskConfigurationId: 'other' },
      nothing,
    ],
    [
      'cannot restore what was never read',
      { Former: undefined },
      { TaskConfigurationId: 'new' },
      { ...nothing, faults: ['TaskConfigurationId: no former value was recorded'] },
    ],
    [
      'cannot empty a field',
      { Former: { TaskConfigurationId: '' } },
      { TaskConfigurationId: 'new' },
      { ...nothing, faults: ['TaskConfigurationId: was empty before, and the API cannot empty it'] },
    ],
    [
      'cannot restore what the API would refuse',
      { Former: { TaskConfigurationId: 'a/b' } },
      { TaskConfigurationId: 'new' },
      { ...nothing, faults: ['TaskConfigurationId: UpdateOtaTask does not accept its former value'] },
    ],
    [
      'restores the field that can be, and says what cannot',
      { Description: 'x' },
      { Description: 'x', TaskConfigurationId: 'new' },
      {
        change: { TaskConfigurationId: 'old' },
        former: { TaskConfigurationId: 'new' },
        faults: ['Description: no former value was recorded'],
      },
    ],
  ])('%s', (_what, facts, present, expected) => {
    expect(decideUndo({ ...row, ...facts } as UndoRow, task(present))).toEqual(expected);
  });

  test('cannot undo what is gone or cannot be read', () => {
    expect(decideUndo(row, failed('rejected', 404)).faults).toEqual(['the task no longer exists']);
    expect(decideUndo(row, failed('denied', 403)).faults).toEqual([
      'cannot be read (SomeException: said so)',
    ]);
  });

  test.each<[LedgerRow['state'], number, unknown]>([
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

test('Refused counts every row by reason, in bounded memory, and keeps the first lines of each', () => {
  const folder = mkdtempSync(join(tmpdir(), 'refused-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const reasons = new Refused(undefined, 'refused.csv', { cwd: folder });
  for (let line = 1; line <= 5_000; line++) reasons.add({ line, raw: '', reason: `fault ${line}` });
  for (let line = 1; line <= 5; line++) reasons.add({ line, raw: '', reason: 'fault 1' });
  const counts = reasons.counts();
  expect(reasons.total).toBe(5_005);
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(5_005);
  expect(counts.length).toBeLessThan(210);
  expect(counts[0]).toMatchObject({ reason: 'other reasons' });
  expect(counts[1]).toEqual({ reason: 'fault 1', count: 6, lines: [1, 1, 2] });
});
