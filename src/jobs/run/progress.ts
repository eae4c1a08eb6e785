/** A job's progress: how fast its rows end, the window that follows from it, and the view that is shown. */
import type { Counting, Counts, JobRecord } from '../ledger/job.ts';
import type { JobState } from '../ledger/state.ts';
import { awaitsCanary, endsSince, tolerated } from './guards.ts';

/** Rows in flight at most, at whatever rate. */
const LEAST_WINDOW = 200;
/** The window holds what ends in so many seconds. */
const WINDOW_SECONDS = 10;
/** The rate is that of the last so many milliseconds. */
const SPAN_MS = 10_000;
const SAMPLE_MS = 250;

export class Pace {
  readonly #now: () => number;
  readonly #samples: { readonly at: number; readonly ended: number }[];
  readonly #startedAt: number;
  readonly #endedBefore: number;
  #lastChangeAt: number;
  #ended: number;

  /** @param now milliseconds, monotonic. @param ended rows that have ended before. */
  constructor(now: () => number, ended: number) {
    this.#now = now;
    this.#samples = [{ at: now(), ended }];
    this.#startedAt = now();
    this.#endedBefore = ended;
    this.#lastChangeAt = this.#startedAt;
    this.#ended = ended;
  }

  /** @param ended rows that have ended by now. */
  observe(ended: number): void {
    const at = this.#now();
    if (ended !== this.#ended) this.#lastChangeAt = at;
    this.#ended = ended;
    const last = this.#samples.at(-1);
    if (last === undefined || at - last.at >= SAMPLE_MS) this.#samples.push({ at, ended });
    // One sample older than the span is kept, so that the span is covered whole.
    while ((this.#samples[1]?.at ?? at) <= at - SPAN_MS) this.#samples.shift();
  }

  /** Rows ending per second, lately; in the first second, as if it were over. */
  get perSecond(): number {
    const first = this.#samples[0];
    if (first === undefined) return 0;
    return Math.max(0, (this.#ended - first.ended) / Math.max(1, (this.#now() - first.at) / 1_000));
  }

  /** Rows that ended since it was made. */
  get ended(): number {
    return Math.max(0, this.#ended - this.#endedBefore);
  }

  /** Milliseconds from then until the last row ended. */
  get activeMs(): number {
    return this.#lastChangeAt - this.#startedAt;
  }

  /** Milliseconds since a row last ended. */
  get quietMs(): number {
    return this.#now() - this.#lastChangeAt;
  }

  get window(): number {
    return Math.max(LEAST_WINDOW, Math.ceil(this.perSecond * WINDOW_SECONDS));
  }
}

/** The job as it is at this moment. */
export interface JobView {
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
  /** Good ends and how many are wanted, while the canary is waited for. */
  readonly canary: { readonly good: number; readonly wanted: number } | undefined;
  /** undefined: of a job whose plan is elsewhere. */
  readonly state: JobState | undefined;
}

const nothingCounted: Counting = { good: 0, failed: 0, canaryPassed: false };

/** @param followed whether a process sends its rows, or follows them. */
export function viewOf(
  { jobId, plan }: JobRecord,
  counts: Counts,
  { perSecond, quietMs, ended, window }: Pace,
  followed: boolean,
): JobView {
  const { guards = {}, counting = nothingCounted, state } = plan ?? {};
  const { canary: wanted } = guards;
  const waits = wanted !== undefined && awaitsCanary(guards, counting);
  return {
    jobId,
    // Rows of the plan that are not in the ledger yet are rows of the job.
    counts: { ...counts, total: Math.max(counts.total, plan?.rows ?? 0) },
    window: Math.min(guards.window ?? window, tolerated(guards, counting, counts)),
    perSecond,
    quietMs,
    noneEnded: ended === 0,
    followed,
    canary: waits ? { good: endsSince(counting, counts).good, wanted } : undefined,
    state,
  };
}
