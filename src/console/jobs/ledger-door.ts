/**
 * The ledger, opened at the first request, and again if that failed. It reports since when and why the ledger cannot be used. No request
 * waits long for a ledger that hangs. While another process has the ledger locked, it can still be read, but changes are refused.
 */
import { CommandError } from '../../errors.ts';
import type { PlannedJob } from '../../jobs/ledger/job.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import type { Patience } from '../../jobs/ledger/open.ts';
import {
  LedgerBusyError,
  LedgerError,
  LedgerOutcomeUnknown,
  LedgerTakesNoChanges,
} from '../../jobs/ledger/shared/error.ts';
import { OutcomesUnreadable } from '../../jobs/run/unreadable.ts';
import type { LedgerAway } from '../../status/status.ts';
import { shortPrintable } from '../../text/printable.ts';
import { OutcomeUnknown, PageError } from '../pages/page-error.ts';
import { AwayError, Reach, type ReachOptions, Unanswered } from '../reach.ts';
import { MadeChanges } from './made-changes.ts';

/** The first request that finds the ledger away waits this long; later ones are answered at once. */
export const consolePatience: Patience = { ms: 3_000 };

/** Time limit for the question whether the ledger is there, in milliseconds. */
const ASK_MS = 5_000;
/** After this time without an answer, a request also asks that question, and waits this much longer. In milliseconds. */
const SILENT_MS = 3_000;
const SOON_MS = 2_000;
/** Maximum wait if the ledger answers others: perhaps only what this request needs is locked. In milliseconds. */
const MOST_MS = 20_000;

interface LedgerDoorOptions extends Pick<ReachOptions, 'clock' | 'sleep'> {
  readonly open: () => Promise<Ledger>;
  /** Reports errors of the program itself that occur when nobody waits for the result any more. */
  readonly onError?: (error: unknown) => void;
}

export class LedgerDoor {
  readonly #options: LedgerDoorOptions;
  readonly #reach: Reach;
  /** Away while another process has the ledger locked. */
  readonly #changes: Reach;
  #ledger: Promise<Ledger> | undefined;
  readonly #ask = (): Promise<void> => this.#askWithin(ASK_MS);
  readonly #askToChange = async (): Promise<void> => await (await this.#opened()).takesChanges();
  /** The question whether the ledger is there, until it is answered. */
  #asking: Promise<unknown> | undefined;

  constructor(options: LedgerDoorOptions) {
    this.#options = options;
    const { clock, sleep } = options;
    this.#reach = new Reach({ whyAway: whyLedgerAway, clock, sleep });
    this.#changes = new Reach({
      whyAway: whyUnchanged,
      what: 'takes no changes',
      clock,
      sleep,
    });
  }

  /**
   * For work that changes something. It may take as long as it needs.
   * @throws PageError if the ledger is away or locked, and for faults of the user that `work` throws: then nothing was
   * changed. OutcomeUnknown if it is unknown whether anything was changed, PartlyDone if something was.
   */
  async use<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    const made = new MadeChanges();
    const watched = async (): Promise<T> => await work(made.watched(await this.#opened()));
    try {
      return await asPage(() =>
        this.#reach.use(() => this.#changes.use(watched, this.#askToChange), this.#ask),
      );
    } catch (error) {
      throw made.told(error);
    }
  }

  /** For work that changes nothing: it is abandoned if the ledger turns out to hang. @throws PageError, as {@link use} does. */
  async read<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    return await asPage(() => this.ask(work));
  }

  /** Like {@link read}. @throws AwayError if the ledger is away, and what `work` throws. */
  async ask<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    return await this.#reach.use(
      () =>
        this.#unlessSilent(
          (async () => await work(await this.#opened()))(),
          () =>
            new PageError(
              `The ledger has not answered this request within ${MOST_MS / 1_000} s, although it answers others. Try again later.`,
              503,
            ),
        ),
      this.#ask,
    );
  }

  /**
   * Waits for a change that was begun, but not for long if the ledger hangs: the change itself continues.
   * @param takenIn until it has settled, the change waits for the request's file, and not for the ledger.
   * @throws OutcomeUnknown in that case, and whatever the change throws.
   */
  async awaited<T>(change: Promise<T>, takenIn?: Promise<unknown>): Promise<T> {
    if (takenIn !== undefined) await Promise.allSettled([Promise.race([takenIn, change])]);
    const late = (): Error =>
      new OutcomeUnknown(`No answer came within ${MOST_MS / 1_000} s, although the ledger answers others`);
    try {
      return await this.#unlessSilent(change, late);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.tell(error);
      throw new OutcomeUnknown('The ledger does not answer');
    }
  }

  /**
   * Asks whether the ledger is there.
   * @returns since when and why not; undefined if it is there and accepts changes, as far as known.
   */
  async away(): Promise<LedgerAway | undefined> {
    try {
      await this.#reach.use(this.#ask, this.#ask);
    } catch (error) {
      return error instanceof AwayError ? { since: error.since, why: error.why } : undefined;
    }
    return await this.locked();
  }

  /** Since when it accepts no changes but can be read, as far as known. */
  async locked(): Promise<LedgerAway | undefined> {
    const found = await this.#changes.known(this.#askToChange);
    return found && { since: found.since, why: found.why, isRead: true };
  }

  /** Other code has found the ledger away or locked. */
  tell(error: unknown): void {
    if (error instanceof LedgerTakesNoChanges) this.#changes.tell(error, this.#askToChange);
    else this.#reach.tell(error, this.#ask);
  }

  async close(): Promise<void> {
    this.#reach.close();
    this.#changes.close();
    await (await this.#ledger?.catch(() => undefined))?.close();
  }

  /** @throws LedgerError if the ledger answers nobody; `late` if, after a long time, only `working` has no answer. */
  async #unlessSilent<T>(working: Promise<T>, late: () => Error): Promise<T> {
    const enough = new AbortController();
    const pass = async (ms: number): Promise<void> => {
      await this.#options.sleep(ms, enough.signal);
      // The result is no longer of interest.
      if (enough.signal.aborted) await new Promise<never>(() => {});
    };
    const silent = (async (): Promise<never> => {
      await pass(SILENT_MS);
      await this.#askWithin(SOON_MS);
      await pass(MOST_MS - SILENT_MS - SOON_MS);
      throw late();
    })();
    working.catch((error: unknown) => {
      const isOurs = !(error instanceof CommandError || error instanceof PageError);
      if (enough.signal.aborted && isOurs) this.#options.onError?.(error);
    });
    try {
      return await Promise.race([working, silent]);
    } finally {
      enough.abort();
      silent.catch(() => {});
    }
  }

  /** @throws LedgerError, also if there is no answer in time. */
  async #askWithin(ms: number): Promise<void> {
    this.#asking ??= this.#opened()
      .then((ledger) => ledger.audit(1))
      .finally(() => {
        this.#asking = undefined;
      });
    const enough = new AbortController();
    const late = this.#options.sleep(ms, enough.signal).then(() => {
      if (!enough.signal.aborted) throw new LedgerError(`no answer within ${ms / 1_000} s`);
    });
    try {
      await Promise.race([this.#asking, late]);
    } finally {
      enough.abort();
      late.catch(() => {});
      this.#asking?.catch(() => {});
    }
  }

  async #opened(): Promise<Ledger> {
    this.#ledger ??= this.#options.open();
    const opening = this.#ledger;
    return await opening.catch((error: unknown) => {
      if (this.#ledger === opening) this.#ledger = undefined;
      throw error;
    });
  }
}

async function asPage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AwayError) throw new PageError(`The ledger ${error.message}.`, 503);
    if (error instanceof OutcomesUnreadable) throw new PageError(error.message, 503);
    throw error instanceof CommandError ? new PageError(error.message, 409) : error;
  }
}

function whyUnchanged(error: unknown): string | undefined {
  if (error instanceof LedgerBusyError) return 'another process has it locked';
  return error instanceof LedgerTakesNoChanges ? error.message : undefined;
}

/** For {@link Reach}. */
export function whyLedgerAway(error: unknown): string | undefined {
  // Every waiting request is told this error, but the unknown outcome concerns only the request that caused it.
  if (error instanceof LedgerOutcomeUnknown) return error.why;
  return error instanceof LedgerError || error instanceof Unanswered ? error.message : undefined;
}

/** @throws PageError if there is no such job, or only outcomes of it. */
export async function plannedJob(ledger: Pick<Ledger, 'job'>, jobId: string): Promise<PlannedJob> {
  const job = await ledger.job(jobId);
  if (job === undefined) throw new PageError(`There is no job ${shortPrintable(jobId)} in the ledger.`, 404);
  const { plan } = job;
  if (plan === undefined)
    throw new PageError(`The plan of job ${jobId} is not in this ledger, only outcomes that named it.`, 404);
  return { ...job, plan };
}
