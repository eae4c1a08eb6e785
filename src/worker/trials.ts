/**
 * Trials: a message answered 403 is not blamed at once, because the policy may have been revoked for all (design 2.2).
 *
 *   on trial ── a later call for another Identifier succeeds ─► guilty
 *   on trial ── the term passes without a run of 403s ───────► guilty
 *   on trial ── interrupted (a run, shutdown) ───────────────► released
 */
import type { Interruption } from '../ota/interruption.ts';

export type Verdict = 'guilty' | 'released';

/** How long a lone 403 waits for evidence, in milliseconds (design 2.2). */
export const TRIAL_MS = 30_000;

interface Trial {
  readonly identifier: string;
  readonly since: number;
  readonly decide: (verdict: Verdict) => void;
}

export class Trials {
  readonly #now: () => number;
  readonly #termMs: number;
  /** In order of `since`. */
  readonly #trials = new Set<Trial>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds. */
  constructor(now: () => number, termMs: number = TRIAL_MS) {
    this.#now = now;
    this.#termMs = termMs;
  }

  get size(): number {
    return this.#trials.size;
  }

  /** Puts a denied update on trial until there is evidence, the term is over, or it is interrupted. */
  async hold(identifier: string, interruption: Interruption): Promise<Verdict> {
    if (interruption.requested !== undefined) return 'released';
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const trial: Trial = { identifier, since: this.#now(), decide: resolve };
    this.#trials.add(trial);
    interruption.onRequest(() => this.#end(trial, 'released'));
    this.#timer ??= setTimeout(() => this.#expire(), this.#termMs);
    const verdict = await promise;
    interruption.onRequest(undefined);
    return verdict;
  }

  /** A call for `identifier`, begun at `startedAt`, succeeded: whoever was denied before it has no excuse left. */
  observeApplied(identifier: string, startedAt: number): void {
    for (const trial of this.#trials) {
      if (trial.since > startedAt) return;
      if (trial.identifier !== identifier) this.#end(trial, 'guilty');
    }
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (const trial of this.#trials) {
      const left = trial.since + this.#termMs - now;
      if (left > 0) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(left));
        return;
      }
      this.#end(trial, 'guilty');
    }
  }

  #end(trial: Trial, verdict: Verdict): void {
    if (!this.#trials.delete(trial)) return;
    trial.decide(verdict);
    if (this.#trials.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }
}
