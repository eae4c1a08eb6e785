/** Looks at the tasks of jobs in the background, one job at a time, and keeps the latest results. */
import { CommandError } from '../../errors.ts';
import { PageError } from '../pages/page-error.ts';
import { type ApiAway, apiAway, type OnApiAway } from './api-away.ts';

export type LookSeen<Found> =
  | {
      readonly state: 'looking';
      readonly tasks: number;
      readonly of: number;
      /** Set while the API does not answer. */
      readonly away?: ApiAway | undefined;
    }
  | { readonly state: 'seen'; readonly found: Found }
  | { readonly state: 'failed'; readonly why: string }
  /** It was begun, in epoch milliseconds and by whom, but its end is unknown: most likely its console ended first. */
  | { readonly state: 'cut-off'; readonly since: number; readonly who: string };

/** Receives the progress of a look. */
export interface LookTold {
  readonly onTask: (count: number) => void;
  readonly onAway: OnApiAway;
}

export interface LooksOptions {
  /** The refusal of another look in the meantime: a sentence. */
  readonly busy: string;
  readonly onError: (error: unknown) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Number of jobs whose results are kept. */
const MOST = 20;

export class Looks<Found> {
  readonly #options: LooksOptions;
  readonly #seen = new Map<string, LookSeen<Found>>();
  readonly #stop = new AbortController();
  #isFree = true;
  #work: Promise<void> | undefined;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  of(jobId: string): LookSeen<Found> | undefined {
    return this.#seen.get(jobId);
  }

  /**
   * Resolves when the look has begun. From the call on, no other look can begin.
   * @param of number of tasks. @param agree approves the look: if it throws, nothing has begun.
   * @throws PageError while another look is in progress or about to begin, and what `agree` throws.
   */
  async begin(
    jobId: string,
    of: number,
    agree: () => Promise<void>,
    look: (signal: AbortSignal, told: LookTold) => Promise<Found>,
  ): Promise<void> {
    if (!this.#isFree) throw new PageError(this.#options.busy, 429);
    this.#isFree = false;
    try {
      await agree();
    } catch (error) {
      this.#isFree = true;
      throw error;
    }
    this.#work = this.#look(jobId, of, look).finally(() => {
      this.#isFree = true;
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #look(jobId: string, of: number, look: Parameters<Looks<Found>['begin']>[3]): Promise<void> {
    const keep = (seen: LookSeen<Found>): void => {
      this.#seen.delete(jobId);
      this.#seen.set(jobId, seen);
      const [oldest] = this.#seen.keys();
      if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest);
    };
    let looking = { state: 'looking' as const, tasks: 0, of, away: undefined as ApiAway | undefined };
    const show = (change: Partial<typeof looking>): void => {
      looking = { ...looking, ...change };
      keep(looking);
    };
    show({});
    try {
      const found = await look(this.#stop.signal, {
        onTask: (tasks) => show({ tasks }),
        onAway: (failure) => show({ away: apiAway(failure, looking.away, this.#options.now()) }),
      });
      keep({ state: 'seen', found });
    } catch (error) {
      keep({ state: 'failed', why: error instanceof Error ? error.message : String(error) });
      if (!(error instanceof CommandError)) this.#options.onError(error);
    }
  }
}
