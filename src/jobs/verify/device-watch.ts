/**
 * Looks at the devices of a job while it is being sent: when a stage waits for a look, and repeatedly if a rule judges
 * devices.
 *
 *   idle ── look() finds that it is time ──► looking ── all tasks read, or given up ──► idle
 */
import type { PlannedJob } from '../ledger/job.ts';
import type { Wait } from '../rules/decide.ts';
import type { SeenDevices } from '../rules/progress.ts';
import { type JudgedVerification, seenDevices } from './sum.ts';

export interface DeviceWatchOptions {
  /** Looks at all devices of the job. */
  readonly verify: (job: PlannedJob, signal: AbortSignal) => Promise<JudgedVerification>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Called when devices were looked at. */
  readonly onSeen: () => void;
  /** Called with a sentence without its full stop: why devices could not be looked at. A repeated reason is reported once. */
  readonly onTrouble: (sentence: string) => void;
}

/** Minimum pause between two looks. It is at least as long as the last look, so reading takes no more than half of the time. */
const PAUSE_MS = 10_000;

export class DeviceWatch {
  readonly #options: DeviceWatchOptions;
  readonly #over = new AbortController();
  #looking: Promise<void> | undefined;
  #seen: SeenDevices | undefined;
  /** When the last look ended; monotonic. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  /** The last wait during which a look was begun, by the wait's `since`. */
  #begunIn: number | undefined;
  #failed = false;
  #told: string | undefined;

  constructor(options: DeviceWatchOptions) {
    this.#options = options;
  }

  /** What was last seen; undefined: there was no look. */
  get seen(): SeenDevices | undefined {
    return this.#seen;
  }

  /** Whether the last look could not read all tasks, so that it saw nothing. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Call this at every look at the job: begins to look at its devices if it is time. */
  look(job: PlannedJob, waitsFor: Wait | undefined): void {
    if (this.#looking !== undefined || this.#over.signal.aborted || !this.#isTime(job, waitsFor)) return;
    this.#looking = this.#verify(job).finally(() => {
      this.#looking = undefined;
    });
  }

  /** Aborts a look in progress. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#looking;
  }

  #isTime({ plan }: PlannedJob, waitsFor: Wait | undefined): boolean {
    const isAwaited = waitsFor?.for === 'verify' && this.#seen?.inWait !== waitsFor.since;
    const isJudged = plan.settings.abortWhen?.some((rule) => rule.of === 'devices') === true;
    if (!isAwaited && !isJudged) return false;
    // The first look in a stage's wait begins immediately; further looks in the same wait come after a pause.
    if (isAwaited && this.#begunIn !== waitsFor.since) return true;
    return this.#options.now() - this.#endedAt >= Math.max(PAUSE_MS, this.#tookMs);
  }

  async #verify(job: PlannedJob): Promise<void> {
    const { verify, now, onSeen, onTrouble } = this.#options;
    const begun = now();
    const { progress } = job.plan;
    if (progress.waitsFor === 'verify') this.#begunIn = progress.since;
    const found = await verify(job, this.#over.signal).catch((error: unknown) =>
      error instanceof Error ? error.message.replace(/\.$/, '') : String(error),
    );
    this.#endedAt = now();
    this.#tookMs = this.#endedAt - begun;
    if (this.#over.signal.aborted) return;
    this.#failed = typeof found === 'string' || !found.whole;
    const why = typeof found === 'string' ? found : found.unreadWhy;
    if (why !== undefined && why !== this.#told)
      onTrouble(`Not all devices of job ${job.jobId} could be looked at: ${why}`);
    this.#told = why;
    // A part of the tasks is no basis for decisions.
    if (typeof found === 'string' || !found.whole) return;
    this.#seen = seenDevices(found, progress);
    onSeen();
  }
}
