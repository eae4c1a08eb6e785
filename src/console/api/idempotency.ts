/** Executes a request once per key: if it is sent again, the sender gets the first answer. In memory. */
import { createHash } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { NotDone, OutcomeUnknown, PageError, PartlyDone } from '../pages/page-error.ts';

/** Keys remembered per sender. Beyond that, the oldest completed one is forgotten. */
export const MOST_KEYS = 10_000;
const KEPT_MS = 86_400_000;

interface Kept {
  readonly request: string;
  readonly answer: Promise<unknown>;
  /** If the request had a file: that file, available when the answer is. */
  readonly file: FileSeen | undefined;
  /** Infinity until the request is over: a request in progress is never forgotten. */
  until: number;
}

export class Idempotency {
  readonly #now: () => number;
  /** By sender. */
  readonly #kept = new Map<string, Map<string, Kept>>();

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param who the owner of the key. @param key undefined: executed every time. @param request the request without its body.
   * @param body a stream if it is a file: its digest is computed while it is read, by `work` or, for a repeated request, here.
   * @throws PageError if the key came with another request; and what `work` throws. The request may then be tried again, unless it is
   * unknown whether it was executed.
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
        // Read the body to its end first: the sender waits for an answer only after that.
        const sent = body instanceof Readable ? await digestOf(body) : undefined;
        const answer = await before.answer;
        if (sent === before.file?.digest) return answer;
      }
      throw new PageError('Idempotency-Key: this key was used with another request before.', 422);
    }
    const file = body instanceof Readable ? new FileSeen(body) : undefined;
    const answer = work(file?.stream ?? body);
    const kept: Kept = { request: digest, answer, file, until: Number.POSITIVE_INFINITY };
    // Moves the latest key to the end of the map.
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

/** The outcome is unknown: a repeat with the same key gets the same answer, and nothing is done twice. */
function isToBeLookedAt(error: unknown): boolean {
  return error instanceof OutcomeUnknown && !(error instanceof PartlyDone || error instanceof NotDone);
}

function forgetOne(keys: Map<string, Kept>): void {
  for (const [key, { until }] of keys) if (until !== Number.POSITIVE_INFINITY) return void keys.delete(key);
}

/** A file that other code reads: computes its digest meanwhile. */
class FileSeen {
  /** Read this stream instead of the given one; it fails when the given one does. */
  readonly stream: Transform;
  readonly #hash = createHash('sha256');
  #digest = '';

  /** Valid when the file was read to its end. */
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
    // The reader of the stream sees errors.
    pipeline(given, this.stream, () => {});
  }
}

async function digestOf(file: Readable): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of file) hash.update(chunk as Buffer);
  } catch {
    throw new PageError('The upload was cut off: nothing was kept. Send it again.');
  }
  return hash.digest('hex');
}
