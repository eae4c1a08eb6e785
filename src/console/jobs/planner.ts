/**
 * Plans made in the console that wait to be applied. Each has a folder, so that it survives a restart; the folder is removed
 * with the plan.
 *
 *   making ──► made ──► entering ──► gone: its rows are in the ledger
 *     ├─────► failed      └───────► made: they are not, and why
 *     └─────► gone: it was discarded
 */
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CommandError, messageOf } from '../../errors.ts';
import type { Conditions } from '../../jobs/plan/conditions.ts';
import type { TaskChange } from '../../jobs/plan/format.ts';
import type { PlanContext } from '../../jobs/plan/options.ts';
import type { PlanReport } from '../../jobs/plan/summary.ts';
import { OutcomeUnknown, PageError } from '../pages/page-error.ts';
import { type ApiAway, apiAway, type OnApiAway } from './api-away.ts';
import { diskError } from './disk-error.ts';
import { keepMade, keptPlans, planFolder } from './kept-plans.ts';
import { progressOf } from './plan-progress.ts';

/** The source of a plan. */
export type PlanWanted = { readonly jobId: string; readonly by: string } & PlanSource;

export type PlanSource =
  | {
      /** {@link UPLOAD_FILE} in its folder. */
      readonly from: 'file';
      /** The sender's name for the file. */
      readonly name: string;
      readonly set: TaskChange;
      readonly refresh: boolean;
    }
  | {
      readonly from: 'live';
      readonly conditions: Conditions;
      readonly set: TaskChange;
      readonly refresh: boolean;
    }
  | { readonly from: 'undo'; readonly undone: string };

export interface Planning {
  readonly jobId: string;
  /** For people: the file, the tasks, or the job to be undone. */
  readonly source: string;
  /** Who requested it. */
  readonly by: string;
  readonly state: 'making' | 'made' | 'failed' | 'entering';
  /** Its progress, or why it failed: safe to show. */
  readonly note: string | undefined;
  /** Since when the note applies, in epoch milliseconds; undefined without a note. */
  readonly noteSince?: number | undefined;
  /** Set while the API does not answer what the plan reads. */
  readonly away?: ApiAway | undefined;
  /** For a finished plan. */
  readonly report: PlanReport | undefined;
}

export interface PlannerOptions {
  /** Contains the folders of the plans. */
  readonly folder: string;
  /** Makes a plan: {@link PLAN_FILE} in `cwd`. undefined: aborted. */
  readonly make: (
    wanted: PlanWanted,
    io: Pick<PlanContext, 'cwd' | 'signal' | 'progress' | 'say'> & { readonly onAway: OnApiAway },
  ) => Promise<PlanReport | undefined>;
  /** Reports errors of the program itself. */
  readonly onError: (error: unknown) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export const PLAN_FILE = 'plan.jsonl';
/** The name for an uploaded file, whatever the sender calls it: the sender's name could clash with another file. */
export const UPLOAD_FILE = 'upload';
/** Maximum number of waiting plans, and of plans in the making at once: each takes a CPU core. */
const MOST_PLANS = 30;
const MOST_AT_WORK = 2;

export class Planner {
  readonly #options: PlannerOptions;
  readonly #plans = new Map<string, Planning>();
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();
  /** For plans in the making: aborts it, and resolves when it has ended. */
  readonly #discards = new Map<string, () => Promise<void>>();
  /** Plans whose discarding waits for approval: nothing else may begin with them. */
  readonly #leaving = new Set<string>();
  #restored: Promise<void> | undefined;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** Latest first. */
  async all(): Promise<readonly Planning[]> {
    await this.#ready();
    return [...this.#plans.values()].reverse();
  }

  /** @throws PageError if there is none. */
  async get(jobId: string): Promise<Planning> {
    await this.#ready();
    const plan = this.#plans.get(jobId);
    if (plan === undefined)
      throw new PageError(`There is no plan of a job ${jobId} here: it was applied, or never made.`, 404);
    return plan;
  }

  async has(jobId: string): Promise<boolean> {
    await this.#ready();
    return this.#plans.has(jobId) && this.#plans.get(jobId)?.state !== 'failed';
  }

  folderOf(jobId: string): string {
    return planFolder(this.#options.folder, jobId);
  }

  /**
   * Creates a plan's folder, in which `fill` stores the source, and then makes the plan. If `fill` throws, nothing is left.
   * @throws PageError if no more plans can be made.
   */
  async begin(
    planned: Pick<Planning, 'jobId' | 'source' | 'by'>,
    fill: (folder: string) => Promise<PlanWanted>,
  ): Promise<void> {
    await this.#ready();
    const { jobId } = planned;
    const before = this.#plans.get(jobId);
    if (before !== undefined && before.state !== 'failed')
      throw new PageError(
        `There is a plan of job ${jobId} already: apply it, discard it, or choose another name.`,
        409,
      );
    if (this.#leaving.has(jobId)) throw new PageError(`The plan of job ${jobId} is being discarded.`, 409);
    const all = [...this.#plans.values()];
    if (all.filter(({ state }) => state === 'making').length >= MOST_AT_WORK)
      throw new PageError(`${MOST_AT_WORK} plans are being made: try again when one of them is ready.`, 429);
    if (all.filter(({ state }) => state !== 'failed').length >= MOST_PLANS)
      throw new PageError(`${MOST_PLANS} plans wait to be applied: discard some of them.`, 429);
    for (const { jobId: failed, state } of all)
      if (state === 'failed' && this.#plans.size >= 2 * MOST_PLANS) this.#plans.delete(failed);
    this.#plans.delete(jobId);
    this.#plans.set(jobId, { ...planned, state: 'making', note: undefined, report: undefined });
    const folder = this.folderOf(jobId);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const wanted = await fill(folder);
      const discard = new AbortController();
      const work = this.#make(wanted, folder, discard.signal).finally(() => {
        this.#working.delete(work);
        this.#discards.delete(jobId);
      });
      this.#working.add(work);
      this.#discards.set(jobId, () => {
        discard.abort();
        return work;
      });
    } catch (error) {
      await this.#remove(jobId);
      throw diskError(error, folder);
    }
  }

  /** Enters a finished plan, which is then gone from here. @throws PageError if it is not finished, and what `enter` throws. */
  async enter(jobId: string, enter: (folder: string, signal: AbortSignal) => Promise<void>): Promise<void> {
    const plan = await this.get(jobId);
    const here = `The plan of job ${jobId} cannot be applied:`;
    if (this.#leaving.has(jobId)) throw new PageError(`${here} it is being discarded.`, 409);
    if (plan.state !== 'made') throw new PageError(`${here} it ${notReady[plan.state]}.`, 409);
    if (plan.report?.plan === undefined)
      throw new PageError(`${here} it has nothing to change, and so nothing to apply. Discard it.`, 409);
    this.#change(jobId, { state: 'entering', note: undefined });
    try {
      await enter(this.folderOf(jobId), this.#stop.signal);
    } catch (error) {
      // A part may be done: it can be applied again.
      const note = error instanceof OutcomeUnknown ? `${error.why}.` : messageOf(error);
      this.#change(jobId, { state: 'made', note });
      throw error;
    }
    await this.#remove(jobId);
  }

  /**
   * Also aborts a plan in the making. @param agree approves it: if it throws, the plan stays as it is.
   * @throws PageError if there is none, and while its file or its rows are being received or entered; what `agree` throws.
   */
  async discard(jobId: string, agree: () => Promise<void>): Promise<void> {
    const { state } = await this.get(jobId);
    const isTakenIn = state === 'making' && !this.#discards.has(jobId);
    if (isTakenIn)
      throw new PageError(`The file of the plan of job ${jobId} is being received: wait for it.`, 409);
    if (state === 'entering')
      throw new PageError(`The plan of job ${jobId} is being entered: wait for it.`, 409);
    if (this.#leaving.has(jobId)) throw new PageError(`The plan of job ${jobId} is being discarded.`, 409);
    this.#leaving.add(jobId);
    try {
      await agree();
      await this.#discards.get(jobId)?.();
      await this.#remove(jobId);
    } finally {
      this.#leaving.delete(jobId);
    }
  }

  /** The refused rows as CSV. @throws PageError if there are none. */
  async refused(jobId: string): Promise<Readable> {
    const { refusedFile } = (await this.get(jobId)).report ?? {};
    if (refusedFile === undefined) throw new PageError(`No row of ${jobId} was refused.`, 404);
    return createReadStream(join(this.folderOf(jobId), refusedFile));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#working);
  }

  /** The name becomes free only when the folder is gone: otherwise another plan of that name would lose its files. */
  async #remove(jobId: string): Promise<void> {
    try {
      await rm(this.folderOf(jobId), { recursive: true, force: true });
    } finally {
      this.#plans.delete(jobId);
    }
  }

  #change(jobId: string, change: Omit<Partial<Planning>, 'noteSince'>): void {
    const plan = this.#plans.get(jobId);
    if (plan === undefined) return;
    const changed = { ...plan, ...change };
    const { note } = changed;
    const at = note === undefined ? undefined : this.#options.now();
    this.#plans.set(jobId, { ...changed, noteSince: note === plan.note ? plan.noteSince : at });
  }

  async #make(wanted: PlanWanted, cwd: string, discarded: AbortSignal): Promise<void> {
    const { jobId } = wanted;
    const note = (text: string): void => this.#change(jobId, { note: text });
    try {
      const signal = AbortSignal.any([this.#stop.signal, discarded]);
      const onAway: OnApiAway = (failure) => {
        const { away } = this.#plans.get(jobId) ?? {};
        this.#change(jobId, { away: apiAway(failure, away, this.#options.now()) });
      };
      const io = { cwd, signal, progress: progressOf(note), say: note, onAway };
      const report = await this.#options.make(wanted, io);
      if (report === undefined) return await this.#remove(jobId);
      const { source = jobId, by = '' } = this.#plans.get(jobId) ?? {};
      await keepMade(cwd, { source, by, report });
      if (wanted.from === 'file') await rm(join(cwd, UPLOAD_FILE), { force: true });
      this.#change(jobId, { state: 'made', note: undefined, away: undefined, report });
    } catch (error) {
      const said = diskError(error, cwd);
      if (!(said instanceof CommandError || said instanceof PageError)) this.#options.onError(error);
      const why = said instanceof Error ? said.message : String(said);
      await rm(cwd, { recursive: true, force: true }).catch(this.#options.onError);
      this.#change(jobId, { state: 'failed', note: why, away: undefined });
    }
  }

  /** Loads the finished plans of an earlier process, and removes its unfinished ones. */
  #ready(): Promise<void> {
    this.#restored ??= this.#restore();
    return this.#restored;
  }

  async #restore(): Promise<void> {
    const { folder, onError } = this.#options;
    for (const made of await keptPlans(folder, onError))
      this.#plans.set(made.jobId, { ...made, state: 'made', note: undefined });
  }
}

const notReady = {
  making: 'is being made: wait for it',
  entering: 'is being entered already',
  failed: 'could not be made: discard it',
} as const;
