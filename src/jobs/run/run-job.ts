/**
 * Sends the planned rows of a job and follows it to its end. The job's state in the ledger decides what happens:
 *
 *   running             planned rows are sent while the window and the stage have room
 *   scheduled, paused   nothing is sent; rows in flight are followed
 *   stopping            nothing is sent; the run ends when no rows are in flight
 *
 * State and settings are read again at every look, so the run follows changes by any process. All state is in
 * the ledger, so another run can continue after a kill in any of these states.
 */
import { BATCH_SIZE } from '../../queue/batch.ts';
import type { Clock } from '../../time/clock.ts';
import type { Counts, NoticeKind, PlannedJob, StateChange } from '../ledger/job.ts';
import { LeaseLost } from '../ledger/lease-lost.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import type { JobEvent, JobState, RestingState } from '../ledger/state.ts';
import type { Decision } from '../rules/decide.ts';
import { opensText } from '../rules/schedule.ts';
import { question, type StageView } from '../rules/stage-view.ts';
import type { DeviceWatch } from '../verify/device-watch.ts';
import { Allowance } from './allowance.ts';
import { OtherJobs } from './other-jobs.ts';
import { decideOn, type JobView, Pace, viewOf } from './progress.ts';
import { type SendRowsOptions, sendRows } from './send-rows.ts';
import { StuckWatch } from './stuck.ts';
import { awaitsUndo } from './undo-on-abort.ts';
import type { Wakeup } from './wakeup.ts';

/** Rows claimed at once: few, so that a stop takes effect soon. */
const CHUNK_ROWS = 200;
/** Other processes may store outcomes of this job: how often to look at the ledger without being woken, in milliseconds. */
const LOOK_MS = 500;
/** How often the run is recorded in the ledger, in milliseconds: the last record shows what a killed process did. */
const NOTE_MS = 10_000;
/** How long a stopping job waits for the next row in flight to end, in milliseconds. */
const QUIET_MS = 60_000;

/** Rows of a cancelled job that are ended per transaction. */
const CANCEL_ROWS = 5_000;

export interface RunOptions extends Pick<SendRowsOptions, 'queueUrl' | 'send' | 'sleep' | 'random'> {
  readonly ledger: Pick<
    Ledger,
    'job' | 'activeJobs' | 'isLeased' | 'count' | 'setProgress' | 'change' | 'cancelRows' | 'addNotice'
  >;
  readonly lease: Lease;
  readonly job: PlannedJob;
  /** Woken when outcomes were stored. */
  readonly wakeup: Wakeup;
  readonly clock: Clock;
  /** `user@host` of this process. */
  readonly who: string;
  /** Names of the targets for this job's notices. */
  readonly targets: readonly string[];
  /** Looks at the devices of the job while rows are sent. */
  readonly devices: Pick<DeviceWatch, 'seen' | 'failed' | 'look'>;
  /** Aborts when the run is to end. */
  readonly signal: AbortSignal;
  /** What happens to a job that this process gives up: `stop` it, or `leave` it as it is for another try or process. */
  readonly atEnd: 'stop' | 'leave';
  /**
   * Enters the undo of the job, once a rule has stopped it and nothing of it is in flight. Called again until it has succeeded.
   * @returns whether it has.
   */
  readonly undo?: (job: PlannedJob) => Promise<boolean>;
  /** Called at every step, at least twice a second. May throw to end the run. */
  readonly onView: (view: JobView) => void;
}

export interface RunEnd {
  readonly end: 'done' | RestingState | 'interrupted' | 'left' | 'failed';
  /** Why the run ended, as a sentence without its full stop; undefined if the job is done. */
  readonly reason: string | undefined;
  /** Rows that this run sent again without knowing whether they had arrived before. */
  readonly maybeTwice: number;
}

/** Never rejects because of an answer of SQS. */
export async function runJob(options: RunOptions): Promise<RunEnd> {
  const { ledger, lease, job, clock } = options;
  const recovered = await lease.recover().catch(leftTo);
  if (typeof recovered !== 'number') return recovered;
  const counts = await ledger.count(job.key);
  return await new Run(options, new Pace(clock.monotonic, counts), recovered).toTheEnd();
}

/** The end of a run whose job now belongs to another process or another ledger. @throws any other error. */
function leftTo(error: unknown): RunEnd {
  if (!(error instanceof LeaseLost)) throw error;
  return { end: 'left', reason: error.message.replace(/\.$/, ''), maybeTwice: 0 };
}

class Run {
  readonly #options: RunOptions;
  readonly #pace: Pace;
  readonly #allowance: Allowance;
  readonly #others: OtherJobs;
  /** The job in the ledger, as of the last look. */
  #job: PlannedJob;
  #maybeTwice: number;
  #failure: string | undefined;
  readonly #startedAt: number;
  #sent = false;
  #notedAt = Number.NEGATIVE_INFINITY;
  readonly #stuck: StuckWatch;

  constructor(options: RunOptions, pace: Pace, recovered: number) {
    this.#options = options;
    this.#job = options.job;
    this.#pace = pace;
    this.#allowance = new Allowance(options.clock.monotonic);
    this.#others = new OtherJobs(options.ledger, options.job.key, options.clock);
    this.#maybeTwice = recovered;
    this.#startedAt = options.clock.wall();
    this.#stuck = new StuckWatch(options.clock.monotonic);
  }

  async toTheEnd(): Promise<RunEnd> {
    // Only the other process may change the job's state now.
    const end = await this.#follow().catch((error: unknown) => ({
      ...leftTo(error),
      maybeTwice: this.#maybeTwice,
    }));
    await this.#note();
    return end;
  }

  get #state(): JobState {
    return this.#job.plan.state;
  }

  async #follow(): Promise<RunEnd> {
    const { signal, wakeup } = this.#options;
    await this.#change('release');
    for (;;) {
      const { counts, decision, stage } = await this.#look();
      const { lost } = this.#options.lease;
      if (lost.reason instanceof LeaseLost) throw lost.reason;
      await this.#steer(stage, decision);
      const over = await this.#over(counts, decision);
      if (over !== undefined) return over;
      if (this.#failure !== undefined) return await this.#gaveUp('failed', this.#failure);
      if (signal.aborted) return await this.#gaveUp('interrupted', 'Interrupted');
      if (this.#state.name === 'running' && (await this.#sendSome(counts, decision))) continue;
      await wakeup.wait(LOOK_MS, signal);
    }
  }

  /** The end of the run, if the job has come to rest. */
  async #over(counts: Counts, { waitsFor }: Decision): Promise<RunEnd | undefined> {
    const { name, towards, why } = this.#state;
    if (name === 'elsewhere')
      return this.#ended('left', `Job ${this.#job.jobId} was moved to another ledger`);
    // First of all: a broken rule is reported even if it is noticed only after the job has ended.
    if (towards !== undefined) {
      if (towards === 'cancelled' && counts.planned > 0) await this.#cancelRows();
      else if (
        awaitsUndo(this.#job) &&
        (counts.inFlight > 0 || (await this.#options.undo?.(this.#job)) === false)
      )
        // Rows that end after the undo was planned would not be undone.
        return undefined;
      else if (counts.inFlight === 0 || this.#pace.quietMs > QUIET_MS) {
        await this.#change('settle', undefined, towards === 'aborted' ? 'aborted' : undefined);
        return this.#ended(towards, why ?? `The job was ${towards}`);
      }
      return undefined;
    }
    // Its devices may have to be looked at once more.
    if (counts.ended < counts.total || waitsFor !== undefined) return undefined;
    await this.#change('finish', undefined, 'done');
    return this.#ended('done', undefined);
  }

  async #cancelRows(): Promise<void> {
    while ((await this.#options.ledger.cancelRows(this.#job.key, CANCEL_ROWS)) > 0);
  }

  /** This process gives up the job, and waits for nothing. */
  async #gaveUp(end: 'interrupted' | 'failed', why: string): Promise<RunEnd> {
    if (this.#options.atEnd === 'leave') return this.#ended(end === 'failed' ? end : 'left', why);
    await this.#change('stop', why);
    // The undo is still missing: the process that resumes the job makes it first.
    if (!awaitsUndo(this.#job)) await this.#change('settle');
    return this.#ended(end, why);
  }

  /** Changes the job's state, unless another process has changed it since the last look. */
  async #change(event: JobEvent, why?: string, kind?: NoticeKind, by = ''): Promise<void> {
    const { ledger, who, targets } = this.#options;
    const change: StateChange = {
      event,
      who: `${who}${by}`,
      since: this.#state.since,
      ...(why !== undefined && { why }),
      ...(kind !== undefined && { notice: { kind, targets } }),
    };
    if (await ledger.change(this.#job.key, change)) await this.#read();
  }

  async #read(): Promise<void> {
    const { ledger, job } = this.#options;
    const found = await ledger.job(job.jobId);
    if (found?.plan !== undefined) this.#job = { ...found, plan: found.plan };
  }

  /** Changes the job's state as its settings require. */
  async #steer(stage: StageView | undefined, { stop, waitsFor }: Decision): Promise<void> {
    const { name, towards } = this.#state;
    if (towards !== undefined) return;
    const rule = ', a rule';
    if (stop !== undefined)
      await this.#change(stop.towards === 'aborted' ? 'abort' : 'stop', stop.why, undefined, rule);
    else if (name === 'running' && waitsFor?.for === 'word')
      await this.#change('pause', waitsFor.why ?? question(stage), 'paused-by-rule', rule);
    else if (name === 'running' && waitsFor?.for === 'opening')
      await this.#change('wait', opensText(waitsFor.until), undefined, rule);
    else if (name === 'scheduled' && waitsFor?.for !== 'opening')
      await this.#change('due', undefined, undefined, rule);
  }

  /** Reads the job, counts its rows, records its progress through the stages, and shows the view. */
  async #look(): Promise<{ counts: Counts; decision: Decision; stage: StageView | undefined }> {
    const { ledger, onView, clock } = this.#options;
    await this.#read();
    const counts = await ledger.count(this.#job.key);
    this.#pace.observe(counts);
    const wall = clock.wall();
    const { beside, perSecond, roundTripMs } = await this.#others.look(this.#pace);
    const { devices, targets } = this.#options;
    const surroundings = { now: wall, beside, roundTripMs, devices: devices.seen };
    const decision = decideOn(this.#job, counts, perSecond, surroundings);
    const { plan } = this.#job;
    const { progress } = decision;
    if (progress !== plan.progress) {
      // Another process changed the progress meanwhile, and knew more than this look.
      if (!(await ledger.setProgress(this.#job.key, progress, plan.progress))) return await this.#look();
      // The state is the one that was read: decisions from it are not applied to a later state.
      this.#job = { ...this.#job, plan: { ...plan, progress } };
    }
    devices.look(this.#job, decision.waitsFor);
    const waitsFor = this.#state.name === 'running' ? decision.waitsFor : undefined;
    if (this.#stuck.look({ counts, waitsFor, devices }))
      await ledger.addNotice(this.#job.key, { kind: 'stuck', targets });
    const now = this.#options.clock.monotonic();
    if (now - this.#notedAt > NOTE_MS) {
      this.#notedAt = now;
      await this.#note();
    }
    const view = viewOf(this.#job, counts, this.#pace, true, decision, wall);
    onView(view);
    return { counts, decision, stage: view.stage };
  }

  /** @returns whether anything was sent. */
  async #sendSome(counts: Counts, { room, sample, window }: Decision): Promise<boolean> {
    const { lease } = this.#options;
    const { settings, issuedAt } = this.#job.plan;
    const free = Math.min(room, this.#allowance.rows(settings.rate));
    // A batch costs the same whatever its size: wait for a full one while rows are in flight.
    const batch = Math.min(BATCH_SIZE, counts.planned, Math.floor(window / 2), settings.rate ?? BATCH_SIZE);
    if (free === 0 || (free < Math.floor(batch) && counts.inFlight > 0)) return false;
    // A faulty file is seldom faulty in its first rows, so a stage is a sample of all rows that follow.
    const random = sample ? this.#options.random : undefined;
    const rows = await lease.claim(Math.min(free, CHUNK_ROWS), random);
    if (rows.length === 0) return false;
    this.#allowance.use(rows.length);
    const { lost } = lease;
    const { failure, ...sendings } = await sendRows(rows, {
      ...this.#options,
      signal: AbortSignal.any([this.#options.signal, lost]),
      jobId: this.#job.jobId,
      issuedAt,
    });
    await lease.settle(sendings);
    this.#sent = true;
    this.#maybeTwice += sendings.maybeTwice;
    this.#failure = failure;
    // The lease is held again: this run continues, and no other process will plan again the rows that may not have arrived.
    if (lost.aborted) this.#maybeTwice += await lease.recover();
    return true;
  }

  /** Records the progress of this run. A run that had nothing to do is not recorded. */
  async #note(): Promise<void> {
    const { activeMs: ms, ended: rows } = this.#pace;
    if (rows > 0 || this.#sent) await this.#options.lease.noteRun({ startedAt: this.#startedAt, ms, rows });
  }

  #ended(end: RunEnd['end'], reason: string | undefined): RunEnd {
    return { end, reason, maybeTwice: this.#maybeTwice };
  }
}
