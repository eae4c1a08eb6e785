/** Reports of jobs that have come to rest, filed by whoever sends jobs of their ledger. */
import { CommandError } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import type { JobRecord, PendingNotice } from '../ledger/job.ts';
import { type Ledger, REPORT_TARGET } from '../ledger/ledger.ts';
import { type ReportPlace, readReportPlace } from './place.ts';

/** Longer than a filing takes: so long nobody else files it, and after that whoever began it is gone. */
const HIDDEN_MS = 1_800_000;
/** How often it is looked for reports that others have left, in milliseconds. */
const LOOK_MS = 30_000;
/** A report that is older is given up when it fails once more, in milliseconds: three days. */
const GIVE_UP_MS = 3 * 86_400_000;
const backoff: BackoffSettings = { baseMs: 10_000, maxMs: 600_000 };

export interface DueReportsOptions {
  readonly ledger: Pick<Ledger, 'job' | 'takeNotices' | 'noticeTold' | 'noticeFailed'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Takes a sentence without its full stop. */
  readonly say: (sentence: string, about: 'note' | 'trouble') => void;
  /** Files one, in a filing that is named by `at`. @returns where. @throws CommandError when it cannot be filed. */
  readonly file: (job: JobRecord, place: ReportPlace, at: number, signal: AbortSignal) => Promise<string>;
  /** The command that files the report of a job. */
  readonly again: (jobId: string) => string;
}

/**
 * Files the reports of jobs that have come to rest and want that: at least once, also when a process was killed meanwhile. What is
 * due is in the ledger, where notices are. A report that cannot be filed is told of, and changes nothing else.
 */
export class DueReports {
  readonly #options: DueReportsOptions;
  /** One at a time. */
  #filing: Promise<void> = Promise.resolve();

  constructor(options: DueReportsOptions) {
    this.#options = options;
  }

  /** Files all that is due by now. @throws what the ledger throws. */
  async file(signal: AbortSignal): Promise<void> {
    this.#filing = this.#filing.catch(() => {}).then(() => this.#fileAll(signal));
    await this.#filing;
  }

  /**
   * Files what is due, and what becomes due, until it is to end.
   * @param until aborts then: what is being filed is not cut off by it.
   * @throws what the ledger throws.
   */
  async keepFiling(until: AbortSignal, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([until, signal]);
    while (!either.aborted) {
      await this.file(signal);
      await this.#options.sleep(LOOK_MS, either);
    }
  }

  async #fileAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const hiddenUntil = this.#options.clock.wall() + HIDDEN_MS;
      const [due] = await this.#options.ledger.takeNotices([REPORT_TARGET], 1, hiddenUntil);
      if (due === undefined) return;
      await this.#fileOne(due, signal);
    }
  }

  async #fileOne({ id, jobId, at, state, failures }: PendingNotice, signal: AbortSignal): Promise<void> {
    const { ledger, clock, random, say, file, again } = this.#options;
    const job = await ledger.job(jobId);
    const reportTo = job?.plan?.settings.reportTo;
    // One that goes on again files it when it next comes to rest.
    if (job?.plan?.state.since !== state.since || reportTo === undefined)
      return await ledger.noticeTold(id, REPORT_TARGET);
    try {
      const place = readReportPlace('--report-to', reportTo);
      const filed = await file(job, place, at, signal);
      await ledger.noticeTold(id, REPORT_TARGET);
      say(`The report of job ${jobId} is filed in ${printable(filed)}`, 'note');
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const now = clock.wall();
      if (signal.aborted) return await ledger.noticeFailed(id, now);
      const givenUp = now - at > GIVE_UP_MS;
      if (givenUp) await ledger.noticeTold(id, REPORT_TARGET);
      else await ledger.noticeFailed(id, now + fullJitter(backoff, failures + 1, random));
      const next = givenUp
        ? 'It is given up, three days after it'
        : 'Whoever sends jobs of this ledger tries it again';
      say(
        `Job ${jobId}: ${error.message.replace(/\.$/, '')}. ${next}. File it with \`${again(jobId)}\``,
        'trouble',
      );
    }
  }
}
