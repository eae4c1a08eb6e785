/** Example messages for the AsyncAPI document; the worker's own functions make those of the worker. */
import { outcomeOf } from '../../src/message/outcome.ts';
import { toOutcomeEvent } from '../../src/message/outcome-event.ts';

export const update = {
  Identifier: 'a1B2c3',
  Description: 'Nightly roll-out 7',
  TaskConfigurationId: 'cfgB7',
  JobId: '2026-11-fleet-b7',
  RequestId: 'row-000017',
  IssuedAt: '2026-11-23T07:00:00Z',
};

const messageId = '5d3c5a2e-2c62-5c5b-8c71-07a0b4d7f7a5';
const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/ota-updates';
const ids = { identifier: update.Identifier, jobId: update.JobId, requestId: update.RequestId };
const error = {
  name: 'ResourceNotFoundException',
  status: 404,
  message: 'there is no such task',
  requestId: '8d6c3a4e-52a1-4d8e-9f0a-0c7f1a4b2e61',
};
const facts = { messageId, ids, update, attempts: 1, now: Date.parse('2026-11-23T07:00:02Z') };
const applied = outcomeOf(facts, { action: 'acknowledge', outcome: 'applied' });
const rejected = outcomeOf(facts, { action: 'dead-letter', reason: 'Rejected', error });

export const updateExamples = [
  { name: 'everything', payload: update },
  { name: 'least', payload: { Identifier: 'a1B2c3', Description: 'Nightly roll-out 7' } },
];

export const outcomeExamples = [
  { name: 'applied', payload: applied },
  { name: 'rejected', payload: rejected },
];

export const outcomeEventExamples = [{ name: 'applied', payload: toOutcomeEvent(applied, queueUrl) }];

export const deadLetterExamples = [
  {
    name: 'rejected',
    headers: {
      DeadLetter: JSON.stringify({
        reason: 'Rejected',
        error,
        attempts: 1,
        receiveCount: 1,
        sentAt: '2026-11-23T07:00:00.512Z',
        deadLetteredAt: '2026-11-23T07:00:02.000Z',
        sourceMessageId: messageId,
        sourceQueueUrl: queueUrl,
        jobId: update.JobId,
        requestId: update.RequestId,
        redriveCount: 0,
      }),
    },
    payload: update,
  },
];
