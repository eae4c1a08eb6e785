/** Random answers of SQS, valid and invalid ones. */
import fc from 'fast-check';
import type { AnswerCase, SqsAnswer } from './sqs-answers.ts';

const codes = [
  'AccessDenied',
  'AccessDeniedException',
  'AWS.SimpleQueueService.BatchRequestTooLong',
  'AWS.SimpleQueueService.NonExistentQueue',
  'BatchRequestTooLong',
  'ExpiredToken',
  'InternalError',
  'InternalFailure',
  'InvalidBatchEntryId',
  'InvalidMessageContents',
  'InvalidParameterValue',
  'InvalidSignatureException',
  'KMS.DisabledException',
  'KMS.ThrottlingException',
  'KmsAccessDenied',
  'KmsThrottled',
  'LimitExceededException',
  'MissingParameter',
  'OverLimit',
  'QueueDoesNotExist',
  'RequestThrottled',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ServiceUnavailable',
  'SlowDown',
  'ThrottlingException',
  'UnknownCode',
  'ValidationException',
];
const statuses = [300, 301, 302, 307, 400, 401, 403, 404, 408, 409, 413, 429, 500, 501, 502, 503, 504, 599];
const page = '<html><body><h1>Sign in</h1><hr></body></html>';
const bodies = [
  page,
  `<!DOCTYPE html>${page}`,
  '<html><body><p>Sign in</p></body></html>',
  '<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Co',
  '',
  ' ',
  '[]',
  '{}',
  'null',
  '"no"',
  '{"message":"no"}',
  '{"Successful":[],"Failed":[]}',
  '{"Successful":5,"Failed":"x"}',
  '{"Successful":[null,5,"x",[]],"Failed":[null]}',
  '{"Successful":[{"Id":"0","MessageId":"m"',
  '{"__type":"com.amazonaws.sqs#Access',
];

const code = fc.constantFrom(...codes);
const fault = code.chain((name) => fc.constantFrom(`${name};Sender`, `${name};Receiver`));
const outcome = fc.oneof(
  { weight: 3, arbitrary: fc.constant('sent') },
  { weight: 3, arbitrary: fault },
  { weight: 1, arbitrary: fc.constantFrom('unnamed', 'twice') },
  { weight: 1, arbitrary: fault.map((each) => `both ${each}`) },
);
const entries = fc.record<SqsAnswer>(
  {
    entries: fc.array(outcome, { maxLength: 6 }),
    status: fc.constantFrom(200, 201),
    checksum: fc.constantFrom('wrong', null),
    contentType: fc.constant('text/html'),
  },
  { requiredKeys: ['entries'] },
);
const error = code.chain((name) =>
  fc
    .record({
      status: fc.constantFrom(...statuses),
      type: fc.constantFrom(
        `com.amazonaws.sqs#${name}`,
        name,
        `${name}:http://internal.amazon.com/coral/`,
        `com.amazonaws.sqs#${name}:http://internal.amazon.com/coral/`,
        null,
      ),
      queryError: fc.constantFrom(`${name};Sender`, `${name};Receiver`, null),
    })
    // Without both, there is no error code.
    .map(
      (each): SqsAnswer =>
        each.type === null && each.queryError === null
          ? { error: name, status: each.status }
          : { error: name, ...each },
    ),
);
const unreadable = fc.record({
  body: fc.constantFrom(...bodies),
  status: fc.oneof(fc.constantFrom(200, 201, 204), fc.constantFrom(...statuses)),
});
const broken = fc.oneof(
  fc.constant<SqsAnswer>({ connection: 'reset' }),
  fc.oneof(entries, error).map((each): SqsAnswer => ({ ...each, connection: 'cut' })),
);
const answer = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: entries },
      { weight: 4, arbitrary: error },
      { weight: 2, arbitrary: unreadable },
      { weight: 1, arbitrary: broken },
    ),
    fc.option(fc.nat({ max: 3 }), { freq: 4, nil: undefined }),
  )
  .map(([each, only]): SqsAnswer => ({ ...each, ...(only !== undefined && { only }) }));

/** `count` cases, the same for the same seed. */
export function randomAnswers(count: number, seed: number): AnswerCase[] {
  const cases = fc.record({
    updates: fc.integer({ min: 1, max: 6 }),
    fifo: fc.boolean(),
    answers: fc.array(answer, { minLength: 1, maxLength: 4 }),
  });
  return fc
    .sample(cases, { numRuns: count, seed })
    .map((each, i) => ({ ...each, name: `random answers ${i}` }));
}
