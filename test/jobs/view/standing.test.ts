import { describe, expect, test } from 'vitest';
import type { Counts, JobRecord, JobStanding } from '../../../src/jobs/ledger/job.ts';
import { type JobState, jobStates, restingStates } from '../../../src/jobs/ledger/state.ts';
import { parseAbortRule } from '../../../src/jobs/rules/abort-rules.ts';
import { beginning } from '../../../src/jobs/rules/progress.ts';
import { requireSteerable } from '../../../src/jobs/steer/resume.ts';
import { isLeft, listText } from '../../../src/jobs/view/listed.ts';
import { nextSteps } from '../../../src/jobs/view/next-steps.ts';
import { standingText } from '../../../src/jobs/view/standing.ts';
import { notDone, undoneNote } from '../../../src/jobs/view/standing-facts.ts';
import { standingJson } from '../../../src/jobs/view/standing-json.ts';

const commandLine = (...args: readonly string[]) => `ota ${args.join(' ')}`;

type Plan = NonNullable<JobRecord['plan']>;

function standing(facts: Partial<Counts>, plan: Partial<Plan> = {}, leased = false): JobStanding {
  const { applied = 0, superseded = 0, failed = 0, planned = 0, inFlight = 0, sending = 0 } = facts;
  const ended = applied + superseded + failed;
  const total = planned + inFlight + ended;
  const rest = { causes: [], calls: 0, callsOf: 0 };
  return {
    job: {
      key: 1,
      jobId: 'j',
      updatedAt: Date.UTC(2026, 10, 25, 7),
      plan: {
        path: '/p.jsonl',
        source: 'rows.csv',
        digest: 'd',
        issuedAt: '2026-11-25T07:00:00.000Z',
        rows: total,
        undoes: undefined,
        enqueued: false,
        leftOut: undefined,
        complete: true,
        maybeTwice: 0,
        settings: {},
        progress: beginning,
        state: { name: 'running', since: 0, who: 'ann@ops1' },
        ...plan,
      },
    },
    counts: {
      total,
      planned,
      inFlight,
      sending,
      applied,
      superseded,
      failed,
      notSent: 0,
      ended,
      endedByWorkers: ended,
      ...rest,
    },
    leased,
    times: undefined,
    lastFailed: [],
    undos: [],
    reconciled: 0,
    foreign: 0,
    unmatched: 0,
  };
}

test('a plan that was cut short on its way into the ledger has all of its rows', () => {
  const cut = standing({ planned: 2_000 }, { rows: 20_000, complete: false });
  const text = standingText(cut, commandLine);
  expect(text).toContain('job j: 0 of 20,000 rows ended\n');
  expect(text).toMatch(/^ {2}in the ledger +2,000 {2}reading the plan stopped before its last row$/m);
  expect(JSON.parse(standingJson(cut))).toMatchObject({ rows: 20_000, notSent: 20_000, complete: false });
  expect(listText([cut], undefined).split('\n')[1]).toMatch(/^j +20,000 +0 +20,000 {2}not sending {2}/);
});

test.each<[string, JobStanding, string, string, number]>([
  [
    'all sent',
    standing({ inFlight: 10 }),
    'sent, no outcome yet',
    'all rows are sent, and nobody waits for their ends',
    0,
  ],
  [
    'perhaps sent',
    standing({ inFlight: 10, sending: 10 }),
    'may have been sent: SQS did not confirm it',
    'no row is left to send, and nobody waits for their ends',
    10,
  ],
  [
    'perhaps sent, in part',
    standing({ inFlight: 10, sending: 3 }),
    'no outcome yet; 3 of them may have been sent: SQS did not confirm it',
    'no row is left to send, and nobody waits for their ends',
    3,
  ],
  [
    'being sent by a process',
    standing({ inFlight: 10, sending: 3 }, {}, true),
    'sent, no outcome yet',
    'a process is sending its rows or waiting for their ends',
    0,
  ],
])('rows in flight that are %s are said to be so', (_, of, note, now, mayHaveArrived) => {
  const text = standingText(of, commandLine);
  expect(text).toContain(`in flight            10  ${note}\n`);
  expect(text).toContain(`\nnow: ${now}\n`);
  expect(JSON.parse(standingJson(of))).toMatchObject({ inFlight: 10, mayHaveArrived });
});

describe('the next step', () => {
  const state: JobState = { name: 'aborted', since: 0, who: 'ann@ops1', why: 'The canary failed' };
  test.each<[string, JobStanding, readonly string[]]>([
    ['of a job that somebody sends is to watch', standing({ planned: 1 }, {}, true), ['status j --watch']],
    [
      'of one that nobody sends is a sender',
      standing({ planned: 1 }),
      ['send sends it and all other due jobs', 'resume j sends only this job'],
    ],
    ['is the same when rows are in flight', standing({ inFlight: 1 }), ['send sends it', 'resume j sends']],
    ['is to resume it when the plan was cut', standing({ applied: 1 }, { complete: false }), ['resume j']],
    [
      'of a job that was stopped is to see why',
      standing({ planned: 1, failed: 1 }, { state }),
      ['report j --state failed says', 'resume j once'],
    ],
    [
      'of one with failed rows is to see why, and to try again',
      standing({ applied: 1, failed: 1 }, {}, true),
      ['report j --state failed says', 'retry j --only-failed once'],
    ],
    [
      'of a file that was not sent to its end is the command that sends it, with the flags it had',
      standing({ applied: 1 }, { complete: false, enqueued: true, path: '/d/fleet.csv' }),
      [' enqueue /d/fleet.csv --job j continues it, with its other flags'],
    ],
    ['of one that went well is its report', standing({ applied: 1 }), ['report j']],
  ])('%s', (_, of, expected) => {
    const steps = nextSteps(of, commandLine).map(({ command, why = '' }) => `${command} ${why}`);
    expect(
      steps.map((step, i) =>
        step.startsWith(`ota${expected[i]?.startsWith(' ') ? '' : ' jobs '}${expected[i]}`),
      ),
    ).toEqual(expected.map(() => true));
  });
});

test('each next step, of a job in whatever state, is a command that takes the job as it is', () => {
  const takes: Record<string, (of: JobStanding) => boolean> = {
    'jobs status': () => true,
    'jobs report': () => true,
    'jobs verify': () => true,
    'jobs undo': ({ job }) => job.plan?.state.name !== 'elsewhere',
    'jobs resume': ({ job }) => passes(() => requireSteerable(job)),
    'jobs retry': ({ job, counts }) =>
      passes(() => requireSteerable(job)) &&
      counts.planned === 0 &&
      counts.failed > 0 &&
      job.plan?.complete === true,
    'jobs send': ({ job, leased }) =>
      !leased && job.plan?.complete === true && ['running', 'scheduled'].includes(job.plan.state.name),
    enqueue: ({ job }) => passes(() => requireSteerable(job)) && job.plan?.enqueued === true,
  };
  const passes = (require: () => void): boolean => {
    try {
      require();
      return true;
    } catch {
      return false;
    }
  };
  const both = [true, false];
  const counts = [
    {},
    { planned: 2 },
    { inFlight: 2 },
    { applied: 2 },
    { failed: 2 },
    { failed: 1, planned: 1 },
    { failed: 1, inFlight: 1 },
  ];
  const devices = { ...beginning, devices: { good: 0, failed: 3, at: 0, ended: 0 } };
  for (const name of jobStates)
    for (const towards of name === 'stopping' ? restingStates : [undefined])
      for (const why of [undefined, 'The canary failed'])
        for (const progress of [beginning, devices])
          for (const settings of [{}, { verifyEach: true } as const])
            for (const [leased, complete, enqueued] of both.flatMap((a) =>
              both.flatMap((b) => both.map((c) => [a, b, c] as const)),
            ))
              for (const count of counts) {
                const state: JobState = {
                  name,
                  since: 0,
                  who: 'ann@ops1',
                  ...(towards !== undefined && { towards }),
                  ...(why !== undefined && { why }),
                };
                const of = standing(count, { state, progress, settings, complete, enqueued }, leased);
                for (const { command } of nextSteps(of, commandLine)) {
                  const step = Object.keys(takes).find((one) => command.startsWith(`ota ${one}`)) ?? '';
                  expect(
                    takes[step]?.(of),
                    `${command} of ${JSON.stringify({ state, count, leased, complete, enqueued })}`,
                  ).toBe(true);
                }
              }
});

test.each<[string, JobStanding, RegExp | undefined]>([
  ['rows beside others', standing({ applied: 1, superseded: 9 }), undefined],
  ['all rows', standing({ superseded: 9 }), /^Nothing was changed: .* \(2026-11-25T07:00:00.000Z\) was slow/],
  ['all rows so far', standing({ superseded: 9, planned: 1 }), undefined],
  [
    'rows of an undo',
    standing({ applied: 1, superseded: 9 }, { undoes: 'k' }),
    /^9 rows of k were not undone/,
  ],
  ['no row of an undo', standing({ applied: 1 }, { undoes: 'k' }), undefined],
])('what superseded rows mean: %s', (_, { job, counts }, sentence) => {
  const said = notDone(job, counts);
  if (sentence === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(sentence);
});

describe('a job that was undone', () => {
  const state: JobState = { name: 'aborted', since: 0, who: 'ann@ops1', why: 'devices failed' };
  const progress = { ...beginning, devices: { at: 1, ended: 99, failed: 9 } };
  const undone = (applied: number, isDone: boolean): JobStanding => ({
    ...standing({ applied: 100, planned: 200 }, { state, progress }),
    undos: [{ jobId: 'j-undo', applied, isDone }],
  });

  test('says how many of its rows are, by which job, and that they are not sent again', () => {
    const text = standingText(undone(100, true), commandLine);
    expect(text.replaceAll(/\n +/g, ' ')).toContain(
      'note: 100 tasks have their former values again, restored by j-undo: the rows count as applied here, and are not sent again when it continues\n',
    );
    expect(JSON.parse(standingJson(undone(100, true)))).toMatchObject({
      undoneBy: [{ job: 'j-undo', restored: 100, done: true }],
    });
    expect(undoneNote(undone(0, false))).toBeUndefined();
    const twice = {
      ...undone(1, true),
      undos: [...undone(60, true).undos, { jobId: 'k', applied: 40, isDone: true }],
    };
    expect(undoneNote(twice)).toMatch(/^100 tasks .* restored by k \(40\), j-undo \(60\):/);
  });

  test.each<[JobStanding, string]>([
    [undone(100, true), "ota jobs status j-undo has restored the tasks' settings"],
    [undone(9, false), "ota jobs status j-undo restores the tasks' settings"],
    // Some rows of it could not be undone.
    [undone(99, true), "ota jobs undo j restores the tasks' settings, if its plan has read them (--refresh)"],
    [
      { ...undone(0, true), undos: [] },
      "ota jobs undo j restores the tasks' settings, if its plan has read them (--refresh)",
    ],
  ])('names its undo as the next step %#', (of, expected) => {
    const steps = nextSteps(of, commandLine).map(({ command, why }) => `${command} ${why}`);
    expect(steps).toEqual(['ota jobs verify j says which devices failed', expected]);
  });
});

test.each([
  [false, 'devices not judged', 'all rows have ended, and nobody checks its devices against its rules'],
  [true, 'looks at devices', 'all rows have ended, and a process checks its devices against its rules'],
])('a job whose devices are still to be judged is not done: followed %s', (leased, listed, now) => {
  const settings = { abortWhen: [parseAbortRule('devices-failed>1')] };
  const waiting = standing({ applied: 9 }, { settings }, leased);
  expect(listText([waiting], undefined)).toContain(`  ${listed}  `);
  // `jobs send` looks.
  expect(isLeft(waiting)).toBe(!leased);
  expect(standingText(waiting, commandLine)).toContain(`now: ${now}\n`);
  // Its state says so.
  const state: JobState = { name: 'aborted', since: 0, who: 'ann@ops1' };
  const aborted = standing({ applied: 9 }, { settings, state });
  expect(listText([aborted], undefined)).toContain('  aborted  ');
  expect(standingText(aborted, commandLine)).not.toContain('now: ');
});

test('a job says when it was at work, how fast, and whether somebody sends it', () => {
  const times = { startedAt: Date.UTC(2026, 10, 25, 7), endedAt: undefined, ms: 65_500, rows: 131 };
  const open = { ...standing({ applied: 131, planned: 9 }, {}, true), times };
  const text = standingText(open, commandLine);
  expect(text).toMatch(/^ {2}started +2026-11-25 07:00:00 UTC\n {2}took +1:06, 2 rows\/s$/m);
  expect(text).toContain('now: a process is sending its rows or waiting for their ends\n');
  expect(JSON.parse(standingJson(open))).toMatchObject({
    startedAt: '2026-11-25T07:00:00.000Z',
    endedAt: null,
    seconds: 65.5,
    rowsPerSecond: 2,
    sending: true,
  });
  expect(standingText(standing({ applied: 1, planned: 9 }), commandLine)).toContain(
    'now: nobody is sending its rows\n',
  );
  expect(listText([open], undefined)).toMatch(/ {2}sending +11-25 07:00\n$/);
});
