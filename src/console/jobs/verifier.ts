/** Looks at the devices behind jobs, one job at a time, and keeps what it saw of the latest. */
import type { PlannedJob } from '../../jobs/ledger/job.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import type { Verification } from '../../jobs/verify/sum.ts';
import { PageError } from '../pages/page-error.ts';
import type { VerificationSeen } from './job-page.ts';

export interface VerifierOptions {
  readonly verify: (
    ledger: Ledger,
    job: PlannedJob,
    signal: AbortSignal,
    onTask: (count: number) => void,
  ) => Promise<Verification>;
  readonly onError: (error: unknown) => void;
}

/** Jobs of which it is kept what was seen. */
const MOST = 20;

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #seen = new Map<string, VerificationSeen>();
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  of(jobId: string): VerificationSeen | undefined {
    return this.#seen.get(jobId);
  }

  /** @param applied rows whose tasks are read. @throws PageError while it looks at another job. */
  begin(ledger: Ledger, job: PlannedJob, applied: number): void {
    if (this.#work !== undefined)
      throw new PageError('The devices of a job are being looked at: try again when that is done.', 429);
    if (applied === 0) throw new PageError(`No row of job ${job.jobId} was applied yet.`, 409);
    this.#work = this.#look(ledger, job, applied).finally(() => {
      this.#work = undefined;
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #look(ledger: Ledger, job: PlannedJob, applied: number): Promise<void> {
    const keep = (seen: VerificationSeen): void => {
      this.#seen.delete(job.jobId);
      this.#seen.set(job.jobId, seen);
      const [oldest] = this.#seen.keys();
      if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest);
    };
    keep({ state: 'looking', tasks: 0, of: applied });
    try {
      const onTask = (tasks: number): void => keep({ state: 'looking', tasks, of: applied });
      keep({ state: 'seen', found: await this.#options.verify(ledger, job, this.#stop.signal, onTask) });
    } catch (error) {
      keep({ state: 'failed', why: error instanceof Error ? error.message : String(error) });
      this.#options.onError(error);
    }
  }
}
