import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remoteName, remoteStack, remoteText } from '../../src/text/remote.ts';

/** As STS makes them: base64 of a few hundred bytes. */
const token = `IQoJb3JpZ2luX2VjE${'Xq7+Zk9/aB3'.repeat(40)}==`;

/** SQS's own text, with the request that it quotes. */
const invalidSignature = `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.

The Canonical String for this request should have been
'POST
/

host:sqs.eu-west-1.amazonaws.com
x-amz-security-token:${token}

host;x-amz-security-token'`;

test.each([
  ['a signed request', invalidSignature, /Check your AWS Secret Access Key.*for details\.$/],
  ['an authorization header', `Authorization=AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=${token}`, /^$/],
  ['a bearer token', `401 for "Bearer ${token}"`, /^401 for "\[removed\]"$/],
  ['basic credentials', 'proxy refused Basic dXNlcjpwYXNzd29yZA==', /^proxy refused \[removed\]$/],
  ['a token without a name', `the token ${token} is not valid`, /^the token \[removed\] is not valid$/],
  ['a token in JSON', `{"SessionToken":"${token}"}`, /^\{"$/],
  ['a token in XML', `<Error><SessionToken>${token}</SessionToken>`, /^<Error><$/],
  ['a secret key by its name', 'SecretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', /^$/],
  ['an access key id', 'The key AKIAIOSFODNN7EXAMPLE is unknown', /^The key \[removed\] is unknown$/],
  ['a JWT', 'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', /^token \[removed\]$/],
  [
    'a password in a URL',
    'connect rediss://user:hunter2@cache:6379',
    /^connect rediss:\/\/\[removed\]@cache:6379$/,
  ],
  ['a presigned URL', `https://x/?a=1&X-Amz-Signature=${token}`, /^https:\/\/x\/\?a=1&$/],
])('shows nothing secret of %s', (_what, text, shown) => {
  expect(remoteText(text)).toMatch(shown);
  expect(remoteText(text)).not.toMatch(/Xq7\+|hunter2|wJalr|IOSFODNN/);
});

test.each([
  'User: arn:aws:sts::111122223333:assumed-role/updates/0123456789abcdef is not authorized to perform: sqs:SendMessage',
  'The security token included in the request is invalid',
  'The basic authentication of the proxy failed',
  `Task ${'x'.repeat(200)} was not found`,
  `digest ${'0123456789abcdef'.repeat(8)}`,
  'Signature expired: 20261128T070000Z is now earlier than 20261128T071500Z',
])('keeps %j', (text) => {
  expect(remoteText(text)).toBe(text);
});

test('is one line of at most 1,000 characters, a name at most 200; a stack keeps its lines', () => {
  expect(remoteText(' a\n\tb ')).toBe('a b');
  expect(remoteText('x '.repeat(9_000))).toHaveLength(1_000);
  expect(remoteName('x'.repeat(300))).toHaveLength(200);
  expect(remoteText(`${'x'.repeat(999)}🎉`)).toBe('x'.repeat(999));
  expect(remoteStack(`Error: ${token}\n    at a.ts:1`)).toBe('Error: [removed]\n    at a.ts:1');
});

describe('of whatever text', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const session = fc
    .array(fc.integer({ min: 0, max: 63 }), { minLength: 200, maxLength: 1_500 })
    .map((bytes) => `aB1${bytes.map((byte) => alphabet[byte]).join('')}`);
  const filler = fc.oneof(fc.constant('word '), fc.constant('\n'), fc.constant('é, '));

  test('shows no part of a session token, wherever in the text it is', () => {
    fc.assert(
      fc.property(
        session,
        filler,
        fc.nat(9_000),
        fc.constantFrom('', 'x-amz-security-token:'),
        (secret, pad, at, name) => {
          const text = `${pad.repeat(at / pad.length)} ${name}${secret} ${pad.repeat(3_000)}`;
          const shown = remoteText(text) + remoteName(text) + remoteStack(text);
          for (let i = 0; i + 24 <= secret.length; i += 8)
            expect(shown).not.toContain(secret.slice(i, i + 24));
        },
      ),
    );
  });

  test('looks at a bounded part of it', () => {
    // A text that cannot be searched: only its beginning may be asked for.
    const huge = {
      length: 2 ** 31,
      slice: (from: number, to: number) => 'word '.repeat((to - from) / 5 + 1),
      charAt: () => ' ',
    };
    expect(remoteStack(huge as unknown as string)).toHaveLength(8_192);
  });

  test.each([[['x']], [5], [null], [undefined], [{ message: 'x' }]])(
    'nothing of what is no text: %j',
    (said) => {
      expect([remoteText(said), remoteName(said)]).toEqual(['', '']);
    },
  );
});

test('leaves out what the SDK adds for who has the error object', () => {
  const hint =
    'Deserialization error: to see the raw response, inspect the hidden field {error}.$response on this object.';
  expect(remoteText(`aborted\n  ${hint}`)).toBe('aborted');
});
