/**
 * The jobs that are sent beside one, by whichever process: what is in flight is shared with them by priority. Each sender looks for
 * itself, so that no process has to hand out shares.
 */
import type { Ledger } from '../ledger/ledger.ts';
import { DEFAULT_PRIORITY, type JobSettings } from '../rules/settings.ts';
import { shareOf } from '../rules/window.ts';
import { Pace } from './progress.ts';

/** Looked for so often, in milliseconds. */
const LOOK_MS = 500;

export interface Beside {
  /** The job's share of what may be in flight, 0-1; 1 when there are no others. */
  readonly share: number;
  /** Rows of the others that end per second. */
  readonly othersPerSecond: number;
}

export class OtherJobs {
  readonly #ledger: Pick<Ledger, 'activeJobs' | 'count' | 'isLeased'>;
  readonly #key: number;
  readonly #now: () => number;
  /** How fast the rows of each end, by the key of its job. */
  #paces = new Map<number, Pace>();
  #priorities: readonly number[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param key of the job itself. @param now milliseconds, monotonic. */
  constructor(ledger: Pick<Ledger, 'activeJobs' | 'count' | 'isLeased'>, key: number, now: () => number) {
    this.#ledger = ledger;
    this.#key = key;
    this.#now = now;
  }

  /** @param settings of the job itself. */
  async look({ priority = DEFAULT_PRIORITY }: JobSettings): Promise<Beside> {
    if (this.#now() - this.#lookedAt >= LOOK_MS) await this.#count();
    const othersPerSecond = [...this.#paces.values()].reduce((sum, { perSecond }) => sum + perSecond, 0);
    return { share: shareOf(priority, this.#priorities), othersPerSecond };
  }

  /** Only a job that has rows to send, and a process that sends them, takes a share; what is in flight of the others still ends. */
  async #count(): Promise<void> {
    this.#lookedAt = this.#now();
    const paces = new Map<number, Pace>();
    const priorities: number[] = [];
    for (const { key, plan } of await this.#ledger.activeJobs()) {
      if (key === this.#key) continue;
      const { ended, planned } = await this.#ledger.count(key);
      const pace = this.#paces.get(key) ?? new Pace(this.#now, ended);
      pace.observe(ended);
      paces.set(key, pace);
      if (plan.state.name === 'running' && planned > 0 && (await this.#ledger.isLeased(key)))
        priorities.push(plan.settings.priority ?? DEFAULT_PRIORITY);
    }
    this.#paces = paces;
    this.#priorities = priorities;
  }
}
