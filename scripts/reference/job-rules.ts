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
    'So many rows first, a sample of all. If one of them fails the job is aborted; if none does the rest follows. A canary that is given or changed later is of the rows that are sent from then on.',
  ],
  stages: [
    '--stages 1%,10%,50%,100%',
    'Each amount counts the rows of the stages before it, in rows or in percent of the rows to send. A last `+500` or `+5%` is added again and again. After the last one the rest follows. Each stage is a sample spread over what is left. The next one begins when every row of the last has ended.',
  ],
  soak: ['--soak 10m', 'Between stages, and after the canary: wait so long after the last end.'],
  verifyEach: [
    '--verify-each',
    'Between stages: look at the devices (`jobs verify`), and go on if no rule on devices is broken. It waits for the devices of the stage itself, whatever those of the stages before have done: where the rule is a share, until as many of them have ended as it wants to see; where it is a count, until all have. While any of its tasks names no device yet and fewer have ended, it waits, too. When none of them is under way the rules judge by those that there are, however few. `jobs status` and the console say what is waited for. `jobs set --unset verify-each` lets it go on without. After the last stage nothing is waited for.',
  ],
  verifyWithin: [
    '--verify-within 2h',
    'How long `--verify-each` waits for the devices of a stage, or for a look at them; a day without it. Then the job is paused and says what it had waited for, a notice tells of it, and `jobs resume` lets it go on without.',
  ],
  confirmEach: [
    '--confirm-each',
    'Between stages: the job is paused, a notice tells of it, and `jobs resume` lets it go on.',
  ],
  ramp: [
    '--ramp 50:x2/200',
    'So many rows in flight at first; times the factor after every so many good ends. A factor with which a step adds less than a row, or less than 1%, is refused.',
  ],
  abortWhen: ['--abort-when RULE', 'Abort when a rule is broken; see below. May be given several times.'],
  undoOnAbort: [
    '--undo-on-abort',
    "When a rule or the canary has aborted it, and nothing is in flight any more: the tasks that it changed get the values that they had before, as a job `JOB-undo` with priority 9. It restores tasks' settings; firmware that devices have got by then stays on them. Needs a plan that read the tasks (`--refresh`, `--from-tasks`), and `GetOtaTask`. A sender that is killed before leaves it to whoever sends the job next.",
  ],
  window: [
    '--window N',
    `Rows in flight at most. Without it, of all jobs together, what ends in ${WINDOW_SECONDS} s at the present rate; ${FEW_ROWS} where that is less and they end in ${LONGEST_SECONDS} s, and ${LEAST_WINDOW} at least; more where rows take long by themselves. See [others first](../operations.md#others-first). Give it where they take longer than 8 s, or come to take long in the middle of the job: it would be slow without.`,
  ],
  rate: ['--rate N', "Rows sent per second at most. Workers' `RATE_LIMIT` holds besides."],
  priority: [
    '--priority 1-9',
    `Its share beside other jobs that are being sent: of a job of 9 nine times as many rows end as of one of 1. What a job cannot take - it waits, its stage, ramp, rule, rate or window lets it have no more - goes to the others by their priorities. ${DEFAULT_PRIORITY} without it.`,
  ],
  startAt: [
    '--start-at TIME',
    'Nothing is sent before: `2026-12-01T01:00Z`, with an offset, or without one in `--tz`; or a time from now, as in `8h`. A time that has passed is refused: up to 5 minutes are allowed, as clocks differ, and so is what the job has already.',
  ],
  between: [
    '--between 01:00-05:00 --tz Europe/Berlin',
    'Rows are sent only at this time of the day, as clocks of that zone of the IANA database show it; from late to early is over midnight. Where clocks are put forward nothing is sent in the hour that is skipped: a window that is within it opens on the next day. Where they are put back a window in the hour that comes twice is open twice.',
  ],
  deadline: [
    '--deadline TIME',
    'Nothing is sent from then on; what is in flight ends. The job is stopped, and goes on when it is resumed with a later one.',
  ],
  reportTo: [
    '--report-to PLACE',
    'Where its report is filed when it comes to rest: done, stopped, aborted or cancelled. That it is due is in the ledger: where the process that ended the job was killed, the next one that sends jobs of the ledger files it. A relative folder begins where the command was given. A folder is one of the machine that files the report: where several machines send, give a bucket.',
  ],
};

const waiting: Readonly<Record<WaitsFor, string>> = {
  ends: 'all rows of the stage are sent, and some have not ended',
  soak: '`--soak` is not over',
  verify:
    'the devices of its stage are to be looked at, or too few of them have ended for the rules to judge by',
  word: 'somebody is to resume it: `--confirm-each`, or `--verify-within` is over',
};

export const jobRulesPage: Page = {
  name: 'job-rules.md',
  about: 'How a bulk job is sent: stages, rules, times',
  text: () => `# How a bulk job is sent

These flags of \`jobs apply\`, \`resume\`, \`retry\`, \`reconcile\` and \`set\` are kept with the job. \`jobs set\` changes them while it is
being sent, from any process, and its sender follows within a second; \`jobs set --unset FLAG\` takes one back. \`jobs status\` shows them.

${table(
  ['flag', 'what it does'],
  Object.values(meanings).map(([flag, meaning]) => [code(flag), meaning]),
)}

What contradicts itself is refused with exit code 2 before anything is sent: a window or a schedule that never opens, a ramp that never
grows, a time zone that does not exist, stages that do not grow, rules of which one can never act.

## Rules

${table(
  ['rule', 'aborts when'],
  [
    [code('failed>2%/200'), 'more than 2% of the ended rows have failed, once 200 have ended'],
    [code('failed>20'), 'more than 20 rows have failed'],
    [
      code('failed:ThrottlingException>1%/100'),
      'as many have failed by this error, or by this kind of failure',
    ],
    [
      code('devices-failed>5%/500'),
      'more than 5% of the ended devices of its tasks have failed, once 500 have ended. They are looked at while the job is sent, and once more after its last row and the time of `--soak`: before that the job is not done',
    ],
    [code('devices-failed>100'), 'more than 100 devices have failed'],
  ],
)}

Kinds of failure: ${abortKinds.map(code).join(', ')}.

Rows that end applied or superseded are good. Rules count from the begin of the job, or from where it was resumed after it had been
aborted. Few rows fail after a rule is broken: no more are in flight than the rule lets fail before, or wants to see before it judges (10 at least),
or than it would tolerate if all of them failed; nor more than their stage has. So a rule with a small number keeps few rows in flight, and a job
slower. Devices are looked at again and again while a job with a rule on them is being sent; they fail long after their rows have ended, so that only
stages bound how many tasks are changed by then.

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
