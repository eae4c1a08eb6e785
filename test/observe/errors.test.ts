import { describe, expect, test } from 'vitest';
import { describeError } from '../../src/observe/errors.ts';

describe('describeError', () => {
  test('keeps name, message, code, status and request id, and nothing else', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      $metadata: { httpStatusCode: 500, requestId: 'req-1', attempts: 1 },
      $response: { headers: { authorization: 'secret' }, body: 'secret' },
      config: { credentials: 'secret' },
    });
    expect(describeError(error)).toEqual({
      name: 'Error',
      message: 'connect ECONNREFUSED',
      code: 'ECONNREFUSED',
      status: 500,
      requestId: 'req-1',
    });
  });

  test('shows nothing secret, whichever field quotes it', () => {
    const secret = 'x-amz-security-token:abc';
    const error = Object.assign(new Error(`no: ${secret}`), {
      name: secret,
      code: secret,
      $metadata: { requestId: secret },
    });
    expect(describeError(error)).toEqual({ name: '', message: 'no:', code: '', requestId: '' });
  });

  test('describes the failure of a batch entry', () => {
    expect(
      describeError({ key: 'handle', senderFault: false, code: 'InternalError', message: 'try again' }),
    ).toEqual({
      name: 'Error',
      message: 'try again',
      code: 'InternalError',
    });
  });

  test.each([undefined, null, 'text', 42, Symbol('s')])('describes %s, which is not an object', (thrown) => {
    expect(describeError(thrown)).toEqual({ name: 'Error', message: String(thrown) });
  });

  test('keeps the code of an AggregateError, which has no message of its own', () => {
    const error = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:1')], ''), {
      code: 'ECONNREFUSED',
    });
    expect(JSON.stringify(describeError(error))).toContain('ECONNREFUSED');
  });

  test('cuts a long message to 1,000 characters', () => {
    expect(describeError(new Error('x'.repeat(5_000))).message).toHaveLength(1_000);
  });

  test.each([
    "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:SECRET\n'",
    "does not match. The String-to-Sign should have been\n'AWS4-HMAC-SHA256\nSECRET'",
    "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=SECRET/20261123/eu-west-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=SECRET",
    "'AWS4-HMAC-SHA256' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential=SECRET'.",
  ])('leaves out the request that AWS quotes: %j', (message) => {
    expect(JSON.stringify(describeError(new Error(message)))).not.toContain('SECRET');
  });
});
