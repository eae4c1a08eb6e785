/** The JSON output of `jobs`, for docs/reference/json.md. */
import type { JobStanding } from '../../src/jobs/ledger/job.ts';
import type { LedgerRow } from '../../src/jobs/ledger/row.ts';
import { planJson } from '../../src/jobs/plan/summary.ts';
import { beginning } from '../../src/jobs/rules/progress.ts';
import { reportText } from '../../src/jobs/view/report.ts';
import { standingJson } from '../../src/jobs/view/standing-json.ts';
import type { Shape } from './shape.ts';

const row: LedgerRow = {
  Row: 17,
  Identifier: 'pump17',
  Description: 'Nightly roll-out 7',
  TaskConfigurationId: 'cfgB7',
  Former: { Description: 'Nightly roll-out 6', TaskConfigurationId: 'cfgA6' },
  state: 'dead-lettered',
  try: 1,
  sends: 1,
  end: {
    reason: 'Rejected',
    error: {
      name: 'ResourceNotFoundException',
      status: 404,
      message: 'OTA task pump17 was not found',
      requestId: '8038476a-0000-4000-8000-00000000008a',
    },
    attempts: 1,
    at: '2026-11-28T07:00:03.000Z',
  },
  reconciled: true,
};

const outlook = {
  stage: { number: { stage: 1, of: 2 }, ended: 25, end: 31, failed: 0 },
  devices: { ended: 500, failed: 30, underWay: 120, at: Date.UTC(2026, 10, 28, 7) },
  waitsFor: { for: 'opening', until: Date.UTC(2026, 10, 29) },
  now: Date.UTC(2026, 10, 28, 7),
  expectedEnd: Date.UTC(2026, 10, 29, 0, 0, 15),
} as const;

const standing: JobStanding = {
  job: {
    key: 1,
    jobId: '2026-11-fleet-b7',
    updatedAt: Date.UTC(2026, 10, 28, 7, 1),
    plan: {
      path: '2026-11-fleet-b7.plan.jsonl',
      source: 'live tasks where Status=SCHEDULED',
      digest: 'sha256:9f2b…',
      issuedAt: '2026-11-28T07:00:00.000Z',
      rows: 301,
      leftOut: { alreadyAsWanted: 99, refused: 0, duplicates: 0 },
      complete: true,
      undoes: undefined,
      enqueued: false,
      maybeTwice: 0,
      settings: {
        canary: { rows: 20 },
        stages: { steps: [{ percent: 10 }, { percent: 100 }] },
        abortWhen: [{ of: 'rows', limit: { share: 0.02, least: 200 } }],
        between: { from: '01:00', to: '05:00', tz: 'Europe/Berlin' },
      },
      progress: beginning,
      state: { name: 'done', since: Date.UTC(2026, 10, 28, 7, 0, 15), who: 'ann@ops1' },
    },
  },
  counts: {
    total: 301,
    planned: 0,
    inFlight: 0,
    sending: 0,
    applied: 271,
    superseded: 0,
    failed: 30,
    notSent: 0,
    ended: 301,
    endedByWorkers: 301,
    causes: [{ cause: 'ResourceNotFoundException', rows: 30 }],
    calls: 305,
    callsOf: 301,
  },
  leased: false,
  times: {
    startedAt: Date.UTC(2026, 10, 28, 7),
    endedAt: Date.UTC(2026, 10, 28, 7, 0, 15),
    ms: 15_050,
    rows: 301,
  },
  lastFailed: [row],
  undos: [{ jobId: '2026-11-fleet-b7-undo', applied: 1, isDone: true }],
  reconciled: 0,
  foreign: 0,
  unmatched: 0,
};

async function reportRow(): Promise<unknown> {
  const ledger = {
    async *pages() {
      yield [row];
    },
    async *unmatched() {},
  };
  let text = '';
  for await (const chunk of reportText(ledger, standing.job, 'json')) text += chunk;
  return (JSON.parse(text) as unknown[])[0];
}

export const jobShapes = async (): Promise<readonly Shape[]> => [
  {
    title: 'jobs plan --json, jobs undo --json',
    sample: JSON.parse(
      planJson({
        jobId: '2026-11-fleet-b7',
        source: 'updates.csv',
        kind: 'file',
        rows: 1_200,
        plan: '2026-11-fleet-b7.plan.jsonl',
        removed: undefined,
        counts: { toChange: 1_171, alreadyAsWanted: 0, refused: 25, duplicates: 4 },
        duplicateIdentifiers: 4,
        unread: 0,
        undoable: 0,
        measured: undefined,
        refreshed: false,
        refusedFile: 'updates.csv.refused.csv',
        reasons: [{ reason: 'Identifier: may hold only letters and digits', count: 25, lines: [3, 17] }],
        configurations: [
          {
            from: 'cfgA6',
            to: 'cfgB7',
            rows: 1_171,
            settings: [{ setting: 'MaximumPerMinute', from: '500', to: '100' }],
          },
        ],
        otherConfigurations: 0,
        looked: true,
        statuses: [{ key: 'SCHEDULED', count: 1_171, lines: [2, 4, 5] }],
        rateLimit: 10,
        form: undefined,
        leftOut: 0,
        warnings: [],
      }),
    ),
    fields: {
      jobId: 'name of the job',
      plan: 'the plan file; null when there is nothing to change, and so no plan',
      removed:
        'an earlier plan of that name, removed with `--force` because there is nothing to change; or null',
      source: 'what the rows were made from',
      form: 'separator and encoding of the file, or null for commas and UTF-8',
      rows: 'rows, or live tasks, looked at',
      leftOut: 'rows of the file left out by `--where`',
      toChange: 'rows in the plan that will be sent',
      alreadyAsWanted: 'rows left out because their task is so already',
      refused: 'rows refused, or that cannot be undone',
      duplicates: 'rows left out because a later row names the same task',
      duplicateIdentifiers: 'tasks that more than one row names',
      unread: 'rows planned although GetOtaTask could not read their task',
      undoable: 'of the rows that will be sent, those whose former values are all known: they can be undone',
      refreshed: 'whether the tasks were read',
      refusedFile: 'where refused rows are, with the reasons; or null',
      'reasons[].reason': 'why rows were refused, the most frequent first',
      'reasons[].count': 'rows refused for it',
      'reasons[].lines': 'the first few of them',
      'configurations[].from':
        'the task configuration before, where it was read; `""` for none, null where it is not known',
      'configurations[].to': 'the task configuration that is set in its place; those with most rows first',
      'configurations[].rows': 'rows that do so',
      'configurations[].leftOut':
        'whether they could be compared and are not, since a plan compares the pairs with most rows only: `configs diff` compares any two',
      'configurations[].settings[].setting':
        'what the two say differently, for the first five; `settings` is null where it is not known. A setting has the name that `configs create --set` has for it',
      'configurations[].settings[].from': 'its text before; null where that configuration says nothing of it',
      'configurations[].settings[].to': 'its text after, or null',
      otherConfigurations: 'rows of pairs beyond the 200 that are told apart',
      configurationsLookedAt:
        'whether every task configuration that is set was looked at; null when none is set',
      'statuses[].status': 'of the tasks to change, where they were read: their `Status`',
      'statuses[].rows': 'rows to change with it',
      'statuses[].lines': 'the first few of them',
      rateLimit: '`RATE_LIMIT`; null for none',
      measuredRate: 'rows per second of the latest jobs that were long enough to tell, or null',
      seconds: 'how long the job takes at the measured rate, or else at `RATE_LIMIT`; null for no limit',
      warnings: 'sentences: what `check` finds, and what is unusual about the rows',
    },
  },
  {
    title: 'jobs status --json, jobs list --json, and what sends',
    about:
      '`apply`, `resume`, `retry` and `reconcile` print it when they end. `list` prints one line for each job, the one that something happened to last first.',
    sample: JSON.parse(standingJson(standing, { end: 'done', maybeTwice: 0, retried: 0, outlook })),
    fields: {
      job: 'name of the job',
      end: 'only of commands that send: how this run ended',
      source:
        'what the rows were made from; this and the next two are null for a job whose plan is elsewhere',
      digest: 'of the plan',
      issuedAt:
        '`IssuedAt` of every row: when the job was first applied, or later when that was in the future',
      startedAt: 'when the job was first sent; this and the next three are null before',
      endedAt: 'when its last row ended, or null',
      seconds: 'how long it was at work until then, without the time between runs',
      rowsPerSecond: 'how fast rows ended meanwhile',
      sending: 'whether a process is sending its rows or waiting for their ends',
      rows: 'rows to change',
      'leftOut.alreadyAsWanted':
        'rows of the source that the plan left out: as wanted already; `leftOut` may be null',
      'leftOut.refused': 'refused',
      'leftOut.duplicates': 'named again by a later row',
      ended: 'rows that have ended',
      applied: 'of these, applied',
      superseded: 'of these, superseded',
      failed: 'of these, dead-lettered or refused by SQS',
      cancelled: 'of these, not sent because the job was cancelled',
      'failedByError.ResourceNotFoundException': 'failed rows by name of the error: one field for each name',
      inFlight: 'rows sent, or being sent, without an outcome',
      mayHaveArrived:
        'of these, rows of which no answer of SQS says that they were sent; 0 while a process sends rows',
      notSent: 'rows not sent in this try',
      reconciled: 'rows whose end was read from the task itself',
      maybeSentTwice: 'rows that may have been sent more than once, at most',
      maybeSentTwiceNow: 'only of commands that send: of these, by this run',
      triedAgain: 'only of `retry`: rows planned for another try',
      foreignOutcomes:
        'outcomes that name a row of the job and are of no message that this ledger sent; they end nothing',
      outcomesOfNoRow: 'outcomes that name the job and none of its rows',
      repeatedCallShare: 'share of API calls that were not the first of their row, 0-1',
      'state.name':
        'the state the job is in, or null without a plan: see [the states of a job](job-states.md)',
      'state.towards': 'what a stopping job becomes, or null',
      'state.since': 'since when',
      'state.who': 'who has changed it last',
      'state.why': 'the reason given, or null',
      stopped: 'why sending stopped before the end, or null',
      'lastFailed[].row':
        'of a stopped job, the rows that failed last, five at most: its place in the source',
      'lastFailed[].identifier': 'its task',
      'lastFailed[].error': 'name of the error',
      notDone:
        'why rows that did not fail changed nothing: an undo of which rows were superseded, a job of which all were; or null',
      'undoneBy[].job': 'the jobs in this ledger that undo it, the last first: name',
      'undoneBy[].restored':
        'tasks that have their former values again by it; their rows count as applied still',
      'undoneBy[].done': 'whether it is done',
      complete: 'whether all rows of the plan are in the ledger; null without a plan',
      'settings.canary':
        'how it is sent: this and the others as their flags give them; null where they are not set, `settings` without a plan',
      'settings.stages': '`--stages`',
      'settings.ramp': '`--ramp`',
      'settings.soakSeconds': '`--soak`',
      'settings.verifyEach': '`--verify-each`',
      'settings.verifyWithinSeconds': '`--verify-within`',
      'settings.confirmEach': '`--confirm-each`',
      'settings.abortWhen': '`--abort-when`, one for each',
      'settings.undoOnAbort': '`--undo-on-abort`',
      'settings.window': '`--window`',
      'settings.rate': '`--rate`',
      'settings.priority': '`--priority`',
      'settings.startAt': '`--start-at`',
      'settings.between': '`--between`',
      'settings.tz': 'its `--tz`',
      'settings.deadline': '`--deadline`',
      'settings.reportTo': '`--report-to`',
      idleSettings:
        'of these, what does nothing in a job of this size: a sentence for each, without its full stop',
      'stage.stage':
        'the stage that it is in, from 1, or `canary`; `stage` is null without stages, or when all rows are sent',
      'stage.of': 'of how many; null of the canary',
      'stage.ended': 'rows of it and of the stages before that have ended',
      'stage.end': 'of so many',
      'stage.failed': 'rows that have failed since counting began',
      'devices.ended':
        'devices of its tasks that have ended, where a rule judges them; `devices` is null before anybody has looked',
      'devices.failed': 'of these, failed',
      'devices.underWay': 'others that have not ended, or null where an earlier release has looked',
      'devices.lookedAt': 'when it was last begun to look',
      waitsFor:
        'what keeps rows from being sent: `opening`, `ends` of its stage, `soak`, `verify`, `word`, or null',
      waitsUntil:
        'until when, of `opening` and `soak`; of `verify` between stages, when it is paused if devices keep it waiting; or null',
      expectedEnd: 'when it ends at the present rate, while a process sends it, or null',
      secondsLeft: 'until then, or null',
    },
  },
  {
    title: 'jobs report --json',
    about:
      'One array, a line for each row of the source. CSV has the same columns in this order. Fields that do not apply are absent.',
    sample: await reportRow(),
    fields: {
      Row: 'its place in the source, from 1',
      Identifier: 'the task',
      Description: 'the value to set',
      TaskConfigurationId: 'the value to set',
      FormerDescription: 'the value before, if it was read',
      FormerTaskConfigurationId: 'the value before, if it was read',
      State:
        '`planned`, `sending`, `sent`, `applied`, `superseded`, `dead-lettered`, `refused`; left out by the plan: `as-wanted`, `refused`, `duplicate`',
      Reason: 'why it was dead-lettered, refused or left out',
      ErrorName: 'name of the error',
      ErrorStatus: 'HTTP status',
      ErrorMessage: 'its message',
      AwsRequestId: "AWS's request id",
      Attempts: 'API calls of the last delivery',
      At: 'when it ended',
      Reconciled: '`true` when the end was read from the task itself',
      Try: 'from 1; a retry is another try',
      Sends: 'how often it was sent, over all tries',
      RequestId: 'of its update: look for it in the log',
    },
  },
];
