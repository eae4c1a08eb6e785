/** `--undo-on-abort` of the commands that send: enters the undo, and sends it from the same process. */
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { apiSettings, readConfigForAws } from '../../config.ts';
import { CommandError } from '../../errors.ts';
import type { Screen } from '../../text/live-block.ts';
import { counted, number } from '../../text/numbers.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import type { RunEnd } from '../run/run-job.ts';
import { enterUndo } from '../run/undo-on-abort.ts';
import { findPlannedJob } from './open.ts';

/** Wait before another attempt when the undo could not be made, in milliseconds. */
const RETRY_MS = 30_000;

interface Sending {
  readonly context: CommandContext;
  readonly ledger: Ledger;
  readonly screen: Pick<Screen<never>, 'say'>;
  readonly signal: AbortSignal;
  /** STATE_DIR, absolute. */
  readonly stateDir: string;
}

/** Makes and enters the undo of a job that a rule is stopping. */
export class AbortUndo {
  readonly #session: Sending;
  #made: string | undefined;

  constructor(session: Sending) {
    this.#session = session;
  }

  /** @returns true if the undo is entered, or there is nothing to undo; otherwise call this again. */
  async enter(job: PlannedJob): Promise<boolean> {
    const { context, ledger, screen, signal, stateDir } = this.#session;
    const api = readConfigForAws(context.env, apiSettings);
    const { createReader } = await import('../../ota/create-reader.ts');
    const reader = createReader(api, context, signal);
    try {
      const entered = await enterUndo(job, {
        ...context,
        ...api,
        ledger,
        reader,
        signal,
        folder: stateDir,
        who: whoIs(context),
        say: (line) => screen.say(line),
      });
      if (entered === 'not yet') return false;
      this.#made = entered.undo;
      if (entered.undo === undefined)
        screen.say(`undo of ${job.jobId}: the job changed nothing that can be restored`);
      return true;
    } catch (error) {
      // The process that continues the job makes the undo.
      if (signal.aborted) return false;
      if (!(error instanceof CommandError)) throw error;
      // The API is away, or may not be read: a job left half undone would be worse than a job that waits.
      screen.say(`undo of ${job.jobId}: ${error.message} Trying again in ${RETRY_MS / 1_000} s.`, 'trouble');
      await context.sleep(RETRY_MS, signal);
      return false;
    } finally {
      await reader.close();
    }
  }

  /**
   * Sends the undo that was entered, if any, unless another process sends it.
   * @param follow sends a job to its end.
   */
  async send(follow: (jobId: string, lease: Lease) => Promise<RunEnd>): Promise<void> {
    const { context, ledger, screen } = this.#session;
    if (this.#made === undefined) return;
    const jobId = this.#made;
    const { key } = await findPlannedJob(ledger, jobId, context);
    const lease = await ledger.lease(key);
    if (lease === undefined) return;
    try {
      const { end, reason } = await follow(jobId, lease);
      const { applied, superseded, failed, total } = await ledger.count(key);
      const ends = `${number(applied)} of ${counted(total, 'task')} restored, ${number(superseded)} superseded, ${number(failed)} failed`;
      const open =
        end === 'done'
          ? ''
          : `; ${reason ?? end}: continue with \`${context.commandLine('jobs', 'resume', jobId)}\``;
      screen.say(`undo ${jobId}: ${ends}${open}. Firmware that devices already have stays on them.`);
    } finally {
      await lease.release();
    }
  }
}
