import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as sqs from '@aws-sdk/client-sqs';
import { GetQueueAttributesCommand, SQSServiceException } from '@aws-sdk/client-sqs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ForeignAnswerError } from '../../src/aws/foreign.ts';
import { createRequestHandler } from '../../src/aws/request-handler.ts';
import { createSqsClient, type SQSClientConfig } from '../../src/queue/client.ts';
import { isTransient, type SqsErrorKind, sqsErrorKind, sqsNameKind } from '../../src/queue/errors.ts';
import { explainSqsError } from '../../src/queue/explain.ts';
import { sendFailureOf } from '../../src/queue/send-failure.ts';

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 100\r\n\r\n';

/** What the SDK throws when `answer` does the answering; undefined: nobody listens. */
async function failure(
  answer: ((socket: Socket) => void) | undefined,
  requestHandler: SQSClientConfig['requestHandler'],
): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer?.(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => void server.close());
  if (answer === undefined) {
    server.close();
    await once(server, 'close');
  }
  const client = createSqsClient(1, {
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    ...(requestHandler !== undefined && { requestHandler }),
  });
  onTestFinished(() => client.destroy());
  const QueueUrl = `http://127.0.0.1:${port}/000000000000/q`;
  return client.send(new GetQueueAttributesCommand({ QueueUrl })).then(
    () => expect.fail('it was answered'),
    (error: unknown) => error,
  );
}

describe.each([
  ['node:http', undefined],
  ['undici', createRequestHandler(1, 5_000)],
])('on %s', (_, handler) => {
  test.each([
    ['nobody listens', undefined, false],
    ['the connection is closed without an answer', (socket: Socket) => socket.end(), true],
    ['the connection is reset', (socket: Socket) => socket.resetAndDestroy(), true],
    ['the connection is closed within the answer', (socket: Socket) => socket.end(`${head}{`), true],
    [
      'the connection is reset within the answer',
      (socket: Socket) => void socket.write(`${head}{`, () => socket.resetAndDestroy()),
      true,
    ],
    ['the answer is no HTTP', (socket: Socket) => socket.end('220 mail.example ESMTP\r\n'), true],
  ])('where %s, the same request may succeed later', async (_, answer, arrived) => {
    const error = await failure(answer, handler);
    expect(isTransient(error)).toBe(true);
    expect(sendFailureOf(error)).toEqual({ kind: 'transient', mayHaveArrived: arrived });
    expect(explainSqsError(error, 'http://127.0.0.1/q')).toMatch(/^SQS cannot be reached for /);
  });
});

/** An error as the SDK throws it. */
function sdkError(name: string, facts: { status?: number; code?: string; message?: string } = {}): Error {
  const { status, code, message = 'no' } = facts;
  return Object.assign(new Error(message), {
    name,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { $metadata: { httpStatusCode: status } }),
  });
}

test.each<[SqsErrorKind, string[]]>([
  [
    'missing',
    [
      'QueueDoesNotExist',
      'AWS.SimpleQueueService.NonExistentQueue',
      'InvalidAddress',
      'QueueDeletedRecently',
      'AWS.SimpleQueueService.QueueDeletedRecently',
    ],
  ],
  ['request', ['UnsupportedOperation', 'AWS.SimpleQueueService.UnsupportedOperation', 'UnknownOperation']],
  ['denied', ['AccessDenied', 'AccessDeniedException']],
  [
    'key',
    [
      'KmsAccessDenied',
      'KMS.AccessDeniedException',
      'KmsDisabled',
      'KMS.NotFoundException',
      'KmsOptInRequired',
    ],
  ],
  ['no-credentials', ['CredentialsProviderError', 'TokenProviderError']],
  [
    'credentials',
    [
      'ExpiredToken',
      'ExpiredTokenException',
      'InvalidClientTokenId',
      'InvalidSignatureException',
      'OptInRequired',
      'RequestExpired',
      'RequestTimeTooSkewed',
      'SignatureDoesNotMatch',
      'UnrecognizedClientException',
    ],
  ],
  [
    'throttled',
    [
      'EC2ThrottledException',
      'KMS.ThrottlingException',
      'KmsThrottled',
      'OverLimit',
      'AWS.SimpleQueueService.OverLimit',
      'RequestThrottled',
      'SlowDown',
      'ThrottlingException',
      'TooManyRequestsException',
    ],
  ],
  [
    'parcel',
    [
      'BatchRequestTooLong',
      'AWS.SimpleQueueService.BatchRequestTooLong',
      'InvalidMessageContents',
      'InvalidParameterValue',
      'InvalidParameterValueException',
      'ReceiptHandleIsInvalid',
      'MessageNotInflight',
    ],
  ],
  ['service', ['InternalError', 'InternalFailure', 'ServiceUnavailable']],
  ['unreachable', ['TimeoutError', 'RequestTimeout', 'HTTPParserError']],
  ['other', ['Unconfirmed', 'Unknown', '', 'constructor', 'accessdenied', 'ResourceNotFoundException']],
])('knows as %s: %j', (kind, names) => {
  expect(names.map((name) => [name, sqsNameKind(name)])).toEqual(names.map((name) => [name, kind]));
});

test.each<[SqsErrorKind, string, unknown]>([
  ['throttled', '429 without a name', sdkError('Unknown', { status: 429 })],
  ['unreachable', '408 without a name', sdkError('Unknown', { status: 408 })],
  ['service', "502 of a proxy's page", sdkError('SyntaxError', { status: 502 })],
  ['other', "403 of a proxy's page", sdkError('SyntaxError', { status: 403 })],
  ['unreachable', 'a 400 cut short', sdkError('SocketError', { status: 400, code: 'UND_ERR_SOCKET' })],
  ['unreachable', 'connection refused', sdkError('Error', { code: 'ECONNREFUSED' })],
  [
    'no-credentials',
    'a provider that refuses',
    sdkError('CredentialsProviderError', { code: 'ECONNREFUSED' }),
  ],
  ['no-region', 'no region', sdkError('Error', { message: 'Region is missing' })],
  [
    'other',
    'a request that cannot be made',
    sdkError('InvalidArgumentError', { code: 'UND_ERR_INVALID_ARG' }),
  ],
  ['other', 'a bug', new TypeError('x is undefined')],
  ['other', 'no error at all', 'x'],
])('takes as %s: %s', (kind, _, error) => {
  expect(sqsErrorKind(error)).toBe(kind);
});

test.each([
  ['QueueDoesNotExist', /^there is no queue https:\/\/sqs\.example\/1\/q: check QUEUE_URL and the region$/],
  [
    'AccessDenied',
    /^access to \S+\/1\/q is denied: the credentials need sqs:SendMessage on it \(AccessDenied: no\)$/,
  ],
  [
    'KmsAccessDenied',
    /^the credentials may not use the KMS key of \S+\/1\/q: they need kms:GenerateDataKey and kms:Decrypt on the key, .* \(KmsAccessDenied: no\)$/,
  ],
  ['CredentialsProviderError', /^AWS credentials could not be obtained: no$/],
  [
    'RequestTimeTooSkewed',
    /^AWS does not accept the credentials: renew them; .* region and clock \(RequestTimeTooSkewed: no\)$/,
  ],
  ['TimeoutError', /^SQS cannot be reached for https:\/\/sqs\.example\/1\/q: check the network, .* \(no\)$/],
  ['InternalFailure', /^SQS answered InternalFailure: no$/],
  ['InvalidAddress', /^https:\/\/sqs\.example\/1\/q is not the URL of a queue: check QUEUE_URL \(/],
  ['QueueDeletedRecently', /^\S+\/1\/q was deleted less than 60 seconds ago: create it again /],
  ['UnsupportedOperation', /^SQS does not offer this operation for \S+\/1\/q: check QUEUE_URL, /],
  ['KMS.DisabledException', /^the KMS key of \S+\/1\/q is disabled: enable it in KMS/],
  ['Error', /^the request to \S+\/1\/q failed in this process \(Error: no\)$/],
  ['SystemError', /^the request to \S+\/1\/q failed in this process \(SystemError: no\)$/],
])('explains %s without the password of the URL', (name, sentence) => {
  const hints = { setting: 'QUEUE_URL', permission: 'sqs:SendMessage', does: 'send' } as const;
  expect(explainSqsError(sdkError(name), 'https://user:secret@sqs.example/1/q', hints)).toMatch(sentence);
});

test('names what the key must allow by what is done', () => {
  const hints = { setting: 'OUTCOME_QUEUE_URL', permission: 'sqs:ReceiveMessage', does: 'receive' } as const;
  const sentence = explainSqsError(sdkError('KmsAccessDenied'), 'https://sqs.example/1/q', hints);
  expect(sentence).toContain('they need kms:Decrypt on the key, ');
  expect(sentence).not.toMatch(/sqs:|GenerateDataKey/);
});

test('a policy that denies the use of a key is about the key', () => {
  const message = 'User: u is not authorized to perform: kms:GenerateDataKey on resource: k';
  expect(sqsErrorKind(sdkError('AccessDeniedException', { status: 400, message }))).toBe('key');
});

/** Of the errors in SQS's model: what only a bug of ours, or a request that is never made, can bring. */
const NEVER = [
  'BatchEntryIdsNotDistinct',
  'EmptyBatchRequest',
  'InvalidAttributeName',
  'InvalidAttributeValue',
  'PurgeQueueInProgress',
  'QueueNameExists',
  'ResourceNotFoundException',
  'TooManyEntriesInBatchRequest',
];
const modelled = Object.entries(sqs)
  .filter(([, value]) => typeof value === 'function' && value.prototype instanceof SQSServiceException)
  .map(([name]) => name);

test.each(modelled.filter((name) => !NEVER.includes(name)))('%s of the model means something', (name) => {
  expect(sqsNameKind(name)).not.toBe('other');
});

test('every code of KMS has a sentence of its own', () => {
  const codes = modelled.filter((name) => name.startsWith('Kms'));
  const sentences = codes.map((name) => explainSqsError(sdkError(name), 'https://sqs.example/1/q'));
  expect(codes.length).toBeGreaterThan(6);
  expect(new Set(sentences.map((sentence) => sentence.replace(/ \(Kms.*$/, ''))).size).toBe(codes.length);
  for (const sentence of sentences) expect(sentence).not.toMatch(/sqs:|^SQS answered/);
});

test.each([200, 302, 403, 503])('what answers with %i and a page is not SQS', (statusCode) => {
  const error = new ForeignAnswerError({ statusCode, headers: { 'Content-Type': 'text/html' } });
  expect(sqsErrorKind(error)).toBe(statusCode === 503 ? 'service' : 'foreign');
  expect(explainSqsError(error, 'https://sqs.example/1/q')).toMatch(
    new RegExp(`^SQS does not answer at \\S+/1/q, .* \\(HTTP ${statusCode}, text/html\\)$`),
  );
});
