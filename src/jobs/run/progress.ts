/** A job's progress: how fast its rows end, the window that follows from it, and the view that is shown. */
import type { Counts, JobRecord } from '../ledger/job.ts';
import type { JobState } from '../ledger/state.ts';
import { type Decision, decide, type Wait } from '../rules/decide.ts';
import { beginning, type SeenDevices } from '../rules/progress.ts';
import { expectedEnd } from '../rules/schedule.ts';
import { type StageView, stagesLeft, stageView } from '../rules/stage-view.ts';
import type { Beside } from '../rules/window.ts';

/** The rate is that of the last so many milliseconds. */
const SPAN_MS = 10_000;
/** Where it grows, of the last so many: a little less than the time that the window is for. */
const GROWTH_MS = 3_000;
const SAMPLE_MS = 250;

/** What a rate is measured by. */
type Measured = Pick<Counts, 'endedByWorkers' | 'inFlight'>;

/** How fast workers end the rows of a job. */
export class Pace {
  readonly #now: () => number;
  readonly #samples: { readonly at: number; readonly ended: number }[];
  readonly #startedAt: number;
  #lastChangeAt: number;
  /** Since when rows are in flight of which none has ended. */
  #quietSince: number;
  /** By the ledger, when it was last looked at. */
  #counted: number;
  #ended = 0;
  /** When rows were sent of which none has ended, and how many before them: rows end about in the order in which they are sent. */
  #sendings: { readonly at: number; readonly before: number }[] = [];
  /** Rows that were sent, as `ended` counts them; undefined: it was not looked at yet. */
  #sent: number | undefined;
  #roundTripMs: number | undefined;

  /** @param now milliseconds, monotonic. @param counts by then. */
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
    // Rows that are planned again take nothing back of what workers have done.
    this.#ended += Math.max(0, endedByWorkers - this.#counted);
    this.#counted = endedByWorkers;
    this.#measure(at, inFlight);
    const last = this.#samples.at(-1);
    if (last === undefined || at - last.at >= SAMPLE_MS) this.#samples.push({ at, ended: this.#ended });
    // One sample older than the span is kept, so that the span is covered whole.
    while ((this.#samples[1]?.at ?? at) <= at - SPAN_MS) this.#samples.shift();
  }

  /** When those that were in flight at the first look were sent is not known. */
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
   * The shortest time in milliseconds in which rows were sent and seen to have ended: without the wait on the queue, which is empty at
   * the begin. undefined: none has been.
   */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Rows ending per second, lately; in the first second, as if it were over. */
  get perSecond(): number {
    return this.#since(this.#samples[0]);
  }

  /**
   * The same of the last few seconds, which grows sooner. Ends that are seen late and all at once look like a third more at most: no
   * more end than are in flight.
   */
  get justPerSecond(): number {
    const from = this.#now() - GROWTH_MS;
    const sample = this.#samples.findLast(({ at }) => at <= from);
    // Rates are measured by whole rows: one more is nothing that has grown.
    return sample === undefined ? this.perSecond : this.#since({ ...sample, ended: sample.ended + 1 });
  }

  #since(sample: { readonly at: number; readonly ended: number } | undefined): number {
    if (sample === undefined) return 0;
    return Math.max(0, (this.#ended - sample.ended) / Math.max(1, (this.#now() - sample.at) / 1_000));
  }

  /** Rows that workers ended since it was made. */
  get ended(): number {
    return this.#ended;
  }

  /** Milliseconds from then until the last row ended. */
  get activeMs(): number {
    return this.#lastChangeAt - this.#startedAt;
  }

  /** Milliseconds for which none of the rows in flight has ended: a job that had none in flight has not been quiet. */
  get quietMs(): number {
    return this.#now() - this.#quietSince;
  }
}

/** Rows of all of them that end per second: where that grows, as of the last few seconds. */
export function ratesTogether(paces: readonly Pick<Pace, 'perSecond' | 'justPerSecond'>[]): number {
  const together = (rate: 'perSecond' | 'justPerSecond'): number =>
    paces.reduce((sum, pace) => sum + pace[rate], 0);
  return Math.max(together('perSecond'), together('justPerSecond'));
}

/** The shortest of all of them: their rows wait on one queue, and are worked on by the same workers. */
export function roundTripOf(paces: readonly Pick<Pace, 'roundTripMs'>[]): number | undefined {
  const known = paces.flatMap(({ roundTripMs }) => roundTripMs ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** States in which nothing goes on until somebody changes them. */
const atRest: readonly JobState['name'][] = ['stopped', 'aborted', 'done', 'cancelled', 'elsewhere'];

/** What is to be expected of a job. */
export interface Outlook {
  /** Of a job that has stages, or a canary that has not passed. */
  readonly stage: StageView | undefined;
  /** The devices of its tasks, as they were last looked at. */
  readonly devices?: SeenDevices | undefined;
  /** What keeps its rows from being sent. */
  readonly waitsFor: Wait | undefined;
  /** When it was looked at; epoch milliseconds. */
  readonly now: number;
  /** At the present rate, in epoch milliseconds; a person's word may be waited for besides. */
  readonly expectedEnd: number | undefined;
}

/** The job as it is at this moment. */
export interface JobView extends Outlook {
  readonly jobId: string;
  readonly counts: Counts;
  /** Rows in flight at most. */
  readonly window: number;
  /** Rows ending per second, lately. */
  readonly perSecond: number;
  readonly quietMs: number;
  /** Whether no row has ended since it is watched. */
  readonly noneEnded: boolean;
  /** Whether a process sends its rows, or follows them. */
  readonly followed: boolean;
  /** undefined: of a job whose plan is elsewhere. */
  readonly state: JobState | undefined;
}

/** What else there is beside the job: when it is looked at, and the other jobs that are being sent. */
export interface Surroundings {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly beside?: Beside | undefined;
  /** As {@link roundTripOf} says. */
  readonly roundTripMs?: number | undefined;
  /** The devices of its tasks, when somebody has looked. */
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
    // One that has come to rest stays as it was then.
    now: state !== undefined && atRest.includes(state.name) ? Math.min(now, state.since) : now,
    perSecond,
    beside,
    roundTripMs,
    devices,
    runningSince: state?.name === 'running' ? state.since : undefined,
  });
}

/** @param followed whether a process sends its rows, or follows them. */
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

/** Rows of the plan that are not in the ledger yet are rows of the job. */
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
