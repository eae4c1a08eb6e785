/**
 * Sends whatever jobs of a ledger are due, each as its lease allows: one process at a time sends a job, and another one takes it
 * over when that process is gone. Which jobs there are is asked again every second, and those of the highest priority come first.
 *
 * A job that is paused, or whose time has not come, is followed only where no due job needs its place.
 */
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import { nextOpening } from '../rules/schedule.ts';
import { DEFAULT_PRIORITY } from '../rules/settings.ts';
import type { RunEnd } from '../run/run-job.ts';

const LOOK_MS = 1_000;
/** A job that could not be sent is tried again after such a wait: what is wrong seldom concerns one job. */
const backoff: BackoffSettings = { baseMs: 2_000, maxMs: 60_000 };

export interface SendDueOptions {
  readonly ledger: Pick<Ledger, 'activeJobs' | 'lease'>;
  /** Aborts when no more jobs are to be sent; `follow` ends then as well. */
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** At once, at most. */
  readonly maxJobs: number;
  /** Whether to end when no due job is left that this process could send. */
  readonly once: boolean;
  /** Sends a job and follows it; resolves when it has come to rest, is left to another process, or `signal` aborts. */
  readonly follow: (job: PlannedJob, lease: Lease, signal: AbortSignal) => Promise<RunEnd>;
  readonly onTaken: (job: PlannedJob) => void;
  readonly onEnded: (job: PlannedJob, end: RunEnd) => void;
  readonly onFailed: (job: PlannedJob, error: unknown) => void;
  /** With `once`, at its end: a due job that another process has, which may be frozen, or have died just now. */
  readonly onLeft: (job: PlannedJob) => void;
  /** Called at every look: what else a service does. */
  readonly onLook: () => Promise<void>;
}

/** @throws what the ledger throws when it cannot be asked for its jobs. */
export async function sendDueJobs(options: SendDueOptions): Promise<void> {
  await new Sender(options).run();
}

/** A job that this process has. */
interface Followed {
  /** Ends the following of this job. */
  readonly leave: AbortController;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
}

class Sender {
  readonly #options: SendDueOptions;
  /** By their keys. */
  readonly #followed = new Map<number, Followed>();
  /** How often in a row a job could not be sent. */
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

  /** @returns whether this process has a job that is due, or that comes to rest; and which due ones another has. */
  async #takeJobs(): Promise<{ readonly busy: boolean; readonly left: readonly PlannedJob[] }> {
    const { ledger, maxJobs, once, now } = this.#options;
    // Before the ledger is asked: a job that ends meanwhile may have entered its undo.
    const before = [...this.#followed.keys()];
    // The rows that are missing are in a plan's file on the machine that began it.
    const jobs = (await ledger.activeJobs()).filter(({ plan }) => plan.complete);
    const due = jobs.filter((job) => isDue(job, now())).sort((a, b) => priorityOf(b) - priorityOf(a));
    const idle = jobs.filter((job) => !due.includes(job));
    let busy = before.some((key) => !idle.some((job) => job.key === key));
    // That may be left for a due one.
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

  /** @returns whether it is followed now: not while another process has it. */
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

  /** The job is kept meanwhile: with another process it would be no better. */
  async #wait({ key }: PlannedJob, signal: AbortSignal): Promise<void> {
    const { sleep, random } = this.#options;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    await sleep(fullJitter(backoff, failures, random), signal);
  }
}

/** Whether a sender has work with it now: one whose window does not open again is to be stopped. */
function isDue({ plan: { state, settings } }: PlannedJob, now: number): boolean {
  if (state.name === 'paused') return false;
  const opening = state.name === 'scheduled' ? nextOpening(settings, now) : undefined;
  return opening === undefined || opening <= now;
}

function priorityOf({ plan }: PlannedJob): number {
  return plan.settings.priority ?? DEFAULT_PRIORITY;
}
