/** Looks at the tasks of jobs in the background, one job at a time, and keeps what it saw of the latest. */
import { CommandError } from '../../errors.ts';
import { PageError } from '../pages/page-error.ts';

export type LookSeen<Found> =
  | { readonly state: 'looking'; readonly tasks: number; readonly of: number }
  | { readonly state: 'seen'; readonly found: Found }
  | { readonly state: 'failed'; readonly why: string };

export interface LooksOptions {
  /** What is said of another one meanwhile: a sentence. */
  readonly busy: string;
  readonly onError: (error: unknown) => void;
}

/** Jobs of which it is kept what was seen. */
const MOST = 20;

export class Looks<Found> {
  readonly #options: LooksOptions;
  readonly #seen = new Map<string, LookSeen<Found>>();
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  of(jobId: string): LookSeen<Found> | undefined {
    return this.#seen.get(jobId);
  }

  /** @param of so many tasks. @throws PageError while it looks at another job. */
  begin(
    jobId: string,
    of: number,
    look: (signal: AbortSignal, onTask: (count: number) => void) => Promise<Found>,
  ): void {
    if (this.#work !== undefined) throw new PageError(this.#options.busy, 429);
    this.#work = this.#look(jobId, of, look).finally(() => {
      this.#work = undefined;
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #look(jobId: string, of: number, look: Parameters<Looks<Found>['begin']>[2]): Promise<void> {
    const keep = (seen: LookSeen<Found>): void => {
      this.#seen.delete(jobId);
      this.#seen.set(jobId, seen);
      const [oldest] = this.#seen.keys();
      if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest);
    };
    keep({ state: 'looking', tasks: 0, of });
    try {
      const found = await look(this.#stop.signal, (tasks) => keep({ state: 'looking', tasks, of }));
      keep({ state: 'seen', found });
    } catch (error) {
      keep({ state: 'failed', why: error instanceof Error ? error.message : String(error) });
      if (!(error instanceof CommandError)) this.#options.onError(error);
    }
  }
}
