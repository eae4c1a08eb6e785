/**
 * Trials: a 403 is not held against its message at once, because the policy may have been revoked for all updates.
 *
 *   on trial ── a later call for another Identifier succeeds ─► guilty
 *   on trial ── the term passes ─────────────────────────────► guilty, if nobody else is denied (deliver.ts)
 *   on trial ── interrupted (the gate closes for 403s, a shutdown) ─────► released
 */

export type Verdict = 'guilty' | 'released';

/** How long a single 403 waits for evidence, in milliseconds. */
export const TRIAL_MS = 30_000;

interface Trial {
  readonly identifier: string;
  readonly since: number;
  readonly decide: (verdict: Verdict) => void;
}

export class Trials {
  readonly #now: () => number;
  readonly #termMs: number;
  readonly #trials = new Set<Trial>();
  /** The open trials, in the order in which they began. */
  readonly open: ReadonlySet<unknown> = this.#trials;
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds. */
  constructor(now: () => number, termMs: number = TRIAL_MS) {
    this.#now = now;
    this.#termMs = termMs;
  }

  /**
   * Puts a denied update on trial.
   * @returns `verdict`, which resolves once there is evidence, the term is over, or `release` is called.
   */
  begin(identifier: string): { readonly verdict: Promise<Verdict>; readonly release: () => void } {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const trial: Trial = { identifier, since: this.#now(), decide: resolve };
    this.#trials.add(trial);
    this.#timer ??= setTimeout(() => this.#expire(), this.#termMs);
    return { verdict: promise, release: () => this.#end(trial, 'released') };
  }

  /**
   * A call for `identifier`, begun at `startedAt`, succeeded. The policy holds, so earlier denials were about their own updates.
   */
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
