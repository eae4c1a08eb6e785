/** The ledger, opened when it is first asked for and again when it could not be; what it cannot say is said, and since when. */
import { CommandError } from '../../errors.ts';
import type { PlannedJob } from '../../jobs/ledger/job.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import { LedgerError } from '../../jobs/ledger/shared/error.ts';
import { shortPrintable } from '../../text/printable.ts';
import { instant } from '../../text/times.ts';
import { PageError } from '../pages/page-error.ts';

export class LedgerDoor {
  readonly #open: () => Promise<Ledger>;
  readonly #now: () => number;
  #ledger: Promise<Ledger> | undefined;
  /** Since when it has not answered; epoch milliseconds. */
  #awaySince: number | undefined;

  /** @param now epoch milliseconds. */
  constructor(open: () => Promise<Ledger>, now: () => number) {
    this.#open = open;
    this.#now = now;
  }

  /** @throws PageError where the ledger is away, and for what `work` throws of what a person has done wrong. */
  async use<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    try {
      this.#ledger ??= this.#open();
      const result = await work(await this.#ledger.catch((error: unknown) => this.#forget(error)));
      this.#awaySince = undefined;
      return result;
    } catch (error) {
      if (error instanceof LedgerError) {
        this.#awaySince ??= this.#now();
        throw new PageError(
          `The ledger cannot be read since ${instant(this.#awaySince)} UTC: ${error.message}`,
          503,
        );
      }
      throw error instanceof CommandError ? new PageError(error.message, 409) : error;
    }
  }

  async close(): Promise<void> {
    await (await this.#ledger?.catch(() => undefined))?.close();
  }

  #forget(error: unknown): never {
    this.#ledger = undefined;
    throw error;
  }
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
