/**
 * Sends whatever jobs of a ledger are due, each as its lease allows: one process at a time sends a job, and another one takes it
 * over when that process is gone. Which jobs there are is asked again every second.
 */
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
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
  /** At once, at most. */
  readonly maxJobs: number;
  /** Whether to end when no job is left that this process could send. */
  readonly once: boolean;
  /** Sends a job and follows it; resolves when it has come to rest or is left to another process. */
  readonly follow: (job: PlannedJob, lease: Lease) => Promise<RunEnd>;
  readonly onTaken: (job: PlannedJob) => void;
  readonly onEnded: (job: PlannedJob, end: RunEnd) => void;
  readonly onFailed: (job: PlannedJob, error: unknown) => void;
  /** Called at every look: what else a service does. */
  readonly onLook: () => Promise<void>;
}

/** @throws what the ledger throws when it cannot be asked for its jobs. */
export async function sendDueJobs(options: SendDueOptions): Promise<void> {
  await new Sender(options).run();
}

class Sender {
  readonly #options: SendDueOptions;
  /** By their keys. */
  readonly #sending = new Map<number, Promise<void>>();
  /** How often in a row a job could not be sent. */
  readonly #failures = new Map<number, number>();

  constructor(options: SendDueOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, sleep, once, onLook } = this.#options;
    try {
      while (!signal.aborted) {
        const taken = await this.#takeDue();
        await onLook();
        if (once && !taken && this.#sending.size === 0) return;
        await sleep(LOOK_MS, signal);
      }
    } finally {
      await Promise.all(this.#sending.values());
    }
  }

  /** @returns whether a job was taken. */
  async #takeDue(): Promise<boolean> {
    const { ledger, maxJobs } = this.#options;
    let taken = false;
    for (const job of await ledger.activeJobs()) {
      // The rows that are missing are in a plan's file on the machine that began it.
      if (!job.plan.complete || this.#sending.has(job.key)) continue;
      if (this.#sending.size >= maxJobs) return taken;
      const lease = await ledger.lease(job.key);
      if (lease === undefined) continue;
      taken = true;
      const sending = this.#send(job, lease).finally(() => this.#sending.delete(job.key));
      this.#sending.set(job.key, sending);
    }
    return taken;
  }

  async #send(job: PlannedJob, lease: Lease): Promise<void> {
    const { follow, onTaken, onEnded, onFailed } = this.#options;
    try {
      onTaken(job);
      const end = await follow(job, lease);
      if (end.end === 'failed') await this.#failed(job, end.reason);
      else {
        this.#failures.delete(job.key);
        onEnded(job, end);
      }
    } catch (error) {
      onFailed(job, error);
      await this.#wait(job);
    } finally {
      await lease.release();
    }
  }

  async #failed(job: PlannedJob, reason: string | undefined): Promise<void> {
    this.#options.onFailed(job, reason);
    await this.#wait(job);
  }

  /** The job is kept meanwhile: with another process it would be no better. */
  async #wait({ key }: PlannedJob): Promise<void> {
    const { sleep, random, signal } = this.#options;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    await sleep(fullJitter(backoff, failures, random), signal);
  }
}
