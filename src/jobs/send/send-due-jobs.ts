/**
 * Sends all due jobs of a ledger whose lease it can get: one process at a time sends a job, and another one takes over
 * when that process is gone. The list of jobs is read again every second; the highest priority comes first.
 *
 * A job that is paused, or whose time has not come, is followed only if no due job needs its place.
 */
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import { nextOpening } from '../rules/schedule.ts';
import { DEFAULT_PRIORITY } from '../rules/settings.ts';
import type { RunEnd } from '../run/run-job.ts';

const LOOK_MS = 1_000;
/** Wait before a job that could not be sent is tried again: a fault seldom concerns one job only. */
const backoff: BackoffSettings = { baseMs: 2_000, maxMs: 60_000 };

export interface SendDueOptions {
  readonly ledger: Pick<Ledger, 'activeJobs' | 'lease'>;
  /** Aborts when no more jobs are to be sent; `follow` ends then, too. */
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Maximum number of jobs at once. */
  readonly maxJobs: number;
  /** Whether to end when there is no due job left that this process could send. */
  readonly once: boolean;
  /** Sends a job and follows it; resolves when it has come to rest, is left to another process, or `signal` aborts. */
  readonly follow: (job: PlannedJob, lease: Lease, signal: AbortSignal) => Promise<RunEnd>;
  readonly onTaken: (job: PlannedJob) => void;
  readonly onEnded: (job: PlannedJob, end: RunEnd) => void;
  readonly onFailed: (job: PlannedJob, error: unknown) => void;
  /** With `once`, at its end: a due job that another process has. That process may be frozen, or may have just died. */
  readonly onLeft: (job: PlannedJob) => void;
  /** Called at every look, for the other work of a service. */
  readonly onLook: () => Promise<void>;
}

/** @throws the ledger's error if its jobs cannot be read. */
export async function sendDueJobs(options: SendDueOptions): Promise<void> {
  await new Sender(options).run();
}

/** A job that this process is sending or following. */
interface Followed {
  /** Stops following this job. */
  readonly leave: AbortController;
  /** Resolves when following has ended. */
  readonly over: Promise<void>;
}

class Sender {
  readonly #options: SendDueOptions;
  /** By job key. */
  readonly #followed = new Map<number, Followed>();
  /** How many times in a row each job could not be sent. */
  readonly #failures = new Map<number, number>();

  constructor(options: SendDueOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, sleep, once, onLook, onLeft } = this.#options;
    try {
      while (!signal.aborted) {
        const { busy, left } = await this.#takeJobs();
        await onLook();
        if (once && !busy) {
          for (const { leave } of this.#followed.values()) leave.abort();
          left.forEach(onLeft);
          return;
        }
        await sleep(LOOK_MS, signal);
      }
    } finally {
      await Promise.all([...this.#followed.values()].map(({ over }) => over));
    }
  }

  /** @returns whether this process has a job that is due or coming to rest, and the due jobs that other processes have. */
  async #takeJobs(): Promise<{ readonly busy: boolean; readonly left: readonly PlannedJob[] }> {
    const { ledger, maxJobs, once, now } = this.#options;
    // Before reading the ledger: a job that ends meanwhile may have entered its undo.
    const before = [...this.#followed.keys()];
    // Missing rows are in a plan file on the machine that began the job.
    const jobs = (await ledger.activeJobs()).filter(({ plan }) => plan.complete);
    const due = jobs.filter((job) => isDue(job, now())).sort((a, b) => priorityOf(b) - priorityOf(a));
    const idle = jobs.filter((job) => !due.includes(job));
    let busy = before.some((key) => !idle.some((job) => job.key === key));
    // Jobs that may be left in favour of a due one.
    const leavable = idle
      .flatMap(({ key }) => this.#followed.get(key) ?? [])
      .filter(({ leave }) => !leave.signal.aborted);
    const left: PlannedJob[] = [];
    for (const job of due) {
      if (this.#followed.has(job.key)) continue;
      const full = this.#followed.size >= maxJobs;
      if (full && leavable.length === 0) break;
      if (!(await this.#take(job))) {
        left.push(job);
        continue;
      }
      busy = true;
      if (full) leavable.pop()?.leave.abort();
    }
    if (!once) {
      for (const job of idle) {
        if (this.#followed.size >= maxJobs) break;
        if (!this.#followed.has(job.key)) await this.#take(job);
      }
    }
    return { busy, left };
  }

  /** @returns whether the job is followed now; false while another process has it. */
  async #take(job: PlannedJob): Promise<boolean> {
    const lease = await this.#options.ledger.lease(job.key);
    if (lease === undefined) return false;
    const leave = new AbortController();
    const over = this.#send(job, lease, AbortSignal.any([this.#options.signal, leave.signal])).finally(() =>
      this.#followed.delete(job.key),
    );
    this.#followed.set(job.key, { leave, over });
    return true;
  }

  async #send(job: PlannedJob, lease: Lease, signal: AbortSignal): Promise<void> {
    const { follow, onTaken, onEnded, onFailed } = this.#options;
    try {
      onTaken(job);
      const end = await follow(job, lease, signal);
      if (end.end === 'failed') {
        onFailed(job, end.reason);
        await this.#wait(job, signal);
      } else {
        this.#failures.delete(job.key);
        onEnded(job, end);
      }
    } catch (error) {
      onFailed(job, error);
      await this.#wait(job, signal);
    } finally {
      await lease.release();
    }
  }

  /** Keeps the job meanwhile: another process would fare no better. */
  async #wait({ key }: PlannedJob, signal: AbortSignal): Promise<void> {
    const { sleep, random } = this.#options;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    await sleep(fullJitter(backoff, failures, random), signal);
  }
}

/** Whether a sender has work to do now; a job whose window does not open again has to be stopped. */
function isDue({ plan: { state, settings } }: PlannedJob, now: number): boolean {
  if (state.name === 'paused') return false;
  const opening = state.name === 'scheduled' ? nextOpening(settings, now) : undefined;
  return opening === undefined || opening <= now;
}

function priorityOf({ plan }: PlannedJob): number {
  return plan.settings.priority ?? DEFAULT_PRIORITY;
}
