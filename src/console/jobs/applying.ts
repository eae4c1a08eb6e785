/** Enters plans into the ledger: first the job, then its rows, which may continue after the request is answered. */
import { Readable } from 'node:stream';
import { misuse } from '../../errors.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import { readPlan } from '../../jobs/plan/reader.ts';
import type { GivenSettings } from '../../jobs/rules/given.ts';
import { withSettings } from '../../jobs/rules/settings.ts';
import { enterJob, enterRows, refuseOtherPlan } from '../../jobs/run/enter.ts';
import { requireFormerIn } from '../../jobs/run/undo-on-abort.ts';
import type { Deed } from '../../jobs/steer/deed.ts';
import type { Setting } from '../../jobs/steer/given.ts';
import { refuseEarlyUndo, releaseJob } from '../../jobs/steer/release.ts';
import { requireHere, requireSteerable } from '../../jobs/steer/resume.ts';
import type { Clock } from '../../time/clock.ts';
import { PageError, PartlyDone } from '../pages/page-error.ts';
import { settingsOf } from './fields.ts';
import type { LedgerDoor } from './ledger-door.ts';
import { PLAN_FILE, type Planner } from './planner.ts';

export interface ApplyingOptions {
  readonly door: LedgerDoor;
  readonly planner: Planner;
  /**
   * Stores outcomes that wait on their queue, if this console knows the queue: a redrive may have ended rows since.
   * @throws CommandError if the queue cannot be read.
   */
  readonly collect: (ledger: Ledger) => Promise<void>;
  /** @throws CommandError if this machine's clock is too far off to date updates. */
  readonly checkClock: () => Promise<void>;
  readonly clock: Clock;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Reports errors that occur after the answer. */
  readonly onError: (error: unknown) => void;
}

/** How long an answer waits for rows once their job is in the ledger, in milliseconds: most plans are entered by then. */
const ENTER_MS = 2_000;

export class Applying {
  readonly #options: ApplyingOptions;
  /** For plans that are being applied: resolves when the job is in the ledger, without its rows. */
  readonly #begun = new Map<string, Promise<void>>();

  constructor(options: ApplyingOptions) {
    this.#options = options;
  }

  /** Enters a plan in the ledger and leaves it to the senders. If that fails, the plan's note says why, too. */
  async apply(jobId: string, given: GivenSettings, deed: Deed): Promise<void> {
    const givenAt = this.#now();
    const setting = { given: settingsOf(given, givenAt), givenAt };
    const begun = Promise.withResolvers<void>();
    const isFirst = !this.#begun.has(jobId);
    if (isFirst) this.#begun.set(jobId, begun.promise);
    try {
      await this.#options.planner.enter(jobId, (folder, signal) =>
        this.#options.door.use((ledger) => this.#enter(ledger, folder, setting, deed, signal, begun.resolve)),
      );
    } finally {
      if (isFirst) this.#begun.delete(jobId);
    }
  }

  /**
   * Waits for the result of {@link apply}, but not for long once its job is in the ledger: entering the rows then continues
   * by itself.
   * @returns whether all rows are in. @throws what `applying` has thrown by then, and OutcomeUnknown if the ledger hangs.
   */
  async entered(jobId: string, applying: Promise<unknown>): Promise<boolean> {
    const { door, sleep, onError } = this.#options;
    const enough = new AbortController();
    const late = this.#begun.get(jobId)?.then(async () => {
      await sleep(ENTER_MS, enough.signal);
      return false;
    });
    const whole = applying.then(
      () => true,
      (error: unknown) => {
        // Repeating the request enters what is missing: the plan's note says why.
        if (error instanceof PartlyDone) return false;
        throw error;
      },
    );
    try {
      const isIn = await door.awaited(late === undefined ? whole : Promise.race([whole, late]));
      // No caller learns of this failure; the plan's page shows it.
      if (!isIn) whole.catch((error: unknown) => (error instanceof PageError ? undefined : onError(error)));
      return isIn;
    } finally {
      enough.abort();
    }
  }

  async #enter(
    ledger: Ledger,
    folder: string,
    setting: Pick<Setting, 'given'> & { readonly givenAt: number },
    deed: Deed,
    signal: AbortSignal,
    begun: () => void,
  ): Promise<void> {
    const { given } = setting;
    const plan = await readPlan(PLAN_FILE, { cwd: folder, stdin: Readable.from([]), signal });
    try {
      const before = await ledger.job(plan.header.JobId);
      refuseOtherPlan(plan, before);
      requireSteerable(before);
      withSettings(before?.plan?.settings ?? {}, given, this.#now());
      requireFormerIn(plan, given);
      await this.#options.collect(ledger);
      await this.#options.checkClock();
      await refuseEarlyUndo(ledger, plan, this.#now());
      const job = await enterJob(ledger, plan, `${folder}/${PLAN_FILE}`, deed);
      begun();
      const lease = await ledger.lease(job.key);
      if (lease === undefined) throw misuse(`Another process is sending job ${job.jobId}.`);
      try {
        requireHere(await ledger.job(job.jobId));
        if (!(await enterRows(ledger, job, plan, signal)))
          throw misuse(`The console ended before all rows of job ${job.jobId} were entered: apply it again.`);
        await releaseJob(ledger, job, { ...setting, now: this.#now() }, deed);
      } finally {
        await lease.release();
      }
    } finally {
      await plan.close();
    }
  }

  #now(): number {
    return this.#options.clock.wall();
  }
}
