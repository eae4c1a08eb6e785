import { expect, test } from 'vitest';
import { sqsError } from '../../src/queue/answer-error.ts';
import { sendFailureOf } from '../../src/queue/send-failure.ts';

/** What cannot be had from a server on this machine; all else: packages/producer/test/sqs-answers.test.ts. */
test.each([
  [
    'a connection that took too long to make',
    'TimeoutError',
    undefined,
    'connect ETIMEDOUT 10.0.0.1:443',
    false,
  ],
  [
    'one that took too long for the SDK',
    'TimeoutError',
    undefined,
    'the request socket did not establish a connection with the server within 1000 ms',
    false,
  ],
  ['a connection that was made, and timed out', 'Error', 'ETIMEDOUT', 'read ETIMEDOUT', true],
  [
    'TLS that broke, nobody knows when',
    'Error',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'wrong version number',
    true,
  ],
  [
    'an alert in TLS, nobody knows when',
    'Error',
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    'tlsv1 alert internal error',
    true,
  ],
  ['a record of TLS that cannot be read', 'Error', 'ERR_SSL_BAD_RECORD_TYPE', 'bad record type', true],
  ['a TLS handshake that failed', 'Error', 'EPROTO', 'write EPROTO 40F3:error:0A00010B:SSL routines', false],
  ['a host without an address', 'Error', 'ENOTFOUND', 'getaddrinfo ENOTFOUND sqs.invalid', false],
])('%s: may have arrived only where it was made', (_, name, code, message, mayHaveArrived) => {
  const error = Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });
  expect(sendFailureOf(error)).toEqual({ kind: 'transient', mayHaveArrived });
});

test.each<[string, string, { code?: string }, string, number, boolean]>([
  ['the code of a connection', 'ServiceUnavailable', { code: 'ECONNREFUSED' }, 'no', 503, true],
  ['the text of one', 'ServiceUnavailable', {}, 'connect ECONNREFUSED 10.0.0.1:443', 503, true],
  ['both, and that it slows down', 'RequestThrottled', { code: 'ECONNRESET' }, 'connect E', 400, false],
])('an answer with %s has come from somewhere', (_, code, fields, message, status, mayHaveArrived) => {
  const read = { $fault: 'server', $metadata: { httpStatusCode: status }, __type: code };
  const error = sqsError(Object.assign(new Error(message), read, fields, { name: fields.code ?? code }));
  expect(sendFailureOf(error)).toEqual({ kind: 'transient', mayHaveArrived });
});

test('an answer is named by its own code, whatever else it has that looks like one', () => {
  const read = {
    $fault: 'client',
    $metadata: { httpStatusCode: 403 },
    __type: 'com.amazonaws.sqs#AccessDenied',
  };
  const error = sqsError(Object.assign(new Error('no'), read, { name: 'ECONNRESET', code: 'ECONNRESET' }));
  expect(sendFailureOf(error)).toEqual({ kind: 'final', mayHaveArrived: false });
});
