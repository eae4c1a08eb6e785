/**
 * Sends what is planned of a job and follows it to its end:
 *
 *   sending    planned rows go out while the window, and the canary, leave room
 *   following  nothing is left to send, or a guard stopped the sending: rows in flight are waited for
 *   ended      every row has ended, or the sending was stopped and nothing is in flight
 *
 * All state is in the ledger, so that a resume continues after a kill in any of these.
 */
import { BATCH_SIZE } from '../../queue/batch.ts';
import type { Clock } from '../../time/clock.ts';
import type { Counting, Counts, PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import { awaitsCanary, canaryHasPassed, countFrom, endsSince, room, stopReason } from './guards.ts';
import { type JobView, Pace, viewOf } from './progress.ts';
import { type SendRowsOptions, sendRows } from './send-rows.ts';
import type { Wakeup } from './wakeup.ts';

/** Rows claimed at once: few, so that a stop takes effect soon. */
const CHUNK_ROWS = 200;
/** Other processes may store outcomes of this job: look at the ledger so often without being woken, in milliseconds. */
const LOOK_MS = 500;
/** How often the run is noted in the ledger, in milliseconds: what a killed process did is known by its last note. */
const NOTE_MS = 10_000;
/** How long a stopped job waits for the next row in flight to end, in milliseconds. */
const QUIET_MS = 60_000;

export interface RunOptions extends Pick<SendRowsOptions, 'queueUrl' | 'send' | 'sleep' | 'random'> {
  readonly ledger: Pick<Ledger, 'count' | 'control'>;
  readonly lease: Lease;
  readonly job: PlannedJob;
  /** Woken when outcomes have been stored. */
  readonly wakeup: Wakeup;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Called at every step, at least twice a second. May throw to end the run. */
  readonly onView: (view: JobView) => void;
}

export interface RunEnd {
  readonly end: 'done' | 'stopped' | 'interrupted' | 'failed';
  /** Why, as a sentence without its full stop; undefined when done. */
  readonly reason: string | undefined;
  /** Rows that this run sent again, not knowing whether an earlier sending had arrived. */
  readonly maybeTwice: number;
}

/** Never rejects for what SQS answers. */
export async function runJob(options: RunOptions): Promise<RunEnd> {
  const { ledger, lease, job, clock } = options;
  const recovered = await lease.recover();
  const counts = await ledger.count(job.key);
  // The user has seen why it stopped and continues: count from here.
  const counting = job.plan.stopped === undefined ? job.plan.counting : countFrom(counts);
  await ledger.control(job.key, { counting, stopped: undefined });
  return await new Run(options, counting, new Pace(clock.monotonic, counts.ended), recovered).toTheEnd();
}

class Run {
  readonly #options: RunOptions;
  readonly #pace: Pace;
  #counting: Counting;
  #maybeTwice: number;
  /** Why a guard stopped the sending. */
  #stopped: string | undefined;
  #failure: string | undefined;
  readonly #startedAt: number;
  #sent = false;
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RunOptions, counting: Counting, pace: Pace, recovered: number) {
    this.#options = options;
    this.#counting = counting;
    this.#pace = pace;
    this.#maybeTwice = recovered;
    this.#startedAt = options.clock.wall();
  }

  async toTheEnd(): Promise<RunEnd> {
    const end = await this.#follow();
    await this.#note();
    return end;
  }

  async #follow(): Promise<RunEnd> {
    const { signal, wakeup } = this.#options;
    for (;;) {
      const { counts, window } = await this.#look();
      await this.#judge(counts);
      // Before anything else that may have ended the job: a rule that was broken is told, however late that is seen.
      if (this.#stopped !== undefined && (counts.inFlight === 0 || this.#pace.quietMs > QUIET_MS))
        return this.#ended('stopped', this.#stopped);
      if (counts.ended === counts.total) return this.#ended('done', undefined);
      if (this.#failure !== undefined) return this.#ended('failed', this.#failure);
      if (signal.aborted) return this.#ended('interrupted', 'Interrupted');
      if (this.#stopped === undefined && (await this.#sendSome(counts, window))) continue;
      await wakeup.wait(LOOK_MS, signal);
    }
  }

  /** Stops the sending, for good, once a guard wants that. */
  async #judge(counts: Counts): Promise<void> {
    if (this.#stopped !== undefined) return;
    const { ledger, job } = this.#options;
    this.#stopped = stopReason(job.plan.guards, this.#counting, counts);
    if (this.#stopped !== undefined) await ledger.control(job.key, { stopped: this.#stopped });
  }

  /** Counts the rows, notes whether the canary has passed, and shows the view. */
  async #look(): Promise<JobView> {
    const { ledger, job, onView } = this.#options;
    const { guards } = job.plan;
    const counts = await ledger.count(job.key);
    this.#pace.observe(counts.ended);
    if (
      awaitsCanary(guards, this.#counting) &&
      canaryHasPassed(guards, this.#counting, counts) &&
      endsSince(this.#counting, counts).failed === 0
    ) {
      this.#counting = { ...this.#counting, canaryPassed: true };
      await ledger.control(job.key, { counting: this.#counting });
    }
    const control = { guards, counting: this.#counting, stopped: this.#stopped };
    const now = this.#options.clock.monotonic();
    if (now - this.#notedAt > NOTE_MS) {
      this.#notedAt = now;
      await this.#note();
    }
    const view = viewOf(job, control, counts, this.#pace, true);
    onView(view);
    return view;
  }

  /** @returns whether anything was sent. */
  async #sendSome(counts: Counts, window: number): Promise<boolean> {
    const { lease, job } = this.#options;
    const free = room(job.plan.guards, this.#counting, counts, window);
    // A batch costs the same whatever is in it: wait for a full one while rows are in flight.
    if (free === 0 || (free < Math.min(BATCH_SIZE, counts.planned) && counts.inFlight > 0)) return false;
    // What is wrong with a file is seldom wrong with its first rows: a canary is a sample of all.
    const random = awaitsCanary(job.plan.guards, this.#counting) ? this.#options.random : undefined;
    const rows = await lease.claim(Math.min(free, CHUNK_ROWS), random);
    if (rows.length === 0) return false;
    const { failure, ...sendings } = await sendRows(rows, {
      ...this.#options,
      jobId: job.jobId,
      issuedAt: job.plan.issuedAt,
    });
    await lease.settle(sendings);
    this.#sent = true;
    this.#maybeTwice += sendings.maybeTwice;
    this.#failure = failure;
    return true;
  }

  /** How far this run is. A run in which nothing was to do leaves no note. */
  async #note(): Promise<void> {
    const { activeMs: ms, ended: rows } = this.#pace;
    if (rows > 0 || this.#sent) await this.#options.lease.noteRun({ startedAt: this.#startedAt, ms, rows });
  }

  #ended(end: RunEnd['end'], reason: string | undefined): RunEnd {
    return { end, reason, maybeTwice: this.#maybeTwice };
  }
}
