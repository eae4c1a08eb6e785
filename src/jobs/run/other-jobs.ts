/**
 * The jobs that are sent beside one, by whichever process: what is in flight is shared with them by priority. Each sender looks for
 * itself, so that no process has to hand out shares.
 */
import type { Clock } from '../../time/clock.ts';
import type { Counts, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { DEFAULT_PRIORITY, type JobSettings } from '../rules/settings.ts';
import { shareOf, WINDOW_SECONDS } from '../rules/window.ts';
import { decideOn, Pace } from './progress.ts';

/** Looked for so often, in milliseconds. */
const LOOK_MS = 500;

export interface Beside {
  /** The job's share of what may be in flight, 0-1; 1 when there are no others. */
  readonly share: number;
  /** Rows of the others that end per second. */
  readonly othersPerSecond: number;
  /** Rows in flight of those that take no share, as far as they end. */
  readonly restInFlight: number;
}

export class OtherJobs {
  readonly #ledger: Pick<Ledger, 'activeJobs' | 'count' | 'isLeased'>;
  readonly #key: number;
  readonly #clock: Pick<Clock, 'monotonic' | 'wall'>;
  /** How fast the rows of each end, by the key of its job. */
  #paces = new Map<number, Pace>();
  #priorities: readonly number[] = [];
  #restInFlight = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param key of the job itself. */
  constructor(
    ledger: Pick<Ledger, 'activeJobs' | 'count' | 'isLeased'>,
    key: number,
    clock: Pick<Clock, 'monotonic' | 'wall'>,
  ) {
    this.#ledger = ledger;
    this.#key = key;
    this.#clock = clock;
  }

  /** @param settings of the job itself. */
  async look({ priority = DEFAULT_PRIORITY }: JobSettings): Promise<Beside> {
    if (this.#clock.monotonic() - this.#lookedAt >= LOOK_MS) await this.#count();
    const othersPerSecond = [...this.#paces.values()].reduce((sum, { perSecond }) => sum + perSecond, 0);
    return { share: shareOf(priority, this.#priorities), othersPerSecond, restInFlight: this.#restInFlight };
  }

  /** Only a job that has rows to send now, and a process that sends them, takes a share. */
  async #count(): Promise<void> {
    this.#lookedAt = this.#clock.monotonic();
    const paces = new Map<number, Pace>();
    const priorities: number[] = [];
    let restInFlight = 0;
    for (const job of await this.#ledger.activeJobs()) {
      const { key, plan } = job;
      if (key === this.#key) continue;
      const counts = await this.#ledger.count(key);
      const pace = this.#paces.get(key) ?? new Pace(this.#clock.monotonic, counts.ended);
      pace.observe(counts.ended);
      paces.set(key, pace);
      if (this.#hasToSend(job, counts, pace) && (await this.#ledger.isLeased(key)))
        priorities.push(plan.settings.priority ?? DEFAULT_PRIORITY);
      // Rows whose ends are lost would else be in the way of all other jobs for good.
      else restInFlight += Math.min(counts.inFlight, pace.perSecond * WINDOW_SECONDS);
    }
    this.#paces = paces;
    this.#priorities = priorities;
    this.#restInFlight = restInFlight;
  }

  #hasToSend(job: PlannedJob, counts: Counts, { perSecond }: Pace): boolean {
    if (job.plan.state.name !== 'running' || counts.planned === 0) return false;
    const { waitsFor, stop } = decideOn(job, counts, perSecond, { now: this.#clock.wall() });
    return waitsFor === undefined && stop === undefined;
  }
}
