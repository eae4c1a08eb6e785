/** Text for people fits the terminal that it is read on. */
import { expect, test } from 'vitest';
import { checkAsText } from '../../src/check/report.ts';
import { Refusals } from '../../src/dead-letters/changes/refusals.ts';
import { Values } from '../../src/dead-letters/changes/values.ts';
import { Groups } from '../../src/dead-letters/letters/causes.ts';
import { purgeText, redriveText } from '../../src/dead-letters/view/changes.ts';
import { letterText } from '../../src/dead-letters/view/letter.ts';
import { summaryText, toReport } from '../../src/enqueue/summary.ts';
import { planText } from '../../src/jobs/plan/summary.ts';
import { columnsOf, countLine, table, WIDTH, widthOf } from '../../src/text/layout.ts';
import { traceText } from '../../src/trace/view.ts';
import { letterWith } from '../../testing/letters.ts';

const commandLine = (...args: readonly string[]): string => `npx ota-updater ${args.join(' ')}`;
const SENTENCE =
  'nothing listens there, and each worker would go on alone, at the rate that it finds by itself';

const values = { Description: 'Nightly roll-out of the whole fleet', TaskConfigurationId: 'cfgB7'.repeat(9) };
const letter = letterWith(
  { error: { name: 'ResourceNotFoundException', status: 404, message: SENTENCE } },
  { body: JSON.stringify({ Identifier: 'pump17', ...values }) },
);

function changeTexts(columns: number | undefined): string[] {
  const groups = new Groups();
  groups.add(letter);
  const changed = new Values();
  changed.add(letter.update, 'pump17');
  const pass = { seen: 1, about: 3, heldByOthers: 2, fifo: true, end: 'limit', notReleased: 1 } as const;
  const chosen = new Set<string>();
  const common = { dryRun: true, pass, chosen, matched: 1, notDeleted: 1, groups, error: undefined };
  const queues = { queueUrl: 'http://sqs/q', deadLetterQueueUrl: 'http://sqs/d' };
  const refused = new Refusals();
  refused.add(letter, SENTENCE, true);
  const canary = { verdict: 'came-back', letters: [letter] } as const;
  const redriven = { ...common, redriven: 1, cameBack: 1, refused, values: changed, canary };
  return [
    redriveText(redriven, queues, columns),
    purgeText({ ...common, purged: 1 }, queues, undefined, columns),
  ];
}

function texts(columns: number | undefined): string[] {
  const counts = { toChange: 5_000, alreadyAsWanted: 0, refused: 1, duplicates: 2 };
  const plan = {
    jobId: 'fleet-b7',
    source: 'fleet.csv',
    kind: 'file',
    rows: 5_003,
    plan: 'fleet-b7.plan.jsonl',
    removed: undefined,
    counts,
    duplicateIdentifiers: 2,
    unread: 1,
    undoable: 0,
    measured: undefined,
    refreshed: false,
    refusedFile: 'fleet.csv.refused.csv',
    configurations: [],
    otherConfigurations: 0,
    looked: undefined,
    statuses: [],
    reasons: [{ reason: SENTENCE, count: 1, lines: [7] }],
    rateLimit: 20,
    form: undefined,
    leftOut: 1,
    warnings: [SENTENCE],
  } as const;
  const report = toReport(
    { file: 'fleet.csv', queueUrl: 'http://sqs/q', dryRun: false },
    {
      outcome: 'done',
      rows: 3,
      sent: 1,
      refused: 1,
      refusedFile: 'fleet.csv.refused.csv',
      duplicates: { values: 1, rows: 1 },
      examples: [{ line: 4, reason: SENTENCE, raw: '' }],
      notes: [SENTENCE],
    },
  );
  const trace = {
    identifier: 'pump17',
    task: 'gone',
    updates: [],
    sources: [{ source: 'ledger', state: 'read', what: SENTENCE }],
  } as const;
  return [
    ...changeTexts(columns),
    letterText(letter, columns),
    planText(plan, commandLine, columns),
    summaryText(report, commandLine, columns),
    traceText(trace, commandLine, columns),
    checkAsText(
      [],
      [{ severity: 'error', rule: 'redis', where: 'REDIS_URL', what: SENTENCE, fix: SENTENCE }],
      columns,
    ),
  ];
}

/** Commands, names and values that are to be copied stay whole. */
const WHOLE = /^next: |npx ota-updater|^(Task|"|\{|\})|^TaskConfigurationId |^ {2}"/;

test.each([40, 60, 80, 120])(
  'every line fits a terminal of %i columns, or is one to be copied',
  (columns) => {
    for (const text of texts(columns))
      for (const line of text.split('\n'))
        if (!WHOLE.test(line)) expect(line.length, line).toBeLessThanOrEqual(columns);
  },
);

test('nothing of what a redrive sends and deletes is cut off, on no terminal and without one', () => {
  for (const columns of [undefined, 40, 80, 200])
    for (const text of changeTexts(columns).slice(0, 1))
      expect(text).toContain(
        `TaskConfigurationId ${values.TaskConfigurationId}, Description "${values.Description}"`,
      );
  for (const text of changeTexts(undefined)) expect(text).toContain(SENTENCE);
  expect(changeTexts(undefined)[0]).toContain(`(404), ${SENTENCE}\n`);
});

test('a terminal that does not know its size, and says 0, is like none', () => {
  expect(columnsOf({ columns: 0 })).toBeUndefined();
  expect(columnsOf({})).toBeUndefined();
  expect(columnsOf({ columns: 40 })).toBe(40);
  expect(widthOf(columnsOf({ columns: 0 }))).toBe(WIDTH);
  expect(table([['a', 'b']], columnsOf({ columns: 0 }))).toEqual(['a  b']);
});

test('the note of a count goes on below itself, or near the left where there is no room', () => {
  const note = 'not known without --refresh of all of the tasks that there are';
  expect(countLine('as wanted', 7, note)).toBe(`  as wanted             7  ${note}`);
  expect(countLine('as wanted', 7, note, 70)).toBe(
    '  as wanted             7  not known without --refresh of all of the\n' +
      '                           tasks that there are',
  );
  expect(countLine('as wanted', 7, note, 40)).toBe(
    '  as wanted             7\n    not known without --refresh of all\n    of the tasks that there are',
  );
});
