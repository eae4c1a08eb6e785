/**
 * Whether failures are the fault of their Identifiers, or of a cause common to all. PURE, except for its clock.
 *
 *   suspect ── a call for another Identifier, begun later, is answered well ─► at fault, for `lapseMs`
 *   suspect, at fault ── its own call is answered well ─► (forgotten)
 */

/** The most Identifiers kept of each kind; the oldest are forgotten first. */
const MAX_KEPT = 10_000;

/** How long a verdict on an Identifier holds, in milliseconds: permissions and services change. */
const LAPSE_MS = 10 * 60_000;

export class Suspects {
  readonly #now: () => number;
  readonly #lapseMs: number;
  /** By Identifier: its first failure since others were last answered, in order of time. */
  readonly #suspects = new Map<string, number>();
  /** By Identifier: when it was found to be at fault. */
  readonly #atFault = new Map<string, number>();

  /** @param now monotonic milliseconds. */
  constructor(now: () => number, lapseMs: number = LAPSE_MS) {
    this.#now = now;
    this.#lapseMs = lapseMs;
  }

  /** The number of Identifiers that have failed since any other was answered well. */
  get size(): number {
    return this.#suspects.size;
  }

  /** Whether it has failed, and it is unknown whether the fault is its own. */
  isSuspect(identifier: string): boolean {
    return this.#suspects.has(identifier) && !this.isAtFault(identifier);
  }

  /** Whether it failed although others were answered well. */
  isAtFault(identifier: string): boolean {
    const since = this.#atFault.get(identifier);
    return since !== undefined && this.#now() - since < this.#lapseMs;
  }

  /** A call for `identifier` has failed. */
  failed(identifier: string): void {
    if (!this.#suspects.has(identifier)) keep(this.#suspects, identifier, this.#now());
  }

  /** A call for `identifier`, begun at `startedAt`, was answered well. Cheap when nothing has failed. */
  answered(identifier: string, startedAt: number): void {
    if (this.#atFault.size > 0) this.#atFault.delete(identifier);
    if (this.#suspects.size === 0) return;
    this.#suspects.delete(identifier);
    for (const [suspect, failedAt] of this.#suspects) {
      if (failedAt > startedAt) return;
      this.condemn(suspect);
    }
  }

  /** `identifier` is found to be at fault, by evidence from elsewhere. */
  condemn(identifier: string): void {
    this.#suspects.delete(identifier);
    this.#atFault.delete(identifier);
    keep(this.#atFault, identifier, this.#now());
  }

  /** The failures so far had a common cause. Earlier verdicts stay. */
  acquit(): void {
    this.#suspects.clear();
  }
}

function keep(kept: Map<string, number>, identifier: string, at: number): void {
  if (kept.size >= MAX_KEPT) {
    const [oldest] = kept.keys();
    if (oldest !== undefined) kept.delete(oldest);
  }
  kept.set(identifier, at);
}
