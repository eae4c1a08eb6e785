/** The same request with the same key is done once: who sends it again gets the answer that it had. In memory. */
import { createHash } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { PageError } from '../pages/page-error.ts';

const MOST = 1_000;
const KEPT_MS = 86_400_000;

interface Kept {
  readonly request: string;
  readonly until: number;
  readonly answer: Promise<unknown>;
  /** Where a file came with it: that file, when the answer is there. */
  readonly file: FileSeen | undefined;
}

export class Idempotency {
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param who whose key it is. @param key undefined: it is done each time. @param request all that it says.
   * @param body where it is a stream, a file: its digest is taken while it is read, by `work` or, of a second request, here.
   * @throws PageError for a key that came with another request, and what `work` throws: then it may be tried again.
   */
  async once(
    who: string,
    key: string | undefined,
    request: readonly unknown[],
    body: unknown,
    work: (body: unknown) => Promise<unknown>,
  ): Promise<unknown> {
    if (key === undefined) return await work(body);
    if (key === '' || key.length > 200) throw new PageError('Idempotency-Key: give 1 to 200 characters.');
    const id = JSON.stringify([who, key]);
    const digest = createHash('sha256')
      .update(JSON.stringify(body instanceof Readable ? request : [request, body]))
      .digest('hex');
    const before = this.#kept.get(id);
    if (before !== undefined && before.until > this.#now()) {
      if (before.request === digest) {
        // To its end, first: who sends it listens for an answer only then.
        const sent = body instanceof Readable ? await digestOf(body) : undefined;
        const answer = await before.answer;
        if (sent === before.file?.digest) return answer;
      }
      throw new PageError('Idempotency-Key: this key came with another request before.', 422);
    }
    const file = body instanceof Readable ? new FileSeen(body) : undefined;
    const answer = work(file?.stream ?? body);
    this.#kept.set(id, { request: digest, until: this.#now() + KEPT_MS, answer, file });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#kept.delete(oldest);
    try {
      return await answer;
    } catch (error) {
      this.#kept.delete(id);
      throw error;
    }
  }
}

/** A file that is read by somebody else: what it was, once it has been. */
class FileSeen {
  /** To be read in place of what was given, and broken where that is. */
  readonly stream: Transform;
  readonly #hash = createHash('sha256');
  #digest = '';

  /** Once it was read. */
  get digest(): string {
    return this.#digest;
  }

  constructor(given: Readable) {
    this.stream = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#hash.update(chunk);
        done(null, chunk);
      },
      flush: (done) => {
        this.#digest = this.#hash.digest('hex');
        done();
      },
    });
    // Who reads it sees what goes wrong.
    pipeline(given, this.stream, () => {});
  }
}

async function digestOf(file: Readable): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of file) hash.update(chunk as Buffer);
  } catch {
    throw new PageError('The upload was cut before its end: nothing was kept. Send it again.');
  }
  return hash.digest('hex');
}
