/** The tokens with which people and scripts sign in. Only their digests are kept. PURE. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { type ConsoleToken, parseConsoleToken } from '../../config/console.ts';
import type { Role } from './visitor.ts';

/** A person or script that may sign in. */
export interface Holder {
  readonly name: string;
  readonly role: Role;
  /** Signs the holder's sessions. It depends only on the token, so a session survives a restart. */
  readonly key: Buffer;
  readonly digest: Buffer;
}

export function holdersOf(tokens: readonly ConsoleToken[]): readonly Holder[] {
  return tokens.map(({ name, role, token }) => {
    const digest = digestOf(token);
    return {
      name,
      role,
      digest,
      key: createHmac('sha256', digest).update(`session ${role} ${name}`).digest(),
    };
  });
}

/** The holder of a token. Takes the same time for any token: all are compared, by their whole digests. */
export function holderOf(holders: readonly Holder[], token: string): Holder | undefined {
  const digest = digestOf(token);
  let found: Holder | undefined;
  for (const holder of holders) if (timingSafeEqual(holder.digest, digest)) found ??= holder;
  return found;
}

/**
 * Parses the tokens of a file, one per line.
 * @returns also the number of the first faulty line, but never its content.
 */
export function parseTokens(text: string): readonly ConsoleToken[] | { readonly faultyLine: number } {
  const tokens: ConsoleToken[] = [];
  for (const [i, line] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const token = parseConsoleToken(line);
    if (token === undefined) return { faultyLine: i + 1 };
    tokens.push(token);
  }
  return tokens;
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
