/**
 * Remembers sessions that were signed out before their end, the latest of them. Sessions survive a restart of the console, so this
 * list does, too: a file in `STATE_DIR` has the digest and the end of each. A session cannot be derived from it.
 */
import { hash } from 'node:crypto';
import { causeOf } from '../../errors.ts';
import { readSmallFile, replaceSmallFile } from '../../files/small-file.ts';
import { SESSION_MS } from './session.ts';

const MOST = 10_000;
/** More than the maximum number of lines takes. */
const MOST_BYTES = 1_000_000;
const LINE = /^([\w-]{43}|\*) (\d{1,15})$/;
/** Replaces a digest: all sessions that end by then. */
const ALL = '*';

export interface SignedOutOptions {
  /** undefined: kept in memory only. */
  readonly path?: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Reports what an operator should know. */
  readonly say: (text: string) => void;
}

export class SignedOut {
  readonly #options: SignedOutOptions;
  /** Digest of the id to the end of the session, in epoch milliseconds. */
  readonly #ends: Map<string, number>;
  #written: Promise<void> = Promise.resolve();

  constructor(options: SignedOutOptions, ends = new Map<string, number>()) {
    this.#options = options;
    this.#ends = ends;
  }

  /** Starts with what an earlier process stored. If that cannot be read, everybody who was signed in must sign in again. */
  static async open(options: SignedOutOptions): Promise<SignedOut> {
    const { path, now, say } = options;
    if (path === undefined) return new SignedOut(options);
    const file = await readSmallFile(path, { maxBytes: MOST_BYTES, links: false });
    if ('absent' in file) return new SignedOut(options);
    const ends = 'text' in file ? parse(file.text) : undefined;
    if (ends !== undefined) return new SignedOut(options, ends);
    const why = 'fault' in file ? file.fault : 'one of its lines is not valid';
    say(
      `It is not known who has signed out (${path}: ${why}): everybody who was signed in must sign in again.`,
    );
    const all = new SignedOut(options, new Map([[ALL, now() + SESSION_MS]]));
    await all.#write();
    return all;
  }

  /** Takes effect at once. Resolves when stored, or when that has failed, which is reported. */
  async add(id: string, until: number): Promise<void> {
    const now = this.#options.now();
    for (const [old, end] of this.#ends) if (end <= now) this.#ends.delete(old);
    const oldest = [...this.#ends.keys()].find((key) => key !== ALL);
    if (this.#ends.size >= MOST && oldest !== undefined) this.#ends.delete(oldest);
    this.#ends.set(digestOf(id), until);
    this.#written = this.#written.then(() => this.#write());
    await this.#written;
  }

  has(id: string, until: number): boolean {
    return until <= (this.#ends.get(ALL) ?? 0) || this.#ends.has(digestOf(id));
  }

  async #write(): Promise<void> {
    const { path, say } = this.#options;
    if (path === undefined) return;
    const lines = [...this.#ends].map(([digest, end]) => `${digest} ${end}\n`);
    try {
      await replaceSmallFile(path, lines.join(''));
    } catch (error) {
      say(
        `A sign-out could not be saved (${path}: ${causeOf(error)}): after a restart of the console, that session is valid again until it expires.`,
      );
    }
  }
}

function digestOf(id: string): string {
  return hash('sha256', id, 'base64url');
}

/** undefined: not a text that this console wrote. */
function parse(text: string): Map<string, number> | undefined {
  const ends = new Map<string, number>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, digest, end] = LINE.exec(line) ?? [];
    if (digest === undefined) return undefined;
    ends.set(digest, Number(end));
  }
  return ends;
}
