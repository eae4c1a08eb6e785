/** The same request with the same key is done once: who sends it again gets the answer that it had. In memory. */
import { createHash } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { NotDone, OutcomeUnknown, PageError, PartlyDone } from '../pages/page-error.ts';

/** Of one who asks; of more than these the first is forgotten that is over. */
export const MOST_KEYS = 10_000;
const KEPT_MS = 86_400_000;

interface Kept {
  readonly request: string;
  readonly answer: Promise<unknown>;
  /** Where a file came with it: that file, when the answer is there. */
  readonly file: FileSeen | undefined;
  /** Infinity until it is over: nothing that goes on is forgotten. */
  until: number;
}

export class Idempotency {
  readonly #now: () => number;
  /** By whose they are. */
  readonly #kept = new Map<string, Map<string, Kept>>();

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param who whose key it is. @param key undefined: it is done each time. @param request all that it says.
   * @param body where it is a stream, a file: its digest is taken while it is read, by `work` or, of a second request, here.
   * @throws PageError for a key that came with another request, and what `work` throws: then it may be tried again, unless it is not known
   * whether it was done.
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
    const digest = createHash('sha256')
      .update(JSON.stringify(body instanceof Readable ? request : [request, body]))
      .digest('hex');
    const keys = this.#keysOf(who);
    const before = keys.get(key);
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
    const kept: Kept = { request: digest, answer, file, until: Number.POSITIVE_INFINITY };
    // The last one is the last of the map, too.
    keys.delete(key);
    keys.set(key, kept);
    if (keys.size > MOST_KEYS) forgetOne(keys);
    try {
      return await answer;
    } catch (error) {
      if (!isToBeLookedAt(error)) keys.delete(key);
      throw error;
    } finally {
      kept.until = this.#now() + KEPT_MS;
    }
  }

  #keysOf(who: string): Map<string, Kept> {
    const keys = this.#kept.get(who) ?? new Map<string, Kept>();
    this.#kept.set(who, keys);
    return keys;
  }
}

/** It may be done, and nobody knows: who asks again by the same key is told the same, and does nothing twice. */
function isToBeLookedAt(error: unknown): boolean {
  return error instanceof OutcomeUnknown && !(error instanceof PartlyDone || error instanceof NotDone);
}

function forgetOne(keys: Map<string, Kept>): void {
  for (const [key, { until }] of keys) if (until !== Number.POSITIVE_INFINITY) return void keys.delete(key);
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
