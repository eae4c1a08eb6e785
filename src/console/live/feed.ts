/**
 * What all viewers of a live page receive: made once for all of them, and only while somebody watches. Nothing is queued
 * for anybody: a slow viewer gets the newest state when ready, with the number of states missed.
 */

/** One state of the page. */
export interface Look {
  /** HTML, escaped. */
  readonly html: string;
  /** A named event in addition, such as a sample for a chart. */
  readonly event?: { readonly name: string; readonly data: unknown };
}

/** The page has been replaced by another one, such as a page with a form: the browser reloads it. */
export const RELOAD = { event: { name: 'reload', data: '' } } as const satisfies Partial<Look>;

export interface FeedOptions {
  /** Makes the next state; never rejects. */
  readonly look: () => Promise<Look>;
  readonly everyMs: number;
  /** Resolves after that time, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Seen extends Look {
  /** Counts from 1. */
  readonly number: number;
}

/** States: idle (nobody waits), looking (somebody waits), closed. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #closed = new AbortController();
  #state: 'idle' | 'looking' | 'closed' = 'idle';
  #last: Seen | undefined;
  #number = 0;
  #next = Promise.withResolvers<void>();
  #viewers = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get viewers(): number {
    return this.#viewers;
  }

  /** Each state from now on, always the newest; ends when the signal aborts or the feed is closed. */
  async *follow(signal: AbortSignal): AsyncGenerator<Seen & { readonly missed: number }> {
    this.#viewers++;
    const gone = Promise.withResolvers<void>();
    const leave = (): void => gone.resolve();
    signal.addEventListener('abort', leave, { once: true });
    if (this.#state === 'idle') void this.#run();
    let seen = 0;
    try {
      while (!signal.aborted && this.#state !== 'closed') {
        const last = this.#last;
        if (last === undefined || last.number === seen) {
          await Promise.race([this.#next.promise, gone.promise]);
          continue;
        }
        const missed = seen === 0 ? 0 : last.number - seen - 1;
        seen = last.number;
        yield { ...last, missed };
      }
    } finally {
      signal.removeEventListener('abort', leave);
      this.#viewers--;
    }
  }

  close(): void {
    this.#state = 'closed';
    this.#closed.abort();
    this.#next.resolve();
  }

  async #run(): Promise<void> {
    this.#state = 'looking';
    while (this.#viewers > 0 && !this.#closed.signal.aborted) {
      const look = await this.#options.look();
      this.#last = { ...look, number: ++this.#number };
      this.#next.resolve();
      this.#next = Promise.withResolvers();
      await this.#options.sleep(this.#options.everyMs, this.#closed.signal);
    }
    if (this.#state === 'looking') this.#state = 'idle';
    // It will be outdated when the next viewer comes.
    this.#last = undefined;
  }
}
