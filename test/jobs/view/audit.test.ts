import { expect, test } from 'vitest';
import type { AuditLine } from '../../../src/jobs/ledger/job.ts';
import { parseAbortRule } from '../../../src/jobs/rules/abort-rules.ts';
import { auditText, changeText, whyText } from '../../../src/jobs/view/audit.ts';
import { plainValues } from '../../../src/text/plain-values.ts';

const line: AuditLine = {
  seq: 1,
  at: Date.UTC(2026, 10, 30, 4),
  who: 'ann@ops1',
  what: 'set',
  subject: 'j',
  why: 'too fast',
  detail: { from: { rate: 50, window: 100 }, to: { rate: 20, window: 100, soak: 600 } },
};

test('a change of settings shows the former and the new in words, and why', () => {
  const text = auditText([line], undefined);
  expect(text).toContain('rate 50 → 20, soak none → 10m');
  expect(text).toContain('too fast');
  expect(text).not.toContain('{');
});

test.each<[string, AuditLine['detail']]>([
  ['stopped → running', { from: 'stopped', to: 'running' }],
  [
    'abort when none → failed>2%/200, start at none → 2026-12-01 01:00:00 UTC, undo on abort no → yes',
    {
      from: {},
      to: {
        abortWhen: [parseAbortRule('failed>2%/200')],
        startAt: Date.UTC(2026, 11, 1, 1),
        undoOnAbort: true,
      },
    },
  ],
  [
    'between 01:00-05:00 Europe/Berlin → none',
    { from: { between: { from: '01:00', to: '05:00', tz: 'Europe/Berlin' } }, to: {} },
  ],
  ['46 rows, from /plans/j.jsonl', { path: '/plans/j.jsonl', digest: 'sha256:0', rows: 46 }],
  ['46 rows, copy', { digest: 'sha256:0', rows: 46, copy: true }],
  ['audit lines 5', { auditLines: 5, outcomes: 0 }],
  ['', {}],
])('%s', (text, detail) => {
  expect(changeText({ detail }).split(', ').toSorted()).toEqual(text.split(', ').toSorted());
});

test('what happens by itself has its reason, too', () => {
  expect(whyText({ what: 'finish', why: undefined })).toBe('every row has ended');
  expect(whyText({ what: 'pause', why: undefined })).toBe('');
});

test('what was asked of dead letters is in words', () => {
  const asked = {
    deadLetterQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123/dead',
    where: ['reason=Rejected', 'job=j'],
    all: false,
    set: {},
    force: true,
    limit: null,
    rate: 5,
  };
  expect(plainValues(asked)).toBe(
    'dead letter queue url dead, where reason=Rejected and job=j, force, rate 5',
  );
});
