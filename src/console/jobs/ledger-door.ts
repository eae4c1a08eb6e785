/**
 * The ledger, opened when it is first asked for and again when it could not be; what it cannot say is said, and since when. Nobody waits
 * long for one that hangs, and one that another process has locked is read on, while changes are refused.
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

/** The first who finds it away waits so long; those who come after them are told at once. */
export const consolePatience: Patience = { ms: 3_000 };

/** The question whether it is there is given so long. In milliseconds. */
const ASK_MS = 5_000;
/** Who has no answer by then asks that, too, and waits so much longer for an answer. In milliseconds. */
const SILENT_MS = 3_000;
const SOON_MS = 2_000;
/** Nobody waits longer for one that answers others: it may be that only what is asked for is locked. In milliseconds. */
const MOST_MS = 20_000;

interface LedgerDoorOptions extends Pick<ReachOptions, 'clock' | 'sleep'> {
  readonly open: () => Promise<Ledger>;
  /** Told of what went wrong in the program itself after nobody waited any longer. */
  readonly onError?: (error: unknown) => void;
}

export class LedgerDoor {
  readonly #options: LedgerDoorOptions;
  readonly #reach: Reach;
  /** While another process has it locked. */
  readonly #changes: Reach;
  #ledger: Promise<Ledger> | undefined;
  readonly #ask = (): Promise<void> => this.#askWithin(ASK_MS);
  readonly #askToChange = async (): Promise<void> => await (await this.#opened()).takesChanges();
  /** The question whether it is there, while it has no answer. */
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
   * For what changes something, and goes on for as long as it takes.
   * @throws PageError where the ledger is away or locked, and for what `work` throws of what a person has done wrong: then nothing was
   * changed. OutcomeUnknown where that is not known, PartlyDone where something was.
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

  /** For what changes nothing: it is given up when the ledger is found to hang. @throws PageError as {@link use} does. */
  async read<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    return await asPage(() => this.ask(work));
  }

  /** As {@link read}. @throws AwayError where the ledger is away, and what `work` throws. */
  async ask<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    return await this.#reach.use(
      () =>
        this.#unlessSilent(
          (async () => await work(await this.#opened()))(),
          () =>
            new PageError(
              `The ledger has not answered this within ${MOST_MS / 1_000} s, though it answers others. Try again later.`,
              503,
            ),
        ),
      this.#ask,
    );
  }

  /**
   * Waits for a change that was begun, and not for long where the ledger hangs: the change goes on.
   * @param takenIn until it has settled, the change waits for what is sent with it, and not for the ledger.
   * @throws OutcomeUnknown then, and whatever the change throws.
   */
  async awaited<T>(change: Promise<T>, takenIn?: Promise<unknown>): Promise<T> {
    if (takenIn !== undefined) await Promise.allSettled([Promise.race([takenIn, change])]);
    const late = (): Error =>
      new OutcomeUnknown(`No answer has come within ${MOST_MS / 1_000} s, though the ledger answers others`);
    try {
      return await this.#unlessSilent(change, late);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.tell(error);
      throw new OutcomeUnknown('The ledger does not answer');
    }
  }

  /** Asks whether it is there. @returns since when and why not; undefined where it is, and takes changes, as far as is known. */
  async away(): Promise<LedgerAway | undefined> {
    try {
      await this.#reach.use(this.#ask, this.#ask);
    } catch (error) {
      return error instanceof AwayError ? { since: error.since, why: error.why } : undefined;
    }
    return await this.locked();
  }

  /** Since when it takes no changes, while it can be read: as far as is known. */
  async locked(): Promise<LedgerAway | undefined> {
    const found = await this.#changes.known(this.#askToChange);
    return found && { since: found.since, why: found.why, isRead: true };
  }

  /** Somebody else has found out that it is away, or locked. */
  tell(error: unknown): void {
    if (error instanceof LedgerTakesNoChanges) this.#changes.tell(error, this.#askToChange);
    else this.#reach.tell(error, this.#ask);
  }

  async close(): Promise<void> {
    this.#reach.close();
    this.#changes.close();
    await (await this.#ledger?.catch(() => undefined))?.close();
  }

  /** @throws LedgerError where the ledger answers nobody; `late` where only `working` has no answer, after a long time. */
  async #unlessSilent<T>(working: Promise<T>, late: () => Error): Promise<T> {
    const enough = new AbortController();
    const pass = async (ms: number): Promise<void> => {
      await this.#options.sleep(ms, enough.signal);
      // What comes of it now is nobody's.
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

  /** @throws LedgerError also where nothing is answered. */
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
  // Everybody is told it, and nobody else has asked what is not known.
  if (error instanceof LedgerOutcomeUnknown) return error.why;
  return error instanceof LedgerError || error instanceof Unanswered ? error.message : undefined;
}

/** @throws PageError where there is no such job, or only outcomes of it. */
export async function plannedJob(ledger: Pick<Ledger, 'job'>, jobId: string): Promise<PlannedJob> {
  const job = await ledger.job(jobId);
  if (job === undefined) throw new PageError(`There is no job ${shortPrintable(jobId)} in the ledger.`, 404);
  const { plan } = job;
  if (plan === undefined)
    throw new PageError(`The plan of job ${jobId} is not in this ledger, only outcomes that named it.`, 404);
  return { ...job, plan };
}
