/** The ledger, opened when it is first asked for and again when it could not be; what it cannot say is said, and since when. */
import { CommandError } from '../../errors.ts';
import type { PlannedJob } from '../../jobs/ledger/job.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import type { Patience } from '../../jobs/ledger/open.ts';
import { LedgerError } from '../../jobs/ledger/shared/error.ts';
import { shortPrintable } from '../../text/printable.ts';
import { PageError } from '../pages/page-error.ts';
import { AwayError, Reach, type ReachOptions, Unanswered } from '../reach.ts';

/** The first who finds it away waits so long; those who come after them are told at once. */
export const consolePatience: Patience = { ms: 3_000 };

/** The question whether it is there is given so long. In milliseconds. */
const ASK_MS = 5_000;
/** Who reads and has no answer by then asks that, too, and waits so much longer for an answer. In milliseconds. */
const SILENT_MS = 3_000;
const SOON_MS = 2_000;

interface LedgerDoorOptions extends Pick<ReachOptions, 'clock' | 'sleep'> {
  readonly open: () => Promise<Ledger>;
}

export class LedgerDoor {
  readonly #open: () => Promise<Ledger>;
  readonly #sleep: LedgerDoorOptions['sleep'];
  /** For others who ask the same ledger: what one of them has found out all of them know. */
  readonly reach: Reach;
  #ledger: Promise<Ledger> | undefined;
  readonly #ask = (): Promise<void> => this.#askWithin(ASK_MS);
  /** The question whether it is there, while it has no answer. */
  #asking: Promise<unknown> | undefined;

  constructor({ open, clock, sleep }: LedgerDoorOptions) {
    this.#open = open;
    this.#sleep = sleep;
    this.reach = new Reach({ whyAway: whyLedgerAway, clock, sleep });
  }

  /** @throws PageError where the ledger is away, and for what `work` throws of what a person has done wrong. */
  async use<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    return await this.#used(async () => await work(await this.#opened()));
  }

  /** The same for what changes nothing: it is given up when the ledger is found to hang. */
  async read<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    return await this.#used(() => this.#unlessSilent(async () => await work(await this.#opened())));
  }

  /** Asks whether it is there. @returns since when and why not; undefined where it is. */
  async away(): Promise<Pick<AwayError, 'since' | 'why'> | undefined> {
    try {
      await this.reach.use(this.#ask, this.#ask);
      return undefined;
    } catch (error) {
      return error instanceof AwayError ? error : undefined;
    }
  }

  /** Somebody else has found out that it is away. */
  tell(error: unknown): void {
    this.reach.tell(error, this.#ask);
  }

  async #used<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.reach.use(work, this.#ask);
    } catch (error) {
      if (error instanceof AwayError) throw new PageError(`The ledger ${error.message}.`, 503);
      throw error instanceof CommandError ? new PageError(error.message, 409) : error;
    }
  }

  async close(): Promise<void> {
    this.reach.close();
    await (await this.#ledger?.catch(() => undefined))?.close();
  }

  async #unlessSilent<T>(work: () => Promise<T>): Promise<T> {
    const enough = new AbortController();
    const working = work();
    const silent = this.#sleep(SILENT_MS, enough.signal).then(() =>
      enough.signal.aborted ? new Promise<never>(() => {}) : this.#askWithin(SOON_MS),
    );
    try {
      await Promise.race([working, silent]);
      return await working;
    } catch (error) {
      // What comes of it now is nobody's.
      working.catch(() => {});
      throw error;
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
    const late = this.#sleep(ms, enough.signal).then(() => {
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
    this.#ledger ??= this.#open();
    const opening = this.#ledger;
    return await opening.catch((error: unknown) => {
      if (this.#ledger === opening) this.#ledger = undefined;
      throw error;
    });
  }
}

/** For {@link Reach}. */
export function whyLedgerAway(error: unknown): string | undefined {
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
