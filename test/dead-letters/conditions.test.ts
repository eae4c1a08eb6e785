import { describe, expect, test } from 'vitest';
import { causeOf } from '../../src/dead-letters/letters/causes.ts';
import { namedBy, readDuration, readWhere } from '../../src/dead-letters/letters/conditions.ts';
import { letterWith, now } from '../../testing/letters.ts';

const letter = letterWith({ jobId: 'job-1', requestId: 'row-1' });
const foreign = letterWith(null);

/** Which of the two letters the conditions mean. */
function meant(...conditions: string[]): { letter: boolean; foreign: boolean } {
  const where = readWhere(conditions);
  if (!where.ok) throw new Error(where.message);
  return { letter: where.matches(letter, now), foreign: where.matches(foreign, now) };
}

describe('readWhere', () => {
  test.each([
    [[], true, true],
    [['reason=Rejected'], true, false],
    [['reason=rejected'], true, false],
    [['Reason=foreign'], false, true],
    [['error=ResourceNotFoundException'], true, false],
    [['error=NoRecord'], false, true],
    [['status=404'], true, false],
    [['status=400'], false, false],
    [['job=job-1'], true, false],
    [['request=row-1'], true, false],
    [['identifier=task1'], true, true],
    [['id=11111111'], true, true],
    [['id=11111111-2222-4333-8444-555555555555'], true, true],
    [['id=22222222'], false, false],
    [[`group=${causeOf(letter).group}`], true, false],
    // The letter is 4 hours old, the foreign one a minute.
    [['older=2h'], true, false],
    [['newer=2h'], false, true],
    [['newer=3d', 'older=30s'], true, true],
    [['reason=Rejected', 'reason=foreign'], true, true],
    [['reason=Rejected', 'job=job-2'], false, false],
    [['reason=Rejected', 'reason=foreign', 'job=job-1'], true, false],
  ])('%j', (conditions, ofLetter, ofForeign) => {
    expect(meant(...conditions)).toEqual({ letter: ofLetter, foreign: ofForeign });
  });

  test.each([
    ['resaon=Rejected', /unknown field "resaon"; the fields are group, reason/],
    ['resaon=Rejected', /\. Did you mean "reason"\?$/],
    ['statsu=1', /\. Did you mean "status"\?$/],
    ['constructor=x', /unknown field/],
    ['reason=Rejectd', /\. Did you mean "Rejected"\?$/],
    ['reason', /reason: give a value/],
    ['reason=', /reason: give a value/],
    ['reason=Bored', /reason: the reasons are Rejected/],
    ['older=2 hours', /older: give an age, such as 90s/],
    ['status=40', /status: give an HTTP status, such as 404/],
    ['status=x', /status: give an HTTP status, such as 404/],
    ['group=Rejected', /group: give the eight characters/],
    ['id=1234', /id: give at least 8 characters/],
  ])('refuses %s', (condition, message) => {
    expect(readWhere([condition])).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});

test.each([
  ['task1', true],
  ['row-1', true],
  ['11111111', true],
  ['11111111-2222-4333-8444-555555555555', true],
  ['1111111', false],
  ['task', false],
])('namedBy(%s) matches the letter: %s', (name, means) => {
  expect(namedBy(name)(letter, now)).toBe(means);
});

test.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['2h', 7_200_000],
  ['3d', 259_200_000],
  ['3w', undefined],
  ['-1s', undefined],
  ['', undefined],
])('readDuration(%s) is %s', (text, ms) => {
  expect(readDuration(text)).toBe(ms);
});
