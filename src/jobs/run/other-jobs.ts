/**
 * The jobs that are sent beside one, by whichever process: what is in flight is shared with them by priority. Each sender looks for
 * itself, so that no process has to hand out shares.
 */
import type { Clock } from '../../time/clock.ts';
import type { Counts, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Beside, type Claim, claimOf, WINDOW_SECONDS } from '../rules/window.ts';
import { decideOn, Pace, ratesTogether, roundTripOf } from './progress.ts';

/** Looked for so often, in milliseconds. */
const LOOK_MS = 500;
/** A job of whose rows none has ended for so long has no use for its share, in milliseconds. */
const QUIET_MS = 60_000;

export interface Others {
  readonly beside: Beside;
  /** Rows of all jobs that end per second. */
  readonly perSecond: number;
  /** The shortest time in which rows of any of them are sent and seen to have ended. */
  readonly roundTripMs: number | undefined;
}

export class OtherJobs {
  readonly #ledger: Pick<Ledger, 'activeJobs' | 'count' | 'isLeased'>;
  readonly #key: number;
  readonly #clock: Pick<Clock, 'monotonic' | 'wall'>;
  /** How fast the rows of each end, by the key of its job. */
  #paces = new Map<number, Pace>();
  #beside: Beside = { others: [], restInFlight: 0 };
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

  /** @param own how fast the rows of the job itself end. */
  async look(own: Pace): Promise<Others> {
    if (this.#clock.monotonic() - this.#lookedAt >= LOOK_MS) await this.#count();
    const paces = [own, ...this.#paces.values()];
    return { beside: this.#beside, perSecond: ratesTogether(paces), roundTripMs: roundTripOf(paces) };
  }

  /** Only a job that can send rows now, and a process that sends them, takes a share. */
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
      // Rows whose ends are lost would else be in the way of all other jobs for good.
      else restInFlight += Math.min(counts.inFlight, pace.perSecond * WINDOW_SECONDS);
    }
    this.#paces = paces;
    this.#beside = { others, restInFlight };
  }

  #mostOf(job: PlannedJob, counts: Counts, { perSecond, quietMs }: Pace): number {
    if (job.plan.state.name !== 'running' || counts.planned === 0) return 0;
    // What it has in flight keeps it from sending.
    if (counts.inFlight > 0 && quietMs > QUIET_MS) return 0;
    return decideOn(job, counts, perSecond, { now: this.#clock.wall() }).most;
  }
}
