import { expect, test } from 'vitest';
import { parseAbortRule } from '../../../src/jobs/rules/abort-rules.ts';
import { idleNotes } from '../../../src/jobs/rules/idle.ts';
import { parseRamp } from '../../../src/jobs/rules/ramp.ts';
import type { JobSettings } from '../../../src/jobs/rules/settings.ts';
import { parseStages } from '../../../src/jobs/rules/stages.ts';

test.each<[JobSettings, number, RegExp]>([
  [{ canary: { rows: 20 } }, 20, /^--canary is the whole job: the job has 20 rows, and no rest follows it$/],
  [{ canary: { percent: 1 } }, 1, /^--canary is the whole job: the job has 1 row,/],
  [{ stages: parseStages('500,+500') }, 500, /^--stages make one stage: the job has 500 rows,/],
  [
    { ramp: parseRamp('50:x2/200') },
    50,
    /^--ramp holds nothing back: the job has 50 rows, and it begins with 50/,
  ],
  [
    { ramp: parseRamp('50:x2/200') },
    200,
    /^--ramp never grows: the job has 200 rows, and it grows after 200 good ends$/,
  ],
  [
    { abortWhen: [parseAbortRule('failed>2%/200')] },
    199,
    /^--abort-when 'failed>2%\/200' can never act: .* needs 200 ends$/,
  ],
  [{ abortWhen: [parseAbortRule('failed>20')] }, 20, /can never act: .* needs 21 ends$/],
])('%j says so in a job of %d rows, and not in one of a row more', (settings, rows, note) => {
  expect(idleNotes(settings, rows)).toEqual([expect.stringMatching(note)]);
  const [later] = idleNotes(settings, rows + 1);
  expect(later ?? '').not.toMatch(note);
});

test.each([
  ['failed>20', 50, 'allows 20'],
  ['failed>5', 10, 'allows 10'],
  ['failed:EPIPE>50', 50, 'allows 50'],
  ['failed>51', 50, undefined],
  ['failed>2%/10', 50, 'allows 10 at first, and never more than the ramp'],
  ['failed>5%/50', 50, 'allows 50 at first, and never more than the ramp'],
  ['failed>2%/51', 50, undefined],
  // What a share tolerates grows with the ends: after 199 it is 199 here, and then the ramp is lower.
  ['failed>50%/10', 50, undefined],
  // After 399 ends it is 99 here, where the ramp has 100, or 98 with a row fewer at first.
  ['failed>20%/10', 50, 'allows 10 at first, and never more than the ramp'],
  ['failed>20%/10', 49, undefined],
  ['devices-failed>20', 50, undefined],
])('a ramp of which %s never lets as much be in flight is told so: from %d', (rule, from, allows) => {
  const settings = { ramp: parseRamp(`${from}:x2/200`), abortWhen: [parseAbortRule(rule)] };
  const note = `--ramp holds nothing back: it begins with ${from} in flight, and --abort-when '${rule}' ${allows}`;
  expect(idleNotes(settings, 10_000)).toEqual(allows === undefined ? [] : [note]);
});

test('how long devices are waited for says nothing where nobody waits for them', () => {
  expect(idleNotes({ verifyWithin: 60 }, 5)).toEqual([
    expect.stringMatching(/^--verify-within does nothing: .*--verify-each waits, which is not set$/),
  ]);
  expect(idleNotes({ verifyWithin: 60, verifyEach: true }, 5)).toEqual([]);
});

test('a rule on devices has another size, and an empty job needs no note', () => {
  expect(idleNotes({ abortWhen: [parseAbortRule('devices-failed>5%/500')] }, 10)).toEqual([]);
  expect(idleNotes({ canary: { rows: 5 } }, 0)).toEqual([]);
});
