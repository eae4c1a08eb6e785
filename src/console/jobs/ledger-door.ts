/** The ledger, opened when it is first asked for and again when it could not be; what it cannot say is said, and since when. */
import { CommandError } from '../../errors.ts';
import type { PlannedJob } from '../../jobs/ledger/job.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import type { Patience } from '../../jobs/ledger/open.ts';
import { LedgerError } from '../../jobs/ledger/shared/error.ts';
import { shortPrintable } from '../../text/printable.ts';
import { PageError } from '../pages/page-error.ts';
import { AwayError, Reach, type ReachOptions } from '../reach.ts';

/** The first who finds it away waits so long; those who come after them are told at once. */
export const consolePatience: Patience = { ms: 3_000 };

interface LedgerDoorOptions extends Pick<ReachOptions, 'clock' | 'sleep'> {
  readonly open: () => Promise<Ledger>;
}

export class LedgerDoor {
  readonly #open: () => Promise<Ledger>;
  readonly #reach: Reach;
  #ledger: Promise<Ledger> | undefined;

  constructor({ open, clock, sleep }: LedgerDoorOptions) {
    this.#open = open;
    this.#reach = new Reach({ whyAway: whyLedgerAway, clock, sleep });
  }

  /** @throws PageError where the ledger is away, and for what `work` throws of what a person has done wrong. */
  async use<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    try {
      return await this.#reach.use(
        async () => await work(await this.#opened()),
        async () => await (await this.#opened()).audit(1),
      );
    } catch (error) {
      if (error instanceof AwayError) throw new PageError(`The ledger ${error.message}.`, 503);
      throw error instanceof CommandError ? new PageError(error.message, 409) : error;
    }
  }

  async close(): Promise<void> {
    this.#reach.close();
    await (await this.#ledger?.catch(() => undefined))?.close();
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
  return error instanceof LedgerError ? error.message : undefined;
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
