import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CallError,
  classify,
  type Failure,
  type FailureKind,
  MAX_RETRY_AFTER_MS,
  parseRetryAfter,
  waitAfter,
} from '../../src/message/failure.ts';

const now = Date.parse('2026-11-23T07:00:00Z');

/** Names of the SDK's for an answer without an AWS error code, and a gateway's own codes. */
const nameless = /^(|Error|SyntaxError|Unknown|UnknownError|\d+)$/;

/**
 * A failure with these facts; an answer without an AWS error code by default. One that has a name has it in AWS's header, as
 * the API's answers do.
 */
function failureOf(error: Partial<CallError>): Failure {
  const named = error.status !== undefined && error.name !== undefined && !nameless.test(error.name);
  const header = named && { errorType: error.name as string };
  return classify({ name: 'Unknown', message: 'it failed', ...header, ...error }, now);
}

/** A failure without a mark of the API: only what the body says. */
function unmarked(error: Partial<CallError>): Failure {
  return classify({ name: 'Unknown', message: 'it failed', ...error }, now);
}

describe('classify', () => {
  test.each<[FailureKind, string, Partial<CallError>]>([
    ['throttled', '429 ThrottlingException', { name: 'ThrottlingException', status: 429 }],
    ['throttled', '429 without a code', { status: 429 }],
    ['throttled', "429 of a proxy's page", { name: 'SyntaxError', status: 429 }],
    ['throttled', '429 with an unknown name', { name: 'EnhanceYourCalm', status: 429 }],
    ['throttled', '503 SlowDown', { name: 'SlowDown', status: 503 }],

    ['retryable', '500 InternalServerException', { name: 'InternalServerException', status: 500 }],
    ['retryable', '500 InternalFailureException', { name: 'InternalFailureException', status: 500 }],
    ['retryable', '503 ServiceUnavailableException', { name: 'ServiceUnavailableException', status: 503 }],
    ['retryable', '503 ServiceUnavailable', { name: 'ServiceUnavailable', status: 503 }],
    ['retryable', '500 without a code', { status: 500 }],
    ['retryable', '502 HTML page', { name: 'SyntaxError', status: 502 }],
    ['retryable', '503 HTML page', { name: 'SyntaxError', status: 503 }],
    ['retryable', '504 without a code', { status: 504 }],
    ['retryable', '529, a non-standard status', { status: 529 }],
    ['retryable', '500 with an unknown name', { name: 'KaboomException', status: 500 }],
    ['retryable', '408 RequestTimeoutException', { name: 'RequestTimeoutException', status: 408 }],
    ['retryable', '408 without a code', { status: 408 }],
    ['retryable', '400 RequestAbortedException', { name: 'RequestAbortedException', status: 400 }],
    ['retryable', 'a time-out without an answer', { name: 'TimeoutError' }],
    ['retryable', 'connection reset', { name: 'TimeoutError', code: 'ECONNRESET' }],
    ['unreachable', 'connection refused', { name: 'Error', code: 'ECONNREFUSED' }],
    ['unreachable', 'connection refused at every address', { name: 'AggregateError', code: 'ECONNREFUSED' }],
    ['retryable', 'broken pipe', { name: 'Error', code: 'EPIPE' }],
    ['unreachable', 'host not found', { name: 'Error', code: 'ENOTFOUND' }],
    ['unreachable', 'name server unreachable', { name: 'Error', code: 'EAI_AGAIN' }],
    ['unreachable', 'no route', { name: 'Error', code: 'EHOSTUNREACH' }],
    ['unreachable', 'an expired certificate', { name: 'Error', code: 'CERT_HAS_EXPIRED' }],
    ['retryable', 'an answer that is not HTTP', { name: 'HTTPParserError', code: 'HPE_INVALID_CONSTANT' }],
    ['retryable', 'closed without an answer', { name: 'RequestTimeout', code: 'UND_ERR_SOCKET' }],
    ['unreachable', 'no descriptor left', { name: 'Error', code: 'EMFILE' }],
    ['unreachable', 'no descriptor left in the system', { name: 'Error', code: 'ENFILE' }],
    ['unreachable', 'no network', { name: 'Error', code: 'ENETUNREACH' }],
    ['unreachable', 'no connection in time', { name: 'TimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' }],
    ['unreachable', 'a proxy without TLS', { name: 'SecureProxyConnectionError', code: 'UND_ERR_PRX_TLS' }],
    ['unreachable', 'a proxy that refuses the tunnel', { name: 'Error', code: 'ERR_PROXY_TUNNEL' }],
    ['unreachable', 'another host’s certificate', { name: 'Error', code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['unreachable', 'a self-signed certificate', { name: 'Error', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
    ['unreachable', 'no TLS at that port', { name: 'Error', code: 'ERR_SSL_WRONG_VERSION_NUMBER' }],
    ['unreachable', 'a TLS alert', { name: 'Error', code: 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE' }],
    ['unreachable', 'a firewall', { name: 'Error', code: 'EACCES', message: 'connect EACCES 10.0.0.1:443' }],
    [
      'unreachable',
      'a host that does not answer',
      { name: 'Error', code: 'ETIMEDOUT', message: 'connect ETIMEDOUT 10.0.0.1:443' },
    ],
    [
      'retryable',
      'a connection that times out',
      { name: 'Error', code: 'ETIMEDOUT', message: 'read ETIMEDOUT' },
    ],
    [
      'unreachable',
      'closed during the TLS handshake',
      {
        name: 'Error',
        code: 'ECONNRESET',
        message: 'Client network socket disconnected before secure TLS connection was established',
      },
    ],
    [
      'unreachable',
      'a proxy that refuses the tunnel',
      {
        name: 'AbortError',
        code: 'UND_ERR_ABORTED',
        message: 'Proxy response (407) !== 200 when HTTP Tunneling',
      },
    ],
    ['retryable', 'closed within the answer', { name: 'SocketError', code: 'UND_ERR_SOCKET' }],
    ['retryable', 'an answer that is not HTTP, without a code', { name: 'HTTPParserError' }],
    ['retryable', 'a 400 cut short', { name: 'SocketError', status: 400, code: 'UND_ERR_SOCKET' }],
    ['retryable', 'a 403 whose connection is reset', { name: 'Error', status: 403, code: 'ECONNRESET' }],

    ['conflict', '409 ConflictException', { name: 'ConflictException', status: 409 }],
    ['conflict', '400 ConflictException', { name: 'ConflictException', status: 400 }],
    ['conflict', '409 without a code', { status: 409 }],
    ['conflict', '425 without a code', { status: 425 }],

    ['rejected', '400 ValidationException', { name: 'ValidationException', status: 400 }],
    ['rejected', '400 InvalidRequestException', { name: 'InvalidRequestException', status: 400 }],
    ['rejected', '400 SerializationException', { name: 'SerializationException', status: 400 }],
    ['rejected', '402 ServiceQuotaExceededException', { name: 'ServiceQuotaExceededException', status: 402 }],
    ['rejected', '404 ResourceNotFoundException', { name: 'ResourceNotFoundException', status: 404 }],
    ['rejected', '400 LimitExceededException', { name: 'LimitExceededException', status: 400 }],
    ['rejected', '410 LimitExceededException', { name: 'LimitExceededException', status: 410 }],
    [
      'rejected',
      '413 RequestEntityTooLargeException',
      { name: 'RequestEntityTooLargeException', status: 413 },
    ],
    ['rejected', '418 with an unknown name', { name: 'TeapotException', status: 418 }],

    ['denied', '403 AccessDeniedException', { name: 'AccessDeniedException', status: 403 }],
    ['denied', '403 AccessDenied', { name: 'AccessDenied', status: 403 }],
    ['denied', '400 NotAuthorized', { name: 'NotAuthorized', status: 400 }],
    ['denied', '403 ForbiddenException', { name: 'ForbiddenException', status: 403 }],
    // AWS's lists of common errors have it with 400 as well.
    ['denied', '400 AccessDeniedException', { name: 'AccessDeniedException', status: 400 }],

    ['misconfigured', '403 ExpiredTokenException', { name: 'ExpiredTokenException', status: 403 }],
    ['misconfigured', '400 ExpiredToken', { name: 'ExpiredToken', status: 400 }],
    [
      'misconfigured',
      '403 UnrecognizedClientException',
      { name: 'UnrecognizedClientException', status: 403 },
    ],
    ['misconfigured', '403 InvalidSignatureException', { name: 'InvalidSignatureException', status: 403 }],
    [
      'misconfigured',
      '400 UnrecognizedClientException',
      { name: 'UnrecognizedClientException', status: 400 },
    ],
    ['misconfigured', '400 InvalidAction', { name: 'InvalidAction', status: 400 }],
    ['misconfigured', '401 NotAuthorized', { name: 'NotAuthorized', status: 401 }],
    ['misconfigured', '400 IncompleteSignature', { name: 'IncompleteSignature', status: 400 }],
    [
      'misconfigured',
      '403 IncompleteSignatureException',
      { name: 'IncompleteSignatureException', status: 403 },
    ],
    [
      'misconfigured',
      '403 MissingAuthenticationTokenException',
      { name: 'MissingAuthenticationTokenException', status: 403 },
    ],
    ['misconfigured', '403 MissingAuthenticationToken', { name: 'MissingAuthenticationToken', status: 403 }],
    ['misconfigured', '400 RequestExpired', { name: 'RequestExpired', status: 400 }],
    ['misconfigured', '403 OptInRequired', { name: 'OptInRequired', status: 403 }],
    ['misconfigured', '404 UnknownOperationException', { name: 'UnknownOperationException', status: 404 }],
    ['misconfigured', '403 InvalidClientTokenId', { name: 'InvalidClientTokenId', status: 403 }],
    ['misconfigured', '403 SignatureDoesNotMatch', { name: 'SignatureDoesNotMatch', status: 403 }],
    ['misconfigured', '403 RequestTimeTooSkewed', { name: 'RequestTimeTooSkewed', status: 403 }],
    ['misconfigured', '401 UnauthorizedException', { name: 'UnauthorizedException', status: 401 }],
    [
      'misconfigured',
      '403 SubscriptionRequiredException',
      { name: 'SubscriptionRequiredException', status: 403 },
    ],
    ['misconfigured', '403 NotSignedUp', { name: 'NotSignedUp', status: 403 }],
    ['misconfigured', '400 PendingVerification', { name: 'PendingVerification', status: 400 }],
    ['misconfigured', '400 RequestInTheFuture', { name: 'RequestInTheFuture', status: 400 }],
    ['misconfigured', 'a request that the client cannot make', { name: 'TypeError', sent: false }],
    ['misconfigured', 'a header that Node refuses', { name: 'TypeError', code: 'ERR_INVALID_CHAR' }],
    [
      'misconfigured',
      'a header that undici refuses',
      { name: 'InvalidArgumentError', code: 'UND_ERR_INVALID_ARG' },
    ],
    ['misconfigured', 'an endpoint that is no URL', { name: 'TypeError', code: 'ERR_INVALID_URL' }],
    ['misconfigured', 'a port that is none', { name: 'RangeError', code: 'ERR_SOCKET_BAD_PORT' }],
    ['misconfigured', 'no credentials found', { name: 'CredentialsProviderError' }],
    ['misconfigured', 'no token found', { name: 'TokenProviderError' }],
    ['misconfigured', 'FIPS with a custom endpoint', { name: 'EndpointError' }],

    // A proxy that wants to be logged in to is not the API, whatever the status.
    ['unidentified', '401 without a code', { status: 401 }],
    ['unidentified', "401 of a proxy's page", { name: 'SyntaxError', status: 401 }],
    ['unidentified', '404 without a code', { status: 404 }],
    ['unidentified', "404 of a proxy's page", { name: 'SyntaxError', status: 404 }],
    ['unidentified', '403 without a code', { status: 403 }],
    ['unidentified', "403 of a proxy's page", { name: 'SyntaxError', status: 403 }],
    ['unidentified', "400 of a proxy's page", { name: 'SyntaxError', status: 400 }],
    ['unidentified', "413 of a proxy's page", { name: 'SyntaxError', status: 413 }],
    ['unidentified', '407 without a code', { status: 407 }],
    ['unidentified', '404 with a numeric code', { name: '404', status: 404 }],
    ['unidentified', '403 with a numeric code', { name: '403', status: 403 }],
    ['unidentified', '404 with an empty name', { name: '', status: 404 }],
    ['unidentified', '200 instead of 204', { status: 200 }],
    ['unidentified', '202 instead of 204', { status: 202 }],
    ['unidentified', '301', { status: 301 }],
    ['unidentified', '302 HTML page', { name: 'SyntaxError', status: 302 }],
    ['unidentified', '304', { status: 304 }],

    ['internal', 'TypeError', { name: 'TypeError' }],
    ['internal', 'ReferenceError', { name: 'ReferenceError' }],
    ['internal', 'RangeError', { name: 'RangeError' }],
    ['internal', 'Error without anything', { name: 'Error' }],
    // Node's argument errors have a code, like its network errors.
    ['internal', 'TypeError ERR_INVALID_ARG_TYPE', { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }],
    ['internal', 'RangeError ERR_OUT_OF_RANGE', { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }],
  ])('classifies as %s: %s', (kind, _, error) => {
    expect(failureOf(error).kind).toBe(kind);
  });

  const throttledNames = [
    'ThrottlingException',
    'Throttling',
    'ThrottledException',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'RequestThrottled',
    'RequestThrottledException',
    'ProvisionedThroughputExceededException',
    'SlowDown',
    // The rest of the SDK's list (THROTTLING_ERROR_CODES) but LimitExceededException, which is a quota in the service's model.
    'BandwidthLimitExceeded',
    'EC2ThrottledException',
    'PriorRequestNotComplete',
    'TransactionInProgressException',
  ];
  test.each(
    throttledNames.flatMap((name) => [400, 403, 429, 500, 503].map((status) => [name, status] as const)),
  )('classifies %s as throttled at status %i', (name, status) => {
    expect(failureOf({ name, status }).kind).toBe('throttled');
  });

  test.each<[FailureKind, string, Partial<CallError>]>([
    ['rejected', 'a request id', { name: 'Whatever', requestId: 'r-1' }],
    ['rejected', "AWS's header", { name: 'WhateverException', errorType: 'WhateverException' }],
    ['rejected', "a name of the service's model", { name: 'ValidationException' }],
    ['unidentified', "a proxy's own code", { name: 'invalid_request' }],
    ['unidentified', 'a name that is not in the model', { name: 'WhateverException' }],
    ['unidentified', 'a name that other services of AWS have', { name: 'AccessDenied' }],
    ['unidentified', "a proxy's word for credentials", { name: 'Unauthorized' }],
    ['unidentified', "a proxy's word for throttling", { name: 'TooManyRequests' }],
  ])('takes a 400 for %s by %s', (kind, _, error) => {
    expect(unmarked({ status: 400, ...error }).kind).toBe(kind);
  });

  test('never attributes an answer without an AWS error name to the message', () => {
    const nameless = fc.constantFrom('', 'Unknown', 'UnknownError', 'Error', 'SyntaxError', '404', '0');
    fc.assert(
      fc.property(nameless, fc.integer({ min: 100, max: 599 }), (name, status) => {
        expect(['rejected', 'denied', 'internal']).not.toContain(failureOf({ name, status }).kind);
      }),
    );
  });

  test('never classifies an answer with a status as internal', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 100, max: 599 }), (name, status) => {
        expect(failureOf({ name, status }).kind).not.toBe('internal');
      }),
    );
  });

  test('matches names exactly', () => {
    expect(failureOf({ name: 'throttling', status: 400 }).kind).toBe('rejected');
    expect(failureOf({ name: 'constructor', status: 400 }).kind).toBe('rejected');
    expect(failureOf({ name: 'ExceptionExpiredToken', status: 400 }).kind).toBe('rejected');
  });
});

describe('a failure', () => {
  test('keeps name, status, request id and message', () => {
    const error = { name: 'ValidationException', message: 'no', status: 400, requestId: 'r-1' };
    expect(failureOf(error)).toEqual({ kind: 'rejected', ...error });
  });

  test('keeps the stack of internal errors only', () => {
    const stack = 'TypeError: x\n    at y';
    expect(failureOf({ name: 'TypeError', stack }).stack).toBe(stack);
    expect(failureOf({ name: 'ValidationException', status: 400, stack })).not.toHaveProperty('stack');
    expect(failureOf({ name: 'TimeoutError', stack })).not.toHaveProperty('stack');
  });

  test.each([
    ['a canonical string', 'The Canonical String for this request should have been\n'],
    ['a canonical string in other words', 'Canonical String for this request:\n'],
    ['a string to sign', "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n"],
  ])('drops what a signature error quotes after %s', (_, introduction) => {
    const message =
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret ' +
      `Access Key and signing method.\n\n${introduction}'PUT\n/ota-tasks/a1\n\nhost:x\n` +
      'x-amz-security-token:IQoJb3JpZ2luX2VjEHUNTER2\n';

    const failure = failureOf({ name: 'InvalidSignatureException', status: 403, message });

    expect(JSON.stringify(failure)).not.toMatch(/HUNTER2|security-token|AWS4-HMAC/);
    expect(failure.message).toMatch(/^The request signature we calculated does not match/);
  });

  test('has a message of one line of at most 1,000 characters', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ' ', '\n', '\r', '\t', '\u2028', 'é', '🚀'),
      maxLength: 3_000,
    });
    fc.assert(
      fc.property(text, (message) => {
        const kept = failureOf({ message }).message;
        expect(kept.length).toBeLessThanOrEqual(1_000);
        expect(kept).not.toMatch(/[\n\r\t\u2028]/);
      }),
    );
  });

  test('has a name of 1 to 200 characters', () => {
    expect(failureOf({ name: '', status: 500 }).name).toBe('Error');
    expect(failureOf({ name: 'x'.repeat(5_000), status: 500 }).name).toHaveLength(200);
  });

  test('keeps a Retry-After that can be parsed', () => {
    expect(failureOf({ status: 429, retryAfter: '3' }).retryAfterMs).toBe(3_000);
    expect(failureOf({ status: 503, retryAfter: '3' }).retryAfterMs).toBe(3_000);
    expect(failureOf({ status: 429, retryAfter: 'soon' })).not.toHaveProperty('retryAfterMs');
    expect(failureOf({ status: 429 })).not.toHaveProperty('retryAfterMs');
  });

  test.each([
    [
      'a clock of this machine that is off',
      'Mon, 23 Nov 2026 09:00:00 GMT',
      'Mon, 23 Nov 2026 09:00:10 GMT',
      10_000,
    ],
    ['no date', undefined, 'Mon, 23 Nov 2026 07:00:20 GMT', 20_000],
    ['a date that is none', 'now', 'Mon, 23 Nov 2026 07:00:20 GMT', 20_000],
    ['a date far off', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Mon, 23 Nov 2026 07:00:20 GMT', MAX_RETRY_AFTER_MS],
  ])("reads a Retry-After date by the answer's own date: %s", (_, date, retryAfter, ms) => {
    expect(failureOf({ status: 429, retryAfter, ...(date !== undefined && { date }) }).retryAfterMs).toBe(ms);
  });
});

describe('x-amz-retry-after', () => {
  test.each([
    ['0', 0],
    ['1500', 1_500],
    [' 20 ', 20],
  ])('of %j is kept as milliseconds', (awsRetryAfter, ms) => {
    expect(failureOf({ status: 429, awsRetryAfter }).awsRetryAfterMs).toBe(ms);
  });

  test.each(['', '-1', '1.5', '1e3', 'soon', 'NaN', '9'.repeat(400)])('of %j is ignored', (awsRetryAfter) => {
    expect(failureOf({ status: 429, awsRetryAfter })).not.toHaveProperty('awsRetryAfterMs');
  });

  test.each([
    ['shorter than the backoff', { awsRetryAfterMs: 100 }, 400, 400],
    ['longer than the backoff', { awsRetryAfterMs: 1_000 }, 400, 1_000],
    ['more than 5 s beyond the backoff', { awsRetryAfterMs: 60_000 }, 400, 5_400],
    [
      'beside a longer Retry-After: it counts alone',
      { awsRetryAfterMs: 1_000, retryAfterMs: 9_000 },
      400,
      1_000,
    ],
    ['absent: Retry-After is a lower bound', { retryAfterMs: 9_000 }, 400, 9_000],
    ['absent like Retry-After: the backoff', {}, 400, 400],
  ])('%s', (_, wanted, backoffMs, waited) => {
    expect(waitAfter(wanted, backoffMs)).toBe(waited);
  });

  test('never makes the wait shorter than the backoff, or longer by more than 5 s', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(60_000), (awsRetryAfter, backoffMs) => {
        const waited = waitAfter(failureOf({ status: 429, awsRetryAfter }), backoffMs);
        expect(waited).toBeGreaterThanOrEqual(backoffMs);
        expect(waited).toBeLessThanOrEqual(backoffMs + 5_000);
      }),
    );
  });
});

describe('parseRetryAfter', () => {
  test.each([
    ['seconds', '7', 7_000],
    ['zero', '0', 0],
    ['seconds with space around', ' 7 ', 7_000],
    ['a fraction of a second', '1.5', 1_500],
    ['just the cap', '900', MAX_RETRY_AFTER_MS],
    ['more than the cap', '901', MAX_RETRY_AFTER_MS],
    ['a number that overflows', '9'.repeat(400), MAX_RETRY_AFTER_MS],
    ['a date', 'Mon, 23 Nov 2026 07:00:10 GMT', 10_000],
    ['a date now', 'Mon, 23 Nov 2026 07:00:00 GMT', 0],
    ['a past date', 'Mon, 23 Nov 2026 06:59:50 GMT', 0],
    ['a date far ahead', 'Wed, 21 Oct 2099 07:28:00 GMT', MAX_RETRY_AFTER_MS],
    ['a date in RFC 850 format', 'Monday, 23-Nov-26 07:00:10 GMT', 10_000],
    ['a date in asctime format', 'Mon Nov 23 07:00:10 2026', 10_000],
  ])('reads %s', (_, header, ms) => {
    expect(parseRetryAfter(header, now)).toBe(ms);
  });

  test.each([
    ['nothing', ''],
    ['spaces', '  '],
    ['a word', 'soon'],
    ['words that end in a number', 'try again 2099'],
    ['a unit', '120s'],
    ['a number below zero', '-1'],
    ['two values in one', '5, 5'],
    ['another notation', '0x10'],
    ['an exponent', '1e3'],
    ['infinity', 'Infinity'],
    ['a date in local time', 'Mon, 23 Nov 2026 07:00:10'],
    ['a date with a zone', 'Mon, 23 Nov 2026 07:00:10 +0100'],
  ])('does not parse %s', (_, header) => {
    expect(parseRetryAfter(header, now)).toBeUndefined();
  });

  test('is never below 0 nor above 15 minutes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.date().map(String), fc.double().map(String)), (header) => {
        const ms = parseRetryAfter(header, now) ?? 0;
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(15 * 60_000);
      }),
    );
  });
});
