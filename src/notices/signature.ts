/** Signs webhook requests as in Standard Webhooks 1.0, so that a receiver can use one of its libraries. PURE. */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** @returns the key's bytes; undefined for anything that is not a Standard Webhooks secret. */
export function secretKey(secret: string): Buffer | undefined {
  if (!secret.startsWith(PREFIX)) return undefined;
  const text = secret.slice(PREFIX.length);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length >= LEAST_BYTES && key.length <= MOST_BYTES ? key : undefined;
}

/**
 * The headers of a signed request.
 * @param keys several while a secret is being replaced: a receiver accepts the request if one of the signatures is right.
 * @param seconds the time of sending, in epoch seconds.
 */
export function signedHeaders(
  id: string,
  seconds: number,
  body: string,
  keys: readonly Buffer[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  };
}
