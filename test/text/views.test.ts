/** No view gives a terminal anything but text, whatever stands in files, letters, answers and outcomes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkAsText } from '../../src/check/report.ts';
import { Refusals } from '../../src/dead-letters/changes/refusals.ts';
import { Values } from '../../src/dead-letters/changes/values.ts';
import { Groups } from '../../src/dead-letters/letters/causes.ts';
import type { PassResult } from '../../src/dead-letters/pass/pass.ts';
import { purgeText, redriveText } from '../../src/dead-letters/view/changes.ts';
import { letterText } from '../../src/dead-letters/view/letter.ts';
import { groupsText, letterLine, seenText } from '../../src/dead-letters/view/list.ts';
import { summaryText, toReport, unfinishedSentence } from '../../src/enqueue/summary.ts';
import type { JobState } from '../../src/jobs/ledger/state.ts';
import { planText } from '../../src/jobs/plan/summary.ts';
import { beginning } from '../../src/jobs/rules/progress.ts';
import { standingText } from '../../src/jobs/view/standing.ts';
import { explainSqsError } from '../../src/queue/explain.ts';
import { type CommandLine, shellLine } from '../../src/text/shell.ts';
import { letterWith } from '../../testing/letters.ts';

/** Of each kind that a terminal obeys or hides. */
const units = '\u0000\u0007\n\r\u001b[2J\u009b\u200b\u200f\u2028\u202e\u2066\ufeff\ud800\u{e0041}\u3164a é';
const hostile = fc.string({ unit: fc.constantFrom(...units), minLength: 1, maxLength: 30 });
const controls = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const pass: PassResult = { seen: 1, about: 1, heldByOthers: 0, fifo: false, end: 'through', notReleased: 0 };
const counts = { toChange: 1, alreadyAsWanted: 0, refused: 1, duplicates: 0 };

function letterViews(text: string): string[] {
  const error = { name: text, status: 400, message: text, requestId: text };
  const attribute = { dataType: 'String', stringValue: text };
  const letter = letterWith(
    { error, sourceMessageId: text, sourceQueueUrl: text },
    { body: text, messageId: text, groupId: text },
  );
  const more = {
    ...letter,
    message: { ...letter.message, attributes: { ...letter.message.attributes, [text]: attribute } },
  };
  const groups = new Groups();
  groups.add(letter);
  const refused = new Refusals();
  refused.add(letter, text, true);
  const values = new Values();
  values.add(letter.update, text);
  const chosen = new Set<string>();
  const common = { dryRun: true, pass, chosen, matched: 1, notDeleted: 1, groups, error: undefined };
  const canary = { verdict: 'came-back', letters: [letter] } as const;
  const queues = { queueUrl: text, deadLetterQueueUrl: text };
  return [
    letterText(more),
    ...[undefined, 40, 80].flatMap((columns) => [
      ...letterLine(letter, columns).split('\n'),
      ...groupsText(groups, columns),
    ]),
    ...seenText(pass, text),
    redriveText({ ...common, redriven: 1, cameBack: 1, refused, values, canary }, queues),
    purgeText({ ...common, purged: 1 }, queues),
  ];
}

const commandLine: CommandLine = (...args) => shellLine(['ota-updater', ...args]);

function jobViews(text: string): string[] {
  const refused = [{ reason: text, count: 1, lines: [1] }];
  const plan = {
    jobId: 'j',
    source: text,
    kind: 'file',
    rows: 1,
    plan: text,
    removed: text,
    counts,
    duplicateIdentifiers: 0,
    unread: 0,
    undoable: 0,
    measured: { perSecond: 1, jobId: text },
    refreshed: false,
    refusedFile: text,
    configurations: [],
    otherConfigurations: 0,
    looked: undefined,
    statuses: [],
    reasons: refused,
    rateLimit: 1,
    form: text,
    leftOut: 1,
    warnings: [text],
  } as const;
  const control = { settings: {}, progress: beginning };
  const state: JobState = { name: 'stopping', towards: 'aborted', since: 0, who: text, why: text };
  const job = {
    key: 1,
    jobId: 'j',
    updatedAt: 0,
    plan: {
      path: text,
      source: text,
      digest: 'd',
      issuedAt: text,
      rows: 1,
      leftOut: undefined,
      undoes: undefined,
      enqueued: false,
      complete: false,
      maybeTwice: 0,
      ...control,
      state,
    },
  };
  const ended = {
    total: 1,
    planned: 0,
    inFlight: 0,
    sending: 0,
    applied: 0,
    superseded: 0,
    failed: 1,
    notSent: 0,
    ended: 1,
    endedByWorkers: 1,
    causes: [{ cause: text, rows: 1 }],
    calls: 1,
    callsOf: 1,
  };
  return [
    planText(plan, commandLine),
    standingText(
      {
        job,
        counts: ended,
        leased: false,
        times: undefined,
        lastFailed: [],
        undos: [],
        reconciled: 0,
        foreign: 1,
        unmatched: 1,
      },
      commandLine,
      {
        reason: text,
      },
    ),
  ];
}

function otherViews(text: string): string[] {
  const examples = [{ line: 1, reason: text, raw: text }];
  const facts = {
    outcome: 'failed',
    refused: 1,
    rows: 1,
    examples,
    refusedFile: text,
    failure: text,
    firstBody: text,
    form: text,
    notes: [text],
  } as const;
  const report = toReport({ file: text, queueUrl: text, dryRun: true }, facts);
  const error = Object.assign(new Error(text), { name: text });
  return [
    summaryText(report, commandLine),
    unfinishedSentence(report) ?? '',
    explainSqsError(error, text),
    checkAsText(
      [{ name: text, value: text, set: true }],
      [{ severity: 'error', rule: 'clock', where: text, what: text, fix: text }],
    ),
  ];
}

test('no view shows a character that a terminal obeys or hides', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const view of [letterViews, jobViews, otherViews])
        for (const shown of view(text)) expect(shown.replaceAll('\n', '')).not.toMatch(controls);
    }),
    { numRuns: 200 },
  );
});
