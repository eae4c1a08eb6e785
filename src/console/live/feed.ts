/**
 * What is sent to everybody who looks at a live page: made once, whoever looks, and only while somebody does. Nothing is queued
 * for anybody: who is slow gets the newest when they can take it, and is told how many they have missed.
 */

/** One state of what is shown. */
export interface Look {
  /** HTML, made safe. */
  readonly html: string;
  /** A named event beside it: a sample for a chart, say. */
  readonly event?: { readonly name: string; readonly data: unknown };
}

/** What is shown has become another page, such as one with a form: the browser loads it. */
export const RELOAD = { event: { name: 'reload', data: '' } } as const satisfies Partial<Look>;

export interface FeedOptions {
  /** Makes the next look; never rejects. */
  readonly look: () => Promise<Look>;
  readonly everyMs: number;
  /** Resolves after that time, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Seen extends Look {
  /** Counts up from 1. */
  readonly number: number;
}

/** States: idle (nobody waits), looking (somebody does), closed. */
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

  /** Each look from now on, the newest first; ends when the signal aborts or the feed is closed. */
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
    // It is old when the next one comes to look.
    this.#last = undefined;
  }
}
