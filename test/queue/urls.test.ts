import { expect, test } from 'vitest';
import { isFifoUrl, sameQueue, sameQueueFault, sameQueueUrl } from '../../src/queue/urls.ts';

const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/updates';

test.each([
  [queueUrl, `${queueUrl}/`, true],
  [queueUrl, queueUrl.replace('sqs.eu-west-1.amazonaws.com', 'eu-west-1.queue.amazonaws.com'), true],
  [queueUrl, queueUrl.replace('eu-west-1', 'eu-central-1'), false],
  [queueUrl.replace('eu-west-1', 'eusc-de-east-1'), queueUrl.replace('eu-west-1', 'eusc-de-west-1'), false],
  [queueUrl, `${queueUrl}-dead`, false],
  ['http://127.0.0.1:4566/000000000000/u', 'http://localhost:4566/000000000000/u', true],
  ['no url', 'no url', true],
  ['no url', queueUrl, false],
])('%s and %s: one queue is %s', (a, b, same) => {
  expect(sameQueueUrl(a, b)).toBe(same);
});

test.each([
  [
    { QUEUE_URL: queueUrl, DEAD_LETTER_QUEUE_URL: `${queueUrl}-dead`, OUTCOME_QUEUE_URL: undefined },
    undefined,
  ],
  [
    { QUEUE_URL: queueUrl, DEAD_LETTER_QUEUE_URL: `${queueUrl}/` },
    'DEAD_LETTER_QUEUE_URL is the same queue as QUEUE_URL: use a different queue.',
  ],
  [
    {
      QUEUE_URL: 'http://127.0.0.1:4566/0/u',
      DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:4566/0/d',
      OUTCOME_QUEUE_URL: 'http://localhost:4566/0/u',
    },
    'OUTCOME_QUEUE_URL is the same queue as QUEUE_URL: use a different queue.',
  ],
])('settings %j: %s', (urls, fault) => {
  const named = Object.entries(urls).flatMap(([setting, url]) =>
    url === undefined ? [] : [{ setting, url }],
  );
  expect(sameQueueFault(named)).toBe(fault);
});

test('two URLs of one ARN are one queue, and one URL of two ARNs is two', () => {
  const local = { url: 'http://127.0.0.1:4566/000000000000/u', arn: 'arn:aws:sqs:eu-west-1:000000000000:u' };
  const named = { url: 'http://sqs.eu-west-1.local:4566/000000000000/u' };
  expect(sameQueue(local, { ...named, arn: local.arn })).toBe(true);
  expect(sameQueue(local, { ...local, arn: `${local.arn}2` })).toBe(false);
  expect(sameQueue(local, named)).toBe(false);
});

test.each([
  [`${queueUrl}.fifo`, true],
  [queueUrl, false],
  ['https://sqs.eu-west-1.amazonaws.com/1/updates.fifo/', false],
  ['https://updates.fifo/1/updates', false],
])('%s is of a FIFO queue: %s', (url, fifo) => {
  expect(isFifoUrl(url)).toBe(fifo);
});
