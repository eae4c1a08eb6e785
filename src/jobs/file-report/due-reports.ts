/** Reports of jobs that have come to rest, filed by the processes that send jobs of their ledger. */
import { CommandError } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import type { JobRecord, PendingNotice } from '../ledger/job.ts';
import { type Ledger, REPORT_TARGET } from '../ledger/ledger.ts';
import { type ReportPlace, readReportPlace } from './place.ts';

/** Longer than a filing takes. No other process files the report for this long; after that, the process that began it is gone. */
const HIDDEN_MS = 1_800_000;
/** How often to look for reports that others have left, in milliseconds. */
const LOOK_MS = 30_000;
/** A report older than this, in milliseconds, is given up when it fails once more: three days. */
const GIVE_UP_MS = 3 * 86_400_000;
const backoff: BackoffSettings = { baseMs: 10_000, maxMs: 600_000 };

export interface DueReportsOptions {
  readonly ledger: Pick<Ledger, 'job' | 'takeNotices' | 'noticeTold' | 'noticeFailed'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Takes a sentence without its full stop. */
  readonly say: (sentence: string, about: 'note' | 'trouble') => void;
  /** Files one report; `at` names the filing. @returns where. @throws CommandError if it cannot be filed. */
  readonly file: (job: JobRecord, place: ReportPlace, at: number, signal: AbortSignal) => Promise<string>;
  /** The command that files the report of a job. */
  readonly again: (jobId: string) => string;
}

/**
 * Files the reports of jobs that have come to rest and want one: at least once, even if a process is killed meanwhile. The ledger
 * stores due reports among the notices. A report that cannot be filed is reported to the user, and affects nothing else.
 */
export class DueReports {
  readonly #options: DueReportsOptions;
  /** Serializes filings. */
  #filing: Promise<void> = Promise.resolve();

  constructor(options: DueReportsOptions) {
    this.#options = options;
  }

  /** Files all reports that are due now. @throws what the ledger throws. */
  async file(signal: AbortSignal): Promise<void> {
    this.#filing = this.#filing.catch(() => {}).then(() => this.#fileAll(signal));
    await this.#filing;
  }

  /**
   * Files reports that are due, and those that become due, until it is told to end.
   * @param until aborts then; a filing in progress is completed.
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
    // The job has continued: its report is filed when it next comes to rest.
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
        ? 'It is given up after three days'
        : 'The process that sends jobs of this ledger tries again';
      say(
        `Job ${jobId}: ${error.message.replace(/\.$/, '')}. ${next}. File it with \`${again(jobId)}\``,
        'trouble',
      );
    }
  }
}
