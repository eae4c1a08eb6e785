import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { secretKey, signedHeaders } from '../../src/notices/signature.ts';

const secretOf = (bytes: Uint8Array): string => `whsec_${Buffer.from(bytes).toString('base64')}`;
const keyOf = (secret: string): Buffer => {
  const key = secretKey(secret);
  if (key === undefined) throw new Error('no secret');
  return key;
};

describe('secretKey', () => {
  test.each([
    ['24 bytes', secretOf(randomBytes(24)), true],
    ['64 bytes', secretOf(randomBytes(64)), true],
    ['23 bytes', secretOf(randomBytes(23)), false],
    ['65 bytes', secretOf(randomBytes(65)), false],
    ['no prefix', randomBytes(32).toString('base64'), false],
    ['no base64', `whsec_${'!'.repeat(40)}`, false],
    ['a password', 'hunter2', false],
    ['nothing', '', false],
  ])('%s', (_, secret, good) => {
    expect(secretKey(secret) !== undefined).toBe(good);
  });
});

describe('signedHeaders', () => {
  test('is what the library of Standard Webhooks accepts, whatever the body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 64 }), fc.jsonValue(), (bytes, value) => {
        const secret = secretOf(bytes);
        const body = JSON.stringify(value);
        const headers = signedHeaders('id-1', Math.floor(Date.now() / 1_000), body, [keyOf(secret)]);
        expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
      }),
    );
  });

  test('is no longer accepted when body, id or time differ', () => {
    const secret = secretOf(randomBytes(32));
    const now = Math.floor(Date.now() / 1_000);
    const headers = signedHeaders('id-1', now, '{"a":1}', [keyOf(secret)]);
    const receiver = new Webhook(secret);
    expect(() => receiver.verify('{"a":2}', headers)).toThrow();
    expect(() => receiver.verify('{"a":1}', { ...headers, 'webhook-id': 'id-2' })).toThrow();
    expect(() => receiver.verify('{"a":1}', { ...headers, 'webhook-timestamp': String(now + 1) })).toThrow();
    expect(() => new Webhook(secretOf(randomBytes(32))).verify('{"a":1}', headers)).toThrow();
  });

  test('is accepted with either secret while one is replaced', () => {
    const [former, next] = [secretOf(randomBytes(32)), secretOf(randomBytes(32))];
    const headers = signedHeaders('id', Math.floor(Date.now() / 1_000), '1', [next, former].map(keyOf));
    for (const secret of [former, next]) expect(new Webhook(secret).verify('1', headers)).toBe(1);
  });
});
