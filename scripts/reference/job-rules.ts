/** docs/reference/job-rules.md */
import { abortKinds } from '../../src/jobs/rules/abort-rules.ts';
import { type WaitsFor, waits } from '../../src/jobs/rules/progress.ts';
import { DEFAULT_PRIORITY, type JobSettings } from '../../src/jobs/rules/settings.ts';
import { FEW_ROWS, LEAST_WINDOW, LONGEST_SECONDS, WINDOW_SECONDS } from '../../src/jobs/rules/window.ts';
import { code, type Page, table } from './page.ts';

/** What each setting does, by the flag that sets it. */
const meanings: Readonly<Record<keyof JobSettings, readonly [flag: string, meaning: string]>> = {
  canary: [
    '--canary 20|1%',
    'This many rows first, as a sample of all. If one of them fails, the job is aborted; if none fails, the rest follows. A canary that is set or changed later applies to the rows sent from then on.',
  ],
  stages: [
    '--stages 1%,10%,50%,100%',
    'Each amount includes the rows of the stages before it, in rows or in percent of the rows to send. A last `+500` or `+5%` repeats. After the last stage the rest follows. Each stage is a sample spread over the remaining rows. A stage begins when every row of the one before has ended.',
  ],
  soak: ['--soak 10m', 'Between stages, and after the canary: wait this long after the last end.'],
  verifyEach: [
    '--verify-each',
    'Between stages: look at the devices (`jobs verify`), and continue if no rule on devices is broken. The job waits only for devices of this stage. If the rule is a share, it waits until as many of them have ended as the rule needs; if the rule is a number, until all have ended. It also waits while a task of the stage names no device yet and too few devices have ended. When none of them is under way any more, the rules judge by the devices that there are, however few. `jobs status` and the console show what the job waits for. `jobs set --unset verify-each` lets it continue without waiting. After the last stage there is no wait.',
  ],
  verifyWithin: [
    '--verify-within 2h',
    'How long `--verify-each` waits for the devices of a stage, or for a look at them; default: a day. Then the job is paused with the reason, a notice is sent, and `jobs resume` continues without them.',
  ],
  confirmEach: [
    '--confirm-each',
    'Between stages: the job is paused, a notice is sent, and `jobs resume` continues it.',
  ],
  ramp: [
    '--ramp 50:x2/200',
    'Rows in flight: at first 50, then twice as many after every 200 good ends. The factor must add at least one row and 1% at each step.',
  ],
  abortWhen: ['--abort-when RULE', 'Abort when a rule is broken; see below. May be given several times.'],
  undoOnAbort: [
    '--undo-on-abort',
    "When a rule or the canary has aborted the job and nothing is in flight any more, a job `JOB-undo` with priority 9 restores the former values of the tasks that the job changed. It restores tasks' settings; firmware that devices have by then stays on them. Needs a plan that read the tasks (`--refresh`, `--from-tasks`), and permission for `GetOtaTask`. If the sender is killed before that, the next sender of the job does it.",
  ],
  window: [
    '--window N',
    `Maximum rows in flight. By default all jobs together have as many as end in ${WINDOW_SECONDS} s at the present rate, but at least ${LEAST_WINDOW}, at low rates up to ${FEW_ROWS} if these end within ${LONGEST_SECONDS} s, and more if rows take long even without waiting. See [others first](../operations.md#others-first). Set it if rows take longer than 8 s, or begin to take long in the middle of the job: without it the job would be slow.`,
  ],
  rate: ['--rate N', "Maximum rows sent per second. The workers' `RATE_LIMIT` applies too."],
  priority: [
    '--priority 1-9',
    `Its share when several jobs are being sent: a job of priority 9 gets nine times as many rows done as a job of priority 1. What a job cannot use, because it waits or because its stage, ramp, rule, rate or window allows no more, goes to the others by their priorities. Default: ${DEFAULT_PRIORITY}.`,
  ],
  startAt: [
    '--start-at TIME',
    'Nothing is sent before this time: `2026-12-01T01:00Z`, with an offset, or without one in `--tz`; or a time from now, as in `8h`. A time in the past is refused, except the last 5 minutes, because clocks differ, and except the start that the job already has.',
  ],
  between: [
    '--between 01:00-05:00 --tz Europe/Berlin',
    'Rows are sent only at this time of the day, on the clocks of that zone (IANA database). A window from late to early spans midnight. When clocks are put forward, a window inside the skipped hour opens only on the next day. When clocks are put back, a window inside the repeated hour is open twice.',
  ],
  deadline: [
    '--deadline TIME',
    'Nothing is sent from this time on; rows in flight still end. The job is then stopped, and continues when it is resumed with a later deadline.',
  ],
  reportTo: [
    '--report-to PLACE',
    'Where to file the report when the job comes to rest: done, stopped, aborted or cancelled. The ledger remembers that the report is due: if the process that ended the job was killed, the next one that sends jobs of the ledger files it. A relative folder starts from where the command was given. A folder is on the machine that files the report: if several machines send, give a bucket.',
  ],
};

const waiting: Readonly<Record<WaitsFor, string>> = {
  ends: 'all rows of the stage are sent, and some have not ended',
  soak: '`--soak` is not over',
  verify:
    'the devices of its stage have not been looked at yet, or too few of them have ended for the rules to judge',
  word: 'somebody must resume it: `--confirm-each`, or `--verify-within` is over',
};

export const jobRulesPage: Page = {
  name: 'job-rules.md',
  about: 'How a bulk job is sent: stages, rules, times',
  text: () => `# How a bulk job is sent

These flags of \`jobs apply\`, \`resume\`, \`retry\`, \`reconcile\` and \`set\` are kept with the job. \`jobs set\` changes them, also
while the job is being sent and from any process: its sender follows within a second. \`jobs set --unset FLAG\` removes one.
\`jobs status\` shows them.

${table(
  ['flag', 'what it does'],
  Object.values(meanings).map(([flag, meaning]) => [code(flag), meaning]),
)}

Contradictory flags are refused with exit code 2 before anything is sent: a window or a schedule that never opens, a ramp that never
grows, a time zone that does not exist, stages that do not grow, a rule that can never act because of another one.

## Rules

${table(
  ['rule', 'aborts when'],
  [
    [code('failed>2%/200'), 'more than 2% of the ended rows have failed, once 200 have ended'],
    [code('failed>20'), 'more than 20 rows have failed'],
    [
      code('failed:ThrottlingException>1%/100'),
      'more than 1% of the ended rows have failed by this error, or by this kind of failure, once 100 have ended',
    ],
    [
      code('devices-failed>5%/500'),
      'more than 5% of the ended devices of its tasks have failed, once 500 have ended. The devices are looked at while the job is sent, and once more `--soak` after its last row. Only then is the job done',
    ],
    [code('devices-failed>100'), 'more than 100 devices have failed'],
  ],
)}

Kinds of failure: ${abortKinds.map(code).join(', ')}.

Rows that end applied or superseded are good. Rules count from the start of the job, or from where it was resumed after an abort.

A rule limits the rows in flight, so that few rows fail after it is broken. The limit is the largest of:

- 10 rows;
- the number of rows that the rule allows to fail, or needs before it judges;
- for a share, the number of rows that could all fail without breaking the rule.

Nor are more rows in flight than their stage has. So a rule with a small number keeps few rows in flight and makes the job slower.

A job with a rule on devices looks at them repeatedly while it is being sent. Devices fail long after their rows have ended, so only
stages limit how many tasks have been changed by then.

## What a job waits for

${table(
  ['`waitsFor` of `jobs status --json`', 'rows are not sent because'],
  [
    [code('opening'), 'its time has not come, or its window of the day is closed: its state is `scheduled`'],
    ...waits.map((wait): [string, string] => [code(wait), waiting[wait]]),
  ],
)}
`,
};
