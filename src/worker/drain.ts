/** The end of the work: what waits is given back, what is called for is finished, and every settlement is seen through. */
import type { GiveBacks } from './give-backs.ts';
import type { Holdings } from './holdings.ts';
import type { Stages } from './stages.ts';

export interface DrainOptions {
  readonly stages: Pick<Stages, 'receiver' | 'settler'>;
  readonly holdings: Holdings;
  readonly giveBacks: GiveBacks;
}

export class Drain {
  readonly #options: DrainOptions;
  #letGoNext = Promise.withResolvers<void>();

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Receives no more and resolves once nothing is in hand. */
  async run(): Promise<void> {
    const { stages, holdings, giveBacks } = this.#options;
    const { receiver, settler } = stages;
    receiver.close();
    const held = [...holdings];
    giveBacks.all();
    settler.releaseUnsendable();
    settler.flush();
    // A poll of ours that is still open would take what is released here, and hide it when it is cut.
    await this.#until(() => held.every((delivery) => delivery.calling || !holdings.has(delivery)));
    await receiver.stop(held.length > 0);
    await this.#until(() => holdings.size === 0);
  }

  /** Time is nearly up: calls are aborted and their messages released, unsent dead letters and outcomes too. */
  cutShort(deadline: AbortController): void {
    deadline.abort();
    for (const { cut } of this.#options.holdings) cut?.abort();
    this.#options.stages.settler.releaseUnsent();
  }

  /** A message has been let go. */
  letGo(): void {
    this.#letGoNext.resolve();
    this.#letGoNext = Promise.withResolvers();
  }

  /** Resolves when `done` holds; asks again whenever a message has been let go. */
  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      this.#options.stages.settler.flush();
      await this.#letGoNext.promise;
    }
  }
}

/** What closing takes once the work is over, the process's last lines included, in milliseconds. */
const CLOSING_MS = 400;

/**
 * When, from the word to stop, calls in flight are cut and when the drain is over, in milliseconds. Closing comes after
 * and must fit into the grace as well, also into one of a second or two.
 */
export function drainTimes(graceMs: number): { readonly cutMs: number; readonly endMs: number } {
  const endMs = graceMs - Math.max(graceMs * 0.05, Math.min(CLOSING_MS, graceMs * 0.25));
  return { cutMs: Math.min(graceMs * 0.8, endMs - graceMs * 0.1), endMs };
}
