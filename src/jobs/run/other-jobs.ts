/**
 * The other jobs that are being sent, by any process. All share what is in flight by priority. Each sender reads the
 * others' figures itself, so no process has to allocate shares.
 */
import type { Clock } from '../../time/clock.ts';
import type { Counts, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Beside, type Claim, claimOf, WINDOW_SECONDS } from '../rules/window.ts';
import { decideOn, Pace, ratesTogether, roundTripOf } from './progress.ts';

/** Interval between reads of the ledger, in milliseconds. */
const LOOK_MS = 500;
/** A job has no use for its share if none of its rows has ended for this long, in milliseconds. */
const QUIET_MS = 60_000;

export interface Others {
  readonly beside: Beside;
  /** Rows of all jobs that end per second. */
  readonly perSecond: number;
  /** The shortest time from sending rows of any of these jobs to seeing their ends. */
  readonly roundTripMs: number | undefined;
}

export class OtherJobs {
  readonly #ledger: Pick<Ledger, 'activeJobs' | 'count' | 'isLeased'>;
  readonly #key: number;
  readonly #clock: Pick<Clock, 'monotonic' | 'wall'>;
  /** How fast the rows of each other job end, by its key. */
  #paces = new Map<number, Pace>();
  #beside: Beside = { others: [], restInFlight: 0 };
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param key the key of the job itself. */
  constructor(
    ledger: Pick<Ledger, 'activeJobs' | 'count' | 'isLeased'>,
    key: number,
    clock: Pick<Clock, 'monotonic' | 'wall'>,
  ) {
    this.#ledger = ledger;
    this.#key = key;
    this.#clock = clock;
  }

  /** @param own how fast the rows of the job itself end. */
  async look(own: Pace): Promise<Others> {
    if (this.#clock.monotonic() - this.#lookedAt >= LOOK_MS) await this.#count();
    const paces = [own, ...this.#paces.values()];
    return { beside: this.#beside, perSecond: ratesTogether(paces), roundTripMs: roundTripOf(paces) };
  }

  /** Only a job that can send rows now, and that a process is sending, gets a share. */
  async #count(): Promise<void> {
    this.#lookedAt = this.#clock.monotonic();
    const paces = new Map<number, Pace>();
    const others: Claim[] = [];
    let restInFlight = 0;
    for (const job of await this.#ledger.activeJobs()) {
      const { key, plan } = job;
      if (key === this.#key) continue;
      const counts = await this.#ledger.count(key);
      const pace = this.#paces.get(key) ?? new Pace(this.#clock.monotonic, counts);
      pace.observe(counts);
      paces.set(key, pace);
      const most = this.#mostOf(job, counts, pace);
      if (most > 0 && (await this.#ledger.isLeased(key))) others.push(claimOf(plan.settings, most));
      // Capped: otherwise rows whose ends are lost would hold up all other jobs forever.
      else restInFlight += Math.min(counts.inFlight, pace.perSecond * WINDOW_SECONDS);
    }
    this.#paces = paces;
    this.#beside = { others, restInFlight };
  }

  #mostOf(job: PlannedJob, counts: Counts, { perSecond, quietMs }: Pace): number {
    if (job.plan.state.name !== 'running' || counts.planned === 0) return 0;
    // Its rows in flight keep it from sending.
    if (counts.inFlight > 0 && quietMs > QUIET_MS) return 0;
    return decideOn(job, counts, perSecond, { now: this.#clock.wall() }).most;
  }
}
