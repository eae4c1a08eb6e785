/** The lines that the console adds to the log of changes. */
import type { NewAuditLine } from '../../jobs/ledger/job.ts';
import { NotDone, OutcomeUnknown, PageError } from '../pages/page-error.ts';
import type { LedgerDoor } from './ledger-door.ts';

export interface ChangeLogOptions {
  readonly door: LedgerDoor;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of what an operator of the console must know: a sentence. */
  readonly say: (text: string) => void;
  /** Called with what went wrong after an answer was given. */
  readonly onError: (error: unknown) => void;
}

/** Between two tries to log what has happened, in milliseconds. */
const AGAIN_MS = 1_000;

export class ChangeLog {
  readonly #options: ChangeLogOptions;
  /** Lines that are on their way. */
  readonly #logging = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: ChangeLogOptions) {
    this.#options = options;
  }

  /**
   * Comes before what it is about: what cannot be logged is not done.
   * @throws NotDone where the line may be in the log all the same.
   */
  async add(line: NewAuditLine): Promise<void> {
    try {
      await this.#options.door.use((ledger) => ledger.addAudit(line));
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
      throw new NotDone(error.why);
    }
  }

  /** Of what has happened already: where the ledger does not take the line, it is tried again behind this, until it does. Never rejects. */
  async addLate(line: NewAuditLine): Promise<void> {
    const first = this.add(line);
    const logged = first
      .catch((error: unknown) => this.#logAgain(line, error))
      .finally(() => this.#logging.delete(logged));
    this.#logging.add(logged);
    await this.#options.door.awaited(first).catch(() => {});
  }

  /** Until it is in the log, or the console ends. @param failure of the first try. */
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

  /** Waits for what is to be logged, and not for a ledger that takes nothing. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#logging);
  }
}
