import { expect, test } from 'vitest';
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
  ['a host without an address', 'Error', 'ENOTFOUND', 'getaddrinfo ENOTFOUND sqs.invalid', false],
])('%s: may have arrived only where it was made', (_, name, code, message, mayHaveArrived) => {
  const error = Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });
  expect(sendFailureOf(error)).toEqual({ kind: 'transient', mayHaveArrived });
});
