/**
 * Looks at the devices of a job while it is being sent, beside the sending: where a stage waits for it, and again and again where
 * a rule judges devices.
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
  /** Called when devices have been looked at. */
  readonly onSeen: () => void;
  /** Told a sentence without its full stop: why it could not be looked. The same reason once in a row. */
  readonly onTrouble: (sentence: string) => void;
}

/** Between two looks, at least; and as long as the last one took, so that no more than half of the time is spent on reading. */
const PAUSE_MS = 10_000;

export class DeviceWatch {
  readonly #options: DeviceWatchOptions;
  readonly #over = new AbortController();
  #looking: Promise<void> | undefined;
  #seen: SeenDevices | undefined;
  /** Of the last look that has ended: monotonic. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  /** The wait in which the last look was begun that was begun in one, by its `since`. */
  #begunIn: number | undefined;
  #failed = false;
  #told: string | undefined;

  constructor(options: DeviceWatchOptions) {
    this.#options = options;
  }

  /** What was last seen; undefined: nobody has looked. */
  get seen(): SeenDevices | undefined {
    return this.#seen;
  }

  /** Whether the last look could not read all tasks: then nothing was seen by it. */
  get failed(): boolean {
    return this.#failed;
  }

  /** To be called at every look at the job: begins to look at its devices if it is time. */
  look(job: PlannedJob, waitsFor: Wait | undefined): void {
    if (this.#looking !== undefined || this.#over.signal.aborted || !this.#isTime(job, waitsFor)) return;
    this.#looking = this.#verify(job).finally(() => {
      this.#looking = undefined;
    });
  }

  /** Gives up a look that is under way. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#looking;
  }

  #isTime({ plan }: PlannedJob, waitsFor: Wait | undefined): boolean {
    const isAwaited = waitsFor?.for === 'verify' && this.#seen?.inWait !== waitsFor.since;
    const isJudged = plan.settings.abortWhen?.some((rule) => rule.of === 'devices') === true;
    if (!isAwaited && !isJudged) return false;
    // What a stage waits for is not kept waiting, for one look: the next ones in its wait come after a pause.
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
      onTrouble(`Devices of job ${job.jobId} could not all be looked at: ${why}`);
    this.#told = why;
    // What is known of some of the tasks only is nothing to go on by.
    if (typeof found === 'string' || !found.whole) return;
    this.#seen = seenDevices(found, progress);
    onSeen();
  }
}
