/** The same request with the same key is done once: who sends it again gets the answer that it had. In memory. */
import { createHash } from 'node:crypto';
import { PageError } from '../pages/page-error.ts';

const MOST = 1_000;
const KEPT_MS = 86_400_000;

interface Kept {
  readonly request: string;
  readonly until: number;
  readonly answer: Promise<unknown>;
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
   * @throws PageError for a key that came with another request, and what `work` throws: then it may be tried again.
   */
  async once(
    who: string,
    key: string | undefined,
    request: readonly unknown[],
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    if (key === undefined) return await work();
    if (key === '' || key.length > 200) throw new PageError('Idempotency-Key: give 1 to 200 characters.');
    const id = JSON.stringify([who, key]);
    const digest = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    const before = this.#kept.get(id);
    if (before !== undefined && before.until > this.#now()) {
      if (before.request === digest) return await before.answer;
      throw new PageError('Idempotency-Key: this key came with another request before.', 422);
    }
    const answer = work();
    this.#kept.set(id, { request: digest, until: this.#now() + KEPT_MS, answer });
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
