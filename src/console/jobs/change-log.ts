/** The lines that the console adds to the log of changes. */
import type { NewAuditLine } from '../../jobs/ledger/job.ts';
import { NotDone, OutcomeUnknown, PageError } from '../pages/page-error.ts';
import type { LedgerDoor } from './ledger-door.ts';

export interface ChangeLogOptions {
  readonly door: LedgerDoor;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Reports what an operator of the console must know: a sentence. */
  readonly say: (text: string) => void;
  /** Reports errors that occur after the answer. */
  readonly onError: (error: unknown) => void;
}

/** Pause between two attempts to log, in milliseconds. */
const AGAIN_MS = 1_000;

export class ChangeLog {
  readonly #options: ChangeLogOptions;
  /** Lines that are being written. */
  readonly #logging = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: ChangeLogOptions) {
    this.#options = options;
  }

  /**
   * Call this before the action that the line describes: an action that cannot be logged is not done.
   * @throws NotDone if the line may be in the log all the same.
   */
  async add(line: NewAuditLine): Promise<void> {
    try {
      await this.#options.door.use((ledger) => ledger.addAudit(line));
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
      throw new NotDone(error.why);
    }
  }

  /** For what has already happened: if the ledger does not accept the line, retries in the background until it does. Never rejects. */
  async addLate(line: NewAuditLine): Promise<void> {
    const first = this.add(line);
    const logged = first
      .catch((error: unknown) => this.#logAgain(line, error))
      .finally(() => this.#logging.delete(logged));
    this.#logging.add(logged);
    await this.#options.door.awaited(first).catch(() => {});
  }

  /** Retries until the line is in the log, or the console ends. @param failure of the first attempt. */
  async #logAgain(line: NewAuditLine, failure: unknown): Promise<void> {
    const { say, sleep, onError } = this.#options;
    const { signal } = this.#closing;
    const is = `\`${line.what}\` of job ${line.subject} is not in the log of changes`;
    let error = failure;
    for (let tries = 1; ; tries++) {
      if (!(error instanceof PageError)) return onError(error);
      if (tries === 1) say(`${is} yet: ${error.message} It is tried again.`);
      await sleep(AGAIN_MS, signal);
      try {
        return await this.add(line);
      } catch (again) {
        error = again;
      }
      if (signal.aborted) return say(`${is}, and the console ends: what was found is lost.`);
    }
  }

  /** Waits for lines being written, but not for a ledger that accepts nothing. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#logging);
  }
}
