/**
 * Sends what is planned of a job and follows it to its end:
 *
 *   sending    planned rows go out while the window, and the canary, leave room
 *   following  nothing is left to send, or something said stop: what is under way is waited for
 *   ended      every row has ended, or it was stopped and what was under way has ended too
 *
 * The state is in the ledger alone, so that a process killed in any of these is gone on with by the next.
 */

import { EnqueueFailure } from '../../input/faults.ts';
import { BATCH_SIZE } from '../../queue/batch.ts';
import type { Clock } from '../../time/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Counting, Counts, Guards, JobRecord } from '../ledger/types.ts';
import { type ChunkOptions, sendChunk } from './chunk.ts';
import {
  awaitsCanary,
  canaryHasPassed,
  countFrom,
  endsSince,
  room,
  type Stop,
  stopReason,
} from './guards.ts';
import { Pace } from './pace.ts';
import type { Wakeup } from './wakeup.ts';

/** Rows given out at once: small, so that a stop is heard soon. */
const CHUNK_ROWS = 200;
/** Other processes may store our outcomes: look without being woken, in milliseconds. */
const LOOK_MS = 500;
/** How long a stopped job waits for the next end of what is under way, in milliseconds. */
const QUIET_MS = 60_000;

export interface RunOptions extends Pick<ChunkOptions, 'queueUrl' | 'send' | 'sleep' | 'random'> {
  readonly ledger: Ledger;
  readonly job: JobRecord;
  /** Woken when outcomes have been stored. */
  readonly wakeup: Wakeup;
  readonly clock: Clock;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Called at every step, at least twice a second. May throw to end the run. */
  readonly onView: (view: JobView) => void;
}

/** The job as it is at this moment. */
export interface JobView {
  readonly jobId: string;
  readonly counts: Counts;
  readonly window: number;
  /** Rows ending per second, lately. */
  readonly perSecond: number;
  readonly quietMs: number;
  /** Good ends and how many are wanted, while the canary is waited for. */
  readonly canary: { readonly good: number; readonly wanted: number } | undefined;
  readonly stopped: string | undefined;
}

export interface RunEnd {
  readonly end: 'done' | 'stopped' | 'interrupted' | 'failed';
  /** Why, as a sentence without its full stop; undefined when done. */
  readonly reason: string | undefined;
  readonly counts: Counts;
  /** Rows this run found half sent, or sent again for want of an answer. */
  readonly maybeTwice: number;
}

/** Never rejects for what SQS answers. Call it with the job's lock held. */
export async function runJob(options: RunOptions): Promise<RunEnd> {
  const run = new Run(options);
  return await run.toTheEnd();
}

class Run {
  readonly #options: RunOptions;
  readonly #guards: Guards;
  readonly #issuedAt: string;
  readonly #pace: Pace;
  #counting: Counting;
  #maybeTwice: number;
  #stop: Stop | undefined;
  #failure: string | undefined;

  constructor(options: RunOptions) {
    const { ledger, job, clock } = options;
    if (job.plan === undefined)
      throw new EnqueueFailure(`The plan of job ${job.jobId} is not in this ledger.`);
    this.#options = options;
    this.#guards = job.plan.guards;
    this.#issuedAt = job.plan.issuedAt;
    this.#maybeTwice = ledger.replanSending(job.key);
    const counts = ledger.counts(job.key);
    // What stopped it has been seen by whoever goes on: count anew.
    this.#counting = job.plan.stopped === undefined ? job.plan.counting : countFrom(counts);
    ledger.setCounting(job.key, this.#counting);
    ledger.setStopped(job.key, undefined);
    this.#pace = new Pace(clock.monotonic, counts.ended);
  }

  async toTheEnd(): Promise<RunEnd> {
    const { ledger, job, signal, wakeup } = this.#options;
    for (;;) {
      const counts = this.#look();
      if (counts.ended === counts.total) return this.#ended('done', undefined, counts);
      if (this.#failure !== undefined) return this.#ended('failed', this.#failure, counts);
      if (signal.aborted) return this.#ended('interrupted', 'Interrupted', counts);
      this.#stop ??= stopReason(this.#guards, this.#counting, counts);
      if (this.#stop !== undefined) {
        ledger.setStopped(job.key, this.#stop.sentence);
        if (counts.inFlight === 0 || this.#pace.quietMs > QUIET_MS)
          return this.#ended('stopped', this.#stop.sentence, counts);
      } else if (await this.#sendSome(counts)) continue;
      await wakeup.wait(LOOK_MS, signal);
    }
  }

  /** Counts, and passes them on. */
  #look(): Counts {
    const { ledger, job, onView } = this.#options;
    const counts = ledger.counts(job.key);
    this.#pace.observe(counts.ended);
    if (
      awaitsCanary(this.#guards, this.#counting) &&
      canaryHasPassed(this.#guards, this.#counting, counts) &&
      endsSince(this.#counting, counts).failed === 0
    ) {
      this.#counting = { ...this.#counting, canaryPassed: true };
      ledger.setCounting(job.key, this.#counting);
    }
    onView(this.#view(counts));
    return counts;
  }

  #view(counts: Counts): JobView {
    const { canary: wanted } = this.#guards;
    const waits = wanted !== undefined && awaitsCanary(this.#guards, this.#counting);
    return {
      jobId: this.#options.job.jobId,
      counts,
      window: this.#window,
      perSecond: this.#pace.perSecond,
      quietMs: this.#pace.quietMs,
      canary: waits ? { good: endsSince(this.#counting, counts).good, wanted } : undefined,
      stopped: this.#stop?.sentence,
    };
  }

  get #window(): number {
    return this.#guards.window ?? this.#pace.window;
  }

  /** @returns whether anything was sent. */
  async #sendSome(counts: Counts): Promise<boolean> {
    const { ledger, job } = this.#options;
    const free = room(this.#guards, this.#counting, counts, this.#window);
    // A batch costs the same whatever is in it: wait for a full one while others are under way.
    if (free === 0 || (free < Math.min(BATCH_SIZE, counts.planned) && counts.inFlight > 0)) return false;
    const rows = ledger.claim(job.key, Math.min(free, CHUNK_ROWS));
    if (rows.length === 0) return false;
    const result = await sendChunk(rows, {
      ...this.#options,
      jobId: job.jobId,
      issuedAt: this.#issuedAt,
    });
    ledger.recordSendings(job.key, result);
    ledger.addMaybeTwice(job.key, result.maybeTwice);
    this.#maybeTwice += result.maybeTwice;
    this.#failure = result.failure;
    return true;
  }

  #ended(end: RunEnd['end'], reason: string | undefined, counts: Counts): RunEnd {
    return { end, reason, counts, maybeTwice: this.#maybeTwice };
  }
}
