/** The tokens with which people and scripts sign in. Only digests of them are kept. PURE. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { type ConsoleToken, parseConsoleToken } from '../../config/console.ts';
import type { Role } from './visitor.ts';

/** One who may sign in. */
export interface Holder {
  readonly name: string;
  readonly role: Role;
  /** What their sessions are signed with: as long as the token is the same, a session outlives a restart. */
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

/** Whose token it is. Takes as long whatever the token is: each is compared, and none by its beginning. */
export function holderOf(holders: readonly Holder[], token: string): Holder | undefined {
  const digest = digestOf(token);
  let found: Holder | undefined;
  for (const holder of holders) if (timingSafeEqual(holder.digest, digest)) found ??= holder;
  return found;
}

/** The tokens of a file: one a line. @returns or the number of the first line that is none; never what is on it. */
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
