/**
 * Sessions that were signed out before their time: until then they are remembered, the latest of them. Sessions outlive the console,
 * and so does this: in a file of `STATE_DIR`, with the digest of each and its end, in which no session can be read.
 */
import { hash } from 'node:crypto';
import { causeOf } from '../../errors.ts';
import { readSmallFile, replaceSmallFile } from '../../files/small-file.ts';
import { SESSION_MS } from './session.ts';

const MOST = 10_000;
/** More than that many lines have. */
const MOST_BYTES = 1_000_000;
const LINE = /^([\w-]{43}|\*) (\d{1,15})$/;
/** In place of a digest: all that end by then. */
const ALL = '*';

export interface SignedOutOptions {
  /** undefined: in memory only. */
  readonly path?: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told what an operator should know. */
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

  /** With what an earlier process has kept. Where that cannot be read, whoever was signed in must sign in again. */
  static async open(options: SignedOutOptions): Promise<SignedOut> {
    const { path, now, say } = options;
    if (path === undefined) return new SignedOut(options);
    const file = await readSmallFile(path, { maxBytes: MOST_BYTES, links: false });
    if ('absent' in file) return new SignedOut(options);
    const ends = 'text' in file ? parse(file.text) : undefined;
    if (ends !== undefined) return new SignedOut(options, ends);
    const why = 'fault' in file ? file.fault : 'a line of it is none';
    say(`Who has signed out is not known (${path}: ${why}): whoever was signed in must sign in again.`);
    const all = new SignedOut(options, new Map([[ALL, now() + SESSION_MS]]));
    await all.#write();
    return all;
  }

  /** Counts at once. Resolves when it is kept, or cannot be: then that is said. */
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
        `A sign-out is not kept (${path}: ${causeOf(error)}): after a restart of the console that session is valid again until its end.`,
      );
    }
  }
}

function digestOf(id: string): string {
  return hash('sha256', id, 'base64url');
}

/** undefined: it is not what was written. */
function parse(text: string): Map<string, number> | undefined {
  const ends = new Map<string, number>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, digest, end] = LINE.exec(line) ?? [];
    if (digest === undefined) return undefined;
    ends.set(digest, Number(end));
  }
  return ends;
}
