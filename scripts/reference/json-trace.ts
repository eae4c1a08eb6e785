/** The JSON output of `trace`, for docs/reference/json.md. */
import { traceJson } from '../../src/trace/json.ts';
import { updatesOf } from '../../src/trace/updates.ts';
import type { Shape } from './shape.ts';

const sentAt = Date.UTC(2026, 10, 28, 7);
const ids = { jobId: '2026-11-fleet-b7', requestId: 'r000017.1' };
const messageId = '9fd74229-0db7-4a50-bfe9-cd310d40ad51';
const letterId = '3f9a1c02-55d1-4f0b-9a57-0c6a2f4d7e11';

const sample = traceJson({
  identifier: 'pump17',
  task: {
    TaskId: 'pump17',
    Status: 'SCHEDULED',
    Description: 'Nightly roll-out 6',
    TaskConfigurationId: 'cfgA6',
    LastUpdatedAt: new Date(sentAt - 86_400_000),
  },
  updates: updatesOf([
    {
      source: 'ledger',
      messageIds: [messageId],
      ...ids,
      row: 17,
      values: { TaskConfigurationId: 'cfgB7' },
      decidedAt: sentAt,
      sentAt: sentAt + 1_000,
      open: 'sent',
      steps: [{ at: sentAt + 1_000, source: 'ledger', what: 'sent to the queue' }],
    },
    {
      source: 'dead-letters',
      messageIds: [messageId, letterId],
      ...ids,
      end: {
        state: 'dead-lettered',
        at: sentAt + 3_000,
        reason: 'Rejected',
        error: { name: 'ResourceNotFoundException', status: 404, message: 'OTA task pump17 was not found' },
        attempts: 1,
      },
      letter: { messageId: letterId, arrivedAt: sentAt + 3_000, redriveCount: 0 },
      steps: [],
    },
  ]),
  sources: [{ source: 'task', state: 'read', what: 'GetOtaTask' }],
});

export const traceShape: Shape = {
  title: 'trace --json',
  about: 'Unknown values are null.',
  sample: JSON.parse(sample),
  fields: {
    identifier: 'the task',
    'task.Status': 'the task as the API has it now; `task` is null if it was not read, or does not exist',
    'task.Description': 'its description',
    'task.TaskConfigurationId': 'its configuration',
    'task.LastUpdatedAt': 'when it was last changed, by anyone',
    gone: 'whether the API has no such task',
    'updates[].at':
      'the time by which updates are ordered, the oldest first: `issuedAt`, else `sentAt`, else the first time that is known',
    'updates[].issuedAt': '`IssuedAt` of the update',
    'updates[].sentAt': 'when it was sent to the queue',
    'updates[].messageIds': 'of every message that is known to have carried it',
    'updates[].job': 'its `JobId`',
    'updates[].row': 'its row in the plan of the job',
    'updates[].requestId': 'its `RequestId`',
    'updates[].Description': 'what it sets',
    'updates[].TaskConfigurationId': 'what it sets',
    'updates[].end':
      '`applied`, `superseded`, `dead-lettered`, `refused` (by SQS), `left-out` (by the plan); without an end `planned`, `sending`, `sent`, or `unknown`',
    'updates[].endedAt': 'when',
    'updates[].reason': 'of a dead letter, or why the row was left out',
    'updates[].error': 'name of the error',
    'updates[].status': 'HTTP status',
    'updates[].message': "the error's message",
    'updates[].calls': 'API calls in the last delivery',
    'updates[].note': 'anything else worth knowing about the end',
    'updates[].letters[].messageId': 'of its letter that is now on the dead-letter queue',
    'updates[].letters[].arrivedAt': 'since when the letter is there',
    'updates[].letters[].redriveCount': 'how often it was put back before',
    'updates[].steps[].at': 'when something happened to it',
    'updates[].steps[].source': 'the source: `ledger`, `dead-letters` or `log`',
    'updates[].steps[].what': 'what, as a phrase',
    'updates[].sources': 'the sources that know the update',
    'sources[].source': '`ledger`, `dead-letters`, `task` or `log`',
    'sources[].state': '`read`, `in-part`, `failed`, or `not-asked`: not given, or it does not exist',
    'sources[].what': 'what was read from it, or why nothing was, as a phrase',
  },
};
