/**
 * A session: the content of a signed-in user's cookie, signed with the key of the user's token. The console does not store it,
 * so a session survives a restart, and ends when the token is withdrawn. PURE.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Holder } from './tokens.ts';

/** 12 hours, a shift; in milliseconds. */
export const SESSION_MS = 12 * 3_600_000;

const contents = z.object({
  name: z.string(),
  role: z.enum(['viewer', 'operator']),
  until: z.number(),
  id: z.string(),
});

export interface Session {
  readonly holder: Holder;
  /** Identifies the session when it is signed out. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** @param id random, 128 bits. @returns the cookie's text. */
export function sealSession({ holder: { name, role, key }, id, until }: Session): string {
  const body = Buffer.from(JSON.stringify({ name, role, until, id })).toString('base64url');
  return `${body}.${signature(key, `session ${body}`)}`;
}

/** The session of a cookie; undefined if it is not ours, has ended, or its token is withdrawn. Never throws. */
export function openSession(cookie: string, holders: readonly Holder[], now: number): Session | undefined {
  if (cookie.length > MAX_COOKIE) return undefined;
  const [body = '', mac = '', ...more] = cookie.split('.');
  const read = contents.safeParse(parse(Buffer.from(body, 'base64url').toString()));
  if (!read.success || more.length > 0 || read.data.until <= now || read.data.until > now + SESSION_MS)
    return undefined;
  const { name, role, until, id } = read.data;
  const holder = holders.find(
    (each) => each.name === name && each.role === role && same(signature(each.key, `session ${body}`), mac),
  );
  return holder === undefined ? undefined : { holder, id, until };
}

const MAX_COOKIE = 1_024;

/** The token in every form of a page: for this session, or for a user whom a proxy names. */
export function formToken(key: Buffer, of: string): string {
  return signature(key, `form ${of}`);
}

/** Whether two texts are equal; the time taken does not reveal where they differ. */
export function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function signature(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
