/** What pages and the API do with jobs: the functions of the commands, for a user known by name. */
import { randomUUID } from 'node:crypto';
import { misuse } from '../../errors.ts';
import type { NewAuditLine, PlannedJob } from '../../jobs/ledger/job.ts';
import type { Lease, Ledger } from '../../jobs/ledger/ledger.ts';
import { type JobEvent, transitions } from '../../jobs/ledger/state.ts';
import type { GivenSettings, Unsettable } from '../../jobs/rules/given.ts';
import type { Reconciled } from '../../jobs/run/reconcile.ts';
import { letGoOn, retryFailed, setJob, steerJob } from '../../jobs/steer/act.ts';
import type { Deed } from '../../jobs/steer/deed.ts';
import { plannedLine } from '../../jobs/steer/planned.ts';
import { requireHere, requireSteerable } from '../../jobs/steer/resume.ts';
import type { Verification } from '../../jobs/verify/sum.ts';
import { PageError } from '../pages/page-error.ts';
import { Applying, type ApplyingOptions } from './applying.ts';
import { ChangeLog, type ChangeLogOptions } from './change-log.ts';
import { settingsOf } from './fields.ts';
import { endDetail, lookLines } from './kept-looks.ts';
import { plannedJob } from './ledger-door.ts';
import type { Looks, LookTold } from './looks.ts';
import type { Planner, PlanSource } from './planner.ts';

export interface DeskOptions extends ApplyingOptions, ChangeLogOptions {
  readonly verifier: Looks<Verification>;
  readonly reconciler: Looks<Reconciled>;
  readonly verify: (
    ledger: Ledger,
    job: PlannedJob,
    signal: AbortSignal,
    told: LookTold,
  ) => Promise<Verification>;
  /** Ends rows by what their tasks show, and lets the job continue. */
  readonly reconcile: (
    ledger: Ledger,
    lease: Lease,
    job: PlannedJob,
    deed: Deed,
    signal: AbortSignal,
    told: LookTold,
  ) => Promise<Reconciled>;
  /** Brings a job that no process sends to rest, and sends its notices. @returns whether it did. */
  readonly conclude: (ledger: Ledger, jobId: string, who: string) => Promise<boolean>;
}

/** Actions that take effect at once; `set` has parameters. */
export const steps = ['pause', 'resume', 'stop', 'cancel'] as const satisfies readonly JobEvent[];
export type Step = (typeof steps)[number];

export class Desk {
  readonly #options: DeskOptions;
  readonly #log: ChangeLog;
  /** Enters plans in the ledger. */
  readonly applying: Applying;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#log = new ChangeLog(options);
    this.applying = new Applying(options);
  }

  get planner(): Planner {
    return this.#options.planner;
  }

  /** @throws PageError if that is not possible; so do all these methods. */
  async step(jobId: string, step: Step, deed: Deed): Promise<void> {
    await this.#with(jobId, async (ledger, job) => {
      if (step === 'resume') {
        if (!job.plan.complete)
          throw misuse(`The plan of job ${jobId} is not completely in the ledger: apply it again.`);
        const went = await letGoOn(ledger, job, { given: {}, now: this.#now() }, deed);
        if (!went) throw misuse(`Job ${jobId} is ${job.plan.state.name}: resume changes nothing.`);
        return;
      }
      const { name, towards } = job.plan.state;
      // No process sends it, and bringing it to rest was interrupted.
      const isCut = name === 'stopping' && towards === transitions[step].towards;
      if (isCut && (await this.#options.conclude(ledger, jobId, deed.who))) return;
      await steerJob(ledger, job, step, deed);
      if (step !== 'pause') await this.#options.conclude(ledger, jobId, deed.who);
    });
  }

  /** @returns whether anything changed. */
  async set(jobId: string, given: GivenSettings, unset: readonly Unsettable[], deed: Deed): Promise<boolean> {
    const now = this.#now();
    const setting = { given: settingsOf(given, now), unset, now };
    return await this.#with(jobId, (ledger, job) => setJob(ledger, job, setting, deed));
  }

  /** @returns how many rows are tried again; if none, nothing is changed. */
  async retry(jobId: string, deed: Deed): Promise<number> {
    return await this.#with(jobId, async (ledger, job) => {
      const lease = await ledger.lease(job.key);
      if (lease === undefined)
        throw misuse(
          `A process is sending job ${jobId} or waits for its ends: retry when it has come to rest.`,
        );
      try {
        requireHere(await ledger.job(jobId));
        await this.#options.collect(ledger);
        const setting = { given: {}, now: this.#options.clock.wall() };
        return await retryFailed(ledger, lease, job, setting, deed, 'resume it');
      } finally {
        await lease.release();
      }
    });
  }

  /** Looks at the devices behind a job's tasks, in the background. */
  async verify(jobId: string, deed: Deed): Promise<void> {
    await this.#with(jobId, async (ledger, job) => {
      const { applied } = await ledger.count(job.key);
      if (applied === 0) throw new PageError(`No row of job ${jobId} was applied yet.`, 409);
      const { verifier, verify: look } = this.#options;
      const noted = this.#noted(jobId, deed, lookLines.verify);
      await verifier.begin(
        jobId,
        applied,
        () => noted.begun({ applied }),
        (signal, told) => noted.ended(() => look(ledger, job, signal, told)),
      );
    });
  }

  /** Ends rows whose outcome never came by what their tasks show, in the background; then the job continues. */
  async reconcile(jobId: string, deed: Deed): Promise<void> {
    const { reconciler, collect, reconcile: work } = this.#options;
    await this.#with(jobId, async (ledger, job) => {
      // Rows planned again in such a job would never end.
      requireSteerable(job);
      if (!job.plan.complete)
        throw misuse(`The plan of job ${jobId} is not completely in the ledger: apply it again.`);
      const { inFlight } = await ledger.count(job.key);
      if (inFlight === 0) throw misuse(`No row of job ${jobId} waits for its outcome: nothing was changed.`);
      const lease = await ledger.lease(job.key);
      if (lease === undefined)
        throw misuse(
          `A process is sending job ${jobId} or waits for its ends: stop it, and reconcile when it has come to rest.`,
        );
      try {
        requireHere(await ledger.job(jobId));
        const noted = this.#noted(jobId, deed, lookLines.reconcile);
        const begun = () => noted.begun({ inFlight });
        await reconciler.begin(jobId, inFlight, begun, async (signal, told) => {
          try {
            return await noted.ended(async () => {
              await collect(ledger);
              return await work(ledger, lease, job, deed, signal, told);
            });
          } finally {
            await lease.release();
          }
        });
      } catch (error) {
        await lease.release();
        throw error;
      }
    });
  }

  /** Logs a look with the job: that it has begun, and its result or why it failed. */
  #noted(jobId: string, { who, why }: Deed, what: (typeof lookLines)[keyof typeof lookLines]) {
    const look = randomUUID();
    const line = (name: string, detail: NewAuditLine['detail']): NewAuditLine => ({
      who,
      why,
      subject: jobId,
      what: name,
      detail: { ...detail, look },
    });
    const end = (detail: NewAuditLine['detail']) => this.#log.addLate(line(what.ended, detail));
    return {
      begun: (detail: NewAuditLine['detail']) => this.#log.add(line(what.begun, detail)),
      ended: async <Found extends Verification | Reconciled>(work: () => Promise<Found>): Promise<Found> => {
        try {
          const found = await work();
          await end(endDetail(found));
          return found;
        } catch (error) {
          await end({ why: error instanceof Error ? error.message : String(error) });
          throw error;
        }
      },
    };
  }

  /** Begins the plan that undoes a job. @returns the new job's name. */
  async undo(undone: string, name: string, deed: Deed): Promise<string> {
    return await this.#with(undone, async (ledger, job) => {
      requireHere(job);
      if (!(await ledger.hasFormer(job.key)))
        throw misuse(
          `Job ${undone} cannot be undone: its plan did not read the values that it replaced. Read every task first when you plan.`,
        );
      await this.#plan(name, `the undo of ${undone}`, deed, async () => ({ from: 'undo', undone }));
      return name;
    });
  }

  /**
   * Begins a plan. @param source what it is made from, for people. @param fill puts its source into the plan's folder.
   * @throws PageError if a job or a plan of that name exists, and what `fill` throws: nothing is left then.
   */
  async plan(
    jobId: string,
    source: string,
    deed: Deed,
    fill: (folder: string) => Promise<PlanSource>,
  ): Promise<void> {
    const taken = await this.#options.door.read((ledger) => ledger.job(jobId));
    if (taken?.plan !== undefined)
      throw new PageError(`There is a job ${jobId} in the ledger already: choose another name.`, 409);
    await this.#plan(jobId, source, deed, fill);
  }

  /** Removes a plan without applying it. */
  async discard(jobId: string, { who, why }: Deed): Promise<void> {
    const line = { who, why, what: 'discard', subject: jobId, detail: {} };
    await this.planner.discard(jobId, () => this.#log.add(line));
  }

  async #plan(
    jobId: string,
    source: string,
    deed: Deed,
    fill: (folder: string) => Promise<PlanSource>,
  ): Promise<void> {
    const by = deed.who;
    await this.planner.begin({ jobId, source, by }, async (folder) => {
      const filled = await fill(folder);
      await this.#log.add(plannedLine(jobId, source, deed));
      return { jobId, by, ...filled };
    });
  }

  /** Waits for lines being written, but not for a ledger that accepts nothing. */
  async close(): Promise<void> {
    await this.#log.close();
  }

  /** Whether a job or a plan has that name. */
  async isTaken(jobId: string): Promise<boolean> {
    const job = await this.#options.door.read((ledger) => ledger.job(jobId));
    return job?.plan !== undefined || (await this.planner.has(jobId));
  }

  #now(): number {
    return this.#options.clock.wall();
  }

  async #with<T>(jobId: string, work: (ledger: Ledger, job: PlannedJob) => Promise<T>): Promise<T> {
    return await this.#options.door.use(
      async (ledger) => await work(ledger, await plannedJob(ledger, jobId)),
    );
  }
}
