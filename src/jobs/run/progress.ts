/** A job's progress: how fast its rows end, the resulting window, and the view that is shown. */
import type { Counts, JobRecord } from '../ledger/job.ts';
import type { JobState } from '../ledger/state.ts';
import { type Decision, decide, type Wait } from '../rules/decide.ts';
import { beginning, type SeenDevices } from '../rules/progress.ts';
import { expectedEnd } from '../rules/schedule.ts';
import { type StageView, stagesLeft, stageView } from '../rules/stage-view.ts';
import type { Beside } from '../rules/window.ts';

/** The rate is measured over this time, in milliseconds. */
const SPAN_MS = 10_000;
/** A growing rate is measured over this time: a little less than the time that the window covers. */
const GROWTH_MS = 3_000;
const SAMPLE_MS = 250;

/** The counts from which a rate is measured. */
type Measured = Pick<Counts, 'endedByWorkers' | 'inFlight'>;

/** How fast workers end the rows of a job. */
export class Pace {
  readonly #now: () => number;
  readonly #samples: { readonly at: number; readonly ended: number }[];
  readonly #startedAt: number;
  #lastChangeAt: number;
  /** Since when there are rows in flight without any of them ending. */
  #quietSince: number;
  /** The ledger's count when last read. */
  #counted: number;
  #ended = 0;
  /** When rows that have not ended were sent, and how many before them: rows end roughly in the order of sending. */
  #sendings: { readonly at: number; readonly before: number }[] = [];
  /** Rows that were sent, counted like `ended`; undefined before the first look. */
  #sent: number | undefined;
  #roundTripMs: number | undefined;

  /** @param now milliseconds, monotonic. @param counts the counts at that time. */
  constructor(now: () => number, { endedByWorkers }: Pick<Measured, 'endedByWorkers'>) {
    this.#now = now;
    this.#samples = [{ at: now(), ended: 0 }];
    this.#startedAt = now();
    this.#lastChangeAt = this.#startedAt;
    this.#quietSince = this.#startedAt;
    this.#counted = endedByWorkers;
  }

  observe({ endedByWorkers, inFlight }: Measured): void {
    const at = this.#now();
    const someEnded = endedByWorkers > this.#counted;
    if (someEnded) this.#lastChangeAt = at;
    if (someEnded || inFlight === 0) this.#quietSince = at;
    // Planning rows again does not undo the work of workers.
    this.#ended += Math.max(0, endedByWorkers - this.#counted);
    this.#counted = endedByWorkers;
    this.#measure(at, inFlight);
    const last = this.#samples.at(-1);
    if (last === undefined || at - last.at >= SAMPLE_MS) this.#samples.push({ at, ended: this.#ended });
    // Keep one sample older than the span, so that the whole span is covered.
    while ((this.#samples[1]?.at ?? at) <= at - SPAN_MS) this.#samples.shift();
  }

  /** Rows that were in flight at the first look are not measured: it is unknown when they were sent. */
  #measure(at: number, inFlight: number): void {
    for (
      let first = this.#sendings[0];
      first !== undefined && first.before < this.#ended;
      first = this.#sendings[0]
    ) {
      this.#roundTripMs = Math.min(this.#roundTripMs ?? Number.POSITIVE_INFINITY, at - first.at);
      this.#sendings.shift();
    }
    const sent = this.#ended + inFlight;
    if (inFlight === 0) this.#sendings = [];
    else if (this.#sent !== undefined && sent > this.#sent) this.#sendings.push({ at, before: this.#sent });
    this.#sent = sent;
  }

  /**
   * The shortest time in milliseconds from sending rows to seeing their ends. It excludes waiting on the queue, which is empty at
   * the start. undefined: none has been measured.
   */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Rows ending per second, lately. An unfinished first second counts as a whole one. */
  get perSecond(): number {
    return this.#since(this.#samples[0]);
  }

  /**
   * The same over the last few seconds, so it rises sooner. Ends that are seen late and all at once raise it by a third at most, since
   * no more rows can end than are in flight.
   */
  get justPerSecond(): number {
    const from = this.#now() - GROWTH_MS;
    const sample = this.#samples.findLast(({ at }) => at <= from);
    // Rates count whole rows, so one more row is no growth.
    return sample === undefined ? this.perSecond : this.#since({ ...sample, ended: sample.ended + 1 });
  }

  #since(sample: { readonly at: number; readonly ended: number } | undefined): number {
    if (sample === undefined) return 0;
    return Math.max(0, (this.#ended - sample.ended) / Math.max(1, (this.#now() - sample.at) / 1_000));
  }

  /** Rows that workers ended since this object was created. */
  get ended(): number {
    return this.#ended;
  }

  /** Milliseconds from its creation until the last row ended. */
  get activeMs(): number {
    return this.#lastChangeAt - this.#startedAt;
  }

  /** For how many milliseconds no row in flight has ended; time without rows in flight does not count. */
  get quietMs(): number {
    return this.#now() - this.#quietSince;
  }
}

/** Rows of all jobs together that end per second; where the rate grows, over the last few seconds. */
export function ratesTogether(paces: readonly Pick<Pace, 'perSecond' | 'justPerSecond'>[]): number {
  const together = (rate: 'perSecond' | 'justPerSecond'): number =>
    paces.reduce((sum, pace) => sum + pace[rate], 0);
  return Math.max(together('perSecond'), together('justPerSecond'));
}

/** The shortest of all: rows of all jobs wait on one queue, and the same workers process them. */
export function roundTripOf(paces: readonly Pick<Pace, 'roundTripMs'>[]): number | undefined {
  const known = paces.flatMap(({ roundTripMs }) => roundTripMs ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** States that change only if somebody changes them. */
const atRest: readonly JobState['name'][] = ['stopped', 'aborted', 'done', 'cancelled', 'elsewhere'];

/** What to expect of a job. */
export interface Outlook {
  /** For a job with stages, or with a canary that has not passed. */
  readonly stage: StageView | undefined;
  /** The devices of its tasks, as of the last look. */
  readonly devices?: SeenDevices | undefined;
  /** The reason why its rows are not being sent. */
  readonly waitsFor: Wait | undefined;
  /** The time of the look; epoch milliseconds. */
  readonly now: number;
  /** At the present rate, in epoch milliseconds; the job may also have to wait for a person. */
  readonly expectedEnd: number | undefined;
}

/** The job at this moment. */
export interface JobView extends Outlook {
  readonly jobId: string;
  readonly counts: Counts;
  /** Maximum number of rows in flight. */
  readonly window: number;
  /** Rows ending per second, lately. */
  readonly perSecond: number;
  readonly quietMs: number;
  /** Whether no row has ended since watching began. */
  readonly noneEnded: boolean;
  /** Whether a process is sending or following its rows. */
  readonly followed: boolean;
  /** undefined for a job whose plan is elsewhere. */
  readonly state: JobState | undefined;
}

/** What a decision needs besides the job: the time, and the other jobs that are being sent. */
export interface Surroundings {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly beside?: Beside | undefined;
  /** See {@link roundTripOf}. */
  readonly roundTripMs?: number | undefined;
  /** The devices of its tasks, if they were looked at. */
  readonly devices?: SeenDevices | undefined;
}

/**
 * The decision about a job as the ledger has it.
 * @param perSecond rows of all jobs that end per second.
 */
export function decideOn(
  { plan }: JobRecord,
  counts: Counts,
  perSecond: number,
  { now, beside, roundTripMs, devices }: Surroundings,
): Decision {
  const { settings = {}, progress = beginning, state, rows = 0 } = plan ?? {};
  return decide({
    settings,
    progress,
    counts,
    total: Math.max(counts.total, rows),
    // A job at rest is shown as it was when it came to rest.
    now: state !== undefined && atRest.includes(state.name) ? Math.min(now, state.since) : now,
    perSecond,
    beside,
    roundTripMs,
    devices,
    runningSince: state?.name === 'running' ? state.since : undefined,
  });
}

/** @param followed whether a process is sending or following its rows. */
export function viewOf(
  job: JobRecord,
  counts: Counts,
  { perSecond, quietMs, ended }: Pick<Pace, 'perSecond' | 'quietMs' | 'ended'>,
  followed: boolean,
  decision: Decision,
  now: number,
): JobView {
  return {
    ...outlookOf(job, counts, perSecond, decision, now),
    jobId: job.jobId,
    counts: allOf(job, counts),
    window: decision.window,
    perSecond,
    quietMs,
    noneEnded: ended === 0,
    followed,
    state: job.plan?.state,
  };
}

/** Adds the rows of the plan that are not in the ledger yet: they belong to the job, too. */
function allOf({ plan }: JobRecord, counts: Counts): Counts {
  return { ...counts, total: Math.max(counts.total, plan?.rows ?? 0) };
}

/** @param perSecond rows of the job that end per second. */
export function outlookOf(
  job: JobRecord,
  counts: Counts,
  perSecond: number,
  { progress, waitsFor }: Decision,
  now: number,
): Outlook {
  const { settings = {} } = job.plan ?? {};
  const all = allOf(job, counts);
  const open = all.total - all.ended;
  const stage =
    job.plan === undefined || counts.planned === 0
      ? undefined
      : stageView({ settings, counts: all, total: all.total }, progress);
  const soaks = stage === undefined ? 0 : stagesLeft(stage, settings) * (settings.soak ?? 0);
  const seconds = open / perSecond + soaks;
  return {
    stage,
    devices: progress.devices,
    waitsFor: ['done', 'cancelled', 'elsewhere'].includes(job.plan?.state.name ?? '') ? undefined : waitsFor,
    now,
    expectedEnd: open === 0 || perSecond <= 0 ? undefined : expectedEnd(settings, now, seconds),
  };
}
