/** docs/reference/json.md */
import type { Finding } from '../../src/check/finding.ts';
import { checkAsJson } from '../../src/check/report.ts';
import { Refusals } from '../../src/dead-letters/changes/refusals.ts';
import { Values } from '../../src/dead-letters/changes/values.ts';
import { Groups } from '../../src/dead-letters/letters/causes.ts';
import { letterReasons, readLetter } from '../../src/dead-letters/letters/letter.ts';
import type { PassResult } from '../../src/dead-letters/pass/pass.ts';
import { purgeJson, redriveJson } from '../../src/dead-letters/view/changes.ts';
import { letterRecord } from '../../src/dead-letters/view/export.ts';
import { groupJson, groupsJson, letterJson, passJson } from '../../src/dead-letters/view/list.ts';
import { summaryJson, toReport } from '../../src/enqueue/summary.ts';
import { limitsJson } from '../../src/limits/view.ts';
import { deadLetterRecord } from '../../src/message/dead-letter.ts';
import { configShapes } from './json-configs.ts';
import { jobShapes } from './json-jobs.ts';
import { statusShapes } from './json-status.ts';
import { traceShape } from './json-trace.ts';
import { verifyShape } from './json-verify.ts';
import { code, type Page } from './page.ts';
import { type Shape, shapeText } from './shape.ts';

const sentAt = Date.UTC(2026, 10, 28, 7);
const sourceQueueUrl = 'https://sqs.eu-west-1.amazonaws.com/111122223333/ota-updates';

const message = {
  messageId: '9fd74229-0db7-4a50-bfe9-cd310d40ad51',
  receiptHandle: 'handle',
  body: '{"Identifier":"unknown7","TaskConfigurationId":"cfgB7","JobId":"2026-11-fleet-b7","RequestId":"row-000017"}',
  attributes: {},
  sentAt,
  receiveCount: 1,
};
const record = deadLetterRecord(message, {
  reason: 'Rejected',
  error: {
    name: 'ResourceNotFoundException',
    status: 404,
    message: 'OTA task unknown7 was not found',
    requestId: '8038476a-0000-4000-8000-00000000008a',
  },
  attempts: 1,
  ids: { identifier: 'unknown7', jobId: '2026-11-fleet-b7', requestId: 'row-000017' },
  sourceQueueUrl,
  now: sentAt + 3_000,
});
const letter = readLetter(
  { ...message, attributes: { DeadLetter: { dataType: 'String', stringValue: JSON.stringify(record) } } },
  sentAt,
);
const groups = new Groups();
groups.add(letter);
const values = new Values();
values.add(letter.update, letter.message.messageId);
const pass: PassResult = {
  seen: 1,
  about: 1,
  heldByOthers: 0,
  fifo: false,
  end: 'through',
  notReleased: 0,
};
const refused = new Refusals();
refused.add(letter, 'it was rejected before and nothing was changed since', true);

const findings: readonly Finding[] = [
  {
    severity: 'error',
    rule: 'region',
    where: 'AWS region',
    what: 'cannot be found: Region is missing',
    fix: 'set AWS_REGION',
  },
];

const settings = [{ name: 'RATE_LIMIT', value: '10', set: false }];

const inGroup = 'letters by cause: see [a group](#a-group)';
const aPass = 'how much of the queue was seen: see [a pass](#a-pass)';

const shapes: readonly Shape[] = [
  {
    title: 'check --json',
    sample: JSON.parse(checkAsJson(settings, findings)),
    fields: {
      ok: 'whether no finding is an error; warnings are allowed',
      'findings[].severity': '`ok`, `warning`, `error`, or `unchecked`: it was not or could not be looked at',
      'findings[].rule': '[the rule](check.md); does not change between releases',
      'findings[].where': 'the variable or other thing that was looked at',
      'findings[].what': 'what was found',
      'findings[].fix': 'how to fix it, or what it needs; absent when all is well',
      'settings[].name': 'the variable: every one of this program, and those of the SDK that are set',
      'settings[].value': 'its value, without user, password and query of a URL; `null` if there is none',
      'settings[].set': 'whether it is set; if not, the value is the default',
    },
  },
  {
    title: 'enqueue --json',
    about: `With ${code('--dry-run')} there are also ${code('wouldSend')} and ${code('firstBody')}.`,
    sample: JSON.parse(
      summaryJson(
        toReport(
          { file: 'updates.csv', queueUrl: sourceQueueUrl, dryRun: true },
          {
            outcome: 'done',
            sent: 1_175,
            requests: 118,
            refused: 25,
            refusedFile: 'updates.csv.refused.csv',
          },
        ),
      ),
    ),
    fields: {
      outcome: '`done`, `interrupted` or `failed`',
      file: 'as given; `stdin` for `-`',
      queueUrl: 'without user, password and query; null when it is not known',
      dryRun: 'whether this was a dry run',
      form: 'separator and encoding of the file, or null for commas and UTF-8',
      rows: 'rows read, including the refused ones',
      sent: 'rows sent; 0 on a dry run',
      mayHaveArrived: 'further rows that may have been sent: SQS did not answer whether they were',
      wouldSend: 'only on a dry run: rows that would be sent',
      firstBody: 'only on a dry run: the first message, or null',
      skipped: 'good rows before `--from-line`',
      leftOut: 'rows left out by `--where`',
      refused: 'rows refused',
      refusedFile: 'file with these rows and the reasons; null when there are none',
      duplicateIdentifiers: 'Identifiers that more than one row names',
      duplicateRows: 'the rows that name them',
      duplicateRequestIds: 'RequestIds that more than one row has',
      notes: 'what you should know about the file, one sentence each',
      requests: 'requests to SQS; on a dry run, how many it would take',
      seconds: 'how long the sending took',
      rate: 'rows sent per second',
      continueFrom: 'line to give to `--from-line`; null when nothing is left to send',
      failure: 'why it failed, as a sentence; null when it did not',
    },
  },
  {
    title: 'dead-letters list --json',
    about: 'One line for each letter. What was seen of the queue goes to stderr.',
    sample: letterJson(letter),
    fields: {
      messageId: 'of the letter',
      group: 'short name of its cause, for `--where group=`; the same in every pass',
      reason: `${letterReasons.map(code).join(', ')}, the last without a readable record`,
      error: 'name of the error; for a foreign letter, where it came from',
      status: 'HTTP status, or null',
      message: 'of the error',
      arrivedAt: 'when it was dead-lettered, ISO 8601 UTC',
      identifier: 'its Identifier; null when it cannot be read',
      jobId: 'or null',
      requestId: 'or null',
      redriveCount: 'how often it was put back',
    },
  },
  {
    title: 'dead-letters list --group --json',
    sample: groupsJson(1, groups, pass),
    fields: {
      matched: 'letters that the conditions select',
      groups: inGroup,
      others: 'letters of causes beyond the first 500',
      pass: aPass,
    },
  },
  {
    title: 'A group',
    sample: groups.all().map(groupJson)[0],
    fields: {
      group: 'short name of the cause, for `--where group=`',
      reason: 'as for a letter',
      error: 'name of the error',
      status: 'HTTP status, or null',
      count: 'letters',
      first: 'earliest arrival',
      last: 'latest arrival',
      redriven: 'how many of them had been put back before',
      'example.messageId': 'one of them',
      'example.identifier': 'its Identifier, or null',
      'example.message': "its error's message",
    },
  },
  {
    title: 'A pass',
    sample: passJson(pass),
    fields: {
      seen: 'letters looked at',
      about: 'letters that SQS counted when the pass began, or null; approximate',
      heldByOthers: 'of these, how many somebody else held, or null',
      fifo: 'whether it is a FIFO queue',
      end: 'why it ended: `through`, `limit`, `time`, `stopped`, `interrupted` or `in-flight-limit`',
      notReleased: 'letters that could not be made visible again; they become visible by themselves',
    },
  },
  {
    title: 'dead-letters show --json, export',
    about: 'One line for each letter, in the form that SQS has.',
    sample: letterRecord(letter),
    fields: {
      MessageId: 'of the letter',
      Reason: 'as for `list`',
      Group: 'short name of the cause',
      SentAt: 'when the message was first sent',
      ArrivedAt: 'when it was dead-lettered',
      Record: "the worker's record, or null: [its fields](../../ARCHITECTURE.md#dead-letters)",
      MessageAttributes:
        'as in the SQS API, binary values in base64: [what a letter carries](../../ARCHITECTURE.md#dead-letters)',
      Body: 'of the original message, byte for byte',
    },
  },
  {
    title: 'dead-letters redrive --json',
    sample: redriveJson({
      dryRun: true,
      pass,
      chosen: new Set(),
      matched: 2,
      redriven: 1,
      notDeleted: 0,
      cameBack: 0,
      refused,
      groups,
      values,
      canary: undefined,
      error: undefined,
    }),
    fields: {
      dryRun: 'whether nothing was changed',
      matched: 'letters that the conditions select',
      redriven: 'letters put back; 0 on a dry run',
      wouldRedrive: 'only on a dry run',
      notRedriven: 'letters that matched and were not put back',
      'notRedrivenBy[].why': 'a reason',
      'notRedrivenBy[].count': 'letters left for this reason',
      'notRedrivenBy[].forcible': 'whether `--force` overrules it',
      notDeleted: 'letters that are now on both queues; harmless: purge them',
      cameBack: 'letters that were dead-lettered again meanwhile, and stay there',
      canary: '`good`, `came-back`, `unknown`, `interrupted`; null without `--canary`',
      groups: inGroup,
      'values[].Description': 'what these letters set, read from their bodies',
      'values[].TaskConfigurationId': 'the same; both are absent if the body is not a valid update',
      'values[].letters': 'how many set it',
      'values[].example': 'an Identifier, or else a message id',
      otherValues: 'letters with further values',
      pass: aPass,
    },
  },
  {
    title: 'dead-letters purge --json',
    sample: purgeJson({
      dryRun: true,
      pass,
      chosen: new Set(),
      matched: 1,
      purged: 1,
      notDeleted: 0,
      groups,
      error: undefined,
    }),
    fields: {
      dryRun: 'whether nothing was changed',
      matched: 'letters that the conditions select',
      purged: 'letters deleted; 0 on a dry run',
      wouldPurge: 'only on a dry run',
      notDeleted: 'letters that could not be deleted',
      groups: inGroup,
      pass: aPass,
    },
  },
];

const limitsShape: Shape = {
  title: 'limits show, limits set and limits clear --json',
  about: 'What is set for all workers through Redis; `status` shows what is in force.',
  sample: JSON.parse(
    limitsJson({
      rate: { value: 20, by: 'ann@bastion', reason: 'the API is slow', at: '2026-11-29T07:00:00.000Z' },
      concurrency: undefined,
    }),
  ),
  fields: {
    'rate.value': 'maximum calls per second, for all workers together; null if the limit was lifted',
    'rate.by': 'who set it: the user and the host',
    'rate.reason': 'why',
    'rate.at': 'when',
    concurrency: 'the same for calls in flight, for each worker; null if it was never set',
  },
};

export const jsonPage: Page = {
  name: 'json.md',
  about: 'What every command prints with `--json`',
  text: async () => `# JSON output

What commands print on stdout with \`--json\`: one object, or one object per line where this page says so. Fields may be added; those
here keep their names and meanings. Times are ISO 8601 UTC. The samples are printed by the program's own code from made-up facts.

${[...shapes, ...(await jobShapes()), verifyShape, ...configShapes, traceShape, ...statusShapes, limitsShape].map(shapeText).join('\n\n')}
`,
};
