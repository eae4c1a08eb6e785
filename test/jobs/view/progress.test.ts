import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { JobView } from '../../../src/jobs/run/progress.ts';
import { createJobScreen, progressBlock, progressLine } from '../../../src/jobs/view/progress.ts';

const commandLine = (...args: readonly string[]) => `ota ${args.join(' ')}`;

const view: JobView = {
  jobId: '2026-11-fleet-b7',
  counts: {
    total: 50_000,
    planned: 28_600,
    inFlight: 888,
    sending: 0,
    applied: 20_011,
    superseded: 201,
    failed: 300,
    notSent: 0,
    ended: 20_512,
    endedByWorkers: 20_512,
    causes: [
      { cause: 'ResourceNotFoundException', rows: 250 },
      { cause: 'evil\u001b[2J\u202e', rows: 50 },
    ],
    calls: 21_000,
    callsOf: 20_512,
  },
  window: 9_980,
  perSecond: 998,
  quietMs: 0,
  noneEnded: false,
  followed: true,
  stage: undefined,
  waitsFor: undefined,
  now: 0,
  expectedEnd: 29_500,
  state: { name: 'running', since: 0, who: 'ann@ops1' },
};

describe.each([40, 80, 120])('progress at %i columns', (columns) => {
  test('fits, and controls no terminal', () => {
    const lines = progressBlock(
      { ...view, quietMs: 75_000, stage: { number: undefined, ended: 3, end: 10, failed: 0 } },
      columns,
      commandLine,
    );
    for (const line of lines) {
      expect(line.length).toBeLessThan(columns);
      expect(line).toMatch(/^[\x20-\x7e…]*$/);
    }
  });
});

test('the block says how far the job is, how rows ended, and how long it will take', () => {
  expect(progressBlock(view, 80, commandLine)).toEqual([
    '2026-11-fleet-b7  [=========---------------]   41%  20,512 of 50,000  0:30 left',
    '  applied 20,011   superseded 201   failed 300',
    '  in flight 888 of 9,980   998 rows/s   2.3% of calls throttled or failed',
    '  ResourceNotFoundException 250, evil\\u{1b}[2J\\u{202e} 50',
  ]);
});

test('a log gets the same on one line, with a hint when no row has ended for long', () => {
  expect(progressLine({ ...view, quietMs: 75_000 }, commandLine)).toBe(
    '2026-11-fleet-b7: 41%, 20,512 of 50,000 rows ended; 20,011 applied, 201 superseded, 300 failed; ' +
      '888 in flight; 998 rows/s; 0:30 left; no row has ended for 75 s: do the workers still run? ota status; ' +
      'if outcomes were lost: Ctrl-C, then ota jobs reconcile 2026-11-fleet-b7',
  );
});

test.each([40, 80])('a long name of a job leaves room for how far it is, at %i columns', (columns) => {
  const [head] = progressBlock({ ...view, jobId: 'j'.repeat(128) }, columns, commandLine);
  expect(head).toMatch(/^j+… {2}\[.*\] {3}41% {2}20,5/);
});

test('that no worker runs is said after 15 s, in a log once and at once; and that nobody sends', () => {
  let now = 0;
  let text = '';
  const stderr = new PassThrough().on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const clock = { monotonic: () => now };
  const screen = createJobScreen({ stderr, isTerminal: false, clock, commandLine });
  const counts = { ...view.counts, total: 200, ended: 0, planned: 0, inFlight: 200 };
  for (; now <= 16_000; now += 500) screen.update({ ...view, counts, noneEnded: true, quietMs: now });
  expect(
    text.match(
      /^2026-11-fleet-b7: 200 rows sent, none ended for 15 s: does a worker run\? ota status; it needs this QUEUE_URL .*: ota check$/gm,
    ),
  ).toHaveLength(1);
  const block = (facts: Partial<JobView>) =>
    progressBlock({ ...view, counts, ...facts }, 80, commandLine).slice(4);
  expect(block({ noneEnded: true, quietMs: 14_999 })).toEqual([]);
  expect(block({ noneEnded: true, quietMs: 20_000 })).toEqual([
    '  200 rows sent, none ended for 20 s: does a worker run?',
    '  ota status',
    '  it needs this QUEUE_URL and this OUTCOME_QUEUE_URL:',
    '  ota check',
  ]);
  expect(block({ followed: false, counts: { ...counts, planned: 1, inFlight: 199 } })).toEqual([
    '  nobody is sending its rows:',
    '  ota jobs resume 2026-11-fleet-b7',
  ]);
  // All of them are sent: whoever watches collects their outcomes.
  expect(block({ followed: false })).toEqual([]);
});
