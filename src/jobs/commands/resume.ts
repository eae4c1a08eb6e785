/** `jobs resume JOB`: continues a job that was stopped, killed or interrupted. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { addReasonOptions, type ReasonFlags, whoIs } from '../../cli/who.ts';
import { readConfigForAws } from '../../config.ts';
import { misuse } from '../../errors.ts';
import { LedgerInterrupted } from '../ledger/shared/error.ts';
import type { JobSettings } from '../rules/settings.ts';
import { enterRest } from '../run/enter.ts';
import { letGoOn } from '../steer/act.ts';
import { requireHere, requireSteerable } from '../steer/resume.ts';
import { undoneNote } from '../view/standing-facts.ts';
import { addGuardOptions, type GuardFlags, readGuardFlags } from './guard-flags.ts';
import { findPlannedJob, MAX_COLLECT_MS, withLedger } from './open.ts';
import { printJob } from './print-job.ts';
import { finishRun, followJob, interrupted, withLease, withSession } from './session.ts';

export function addResume(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('resume')
    .summary('continue a job')
    .description(
      'Sends what a job has not sent yet and follows it to its end. Rows that were being sent when a process ' +
        'died are sent again; their number is printed. The flags of the first apply stay in force, unless they are given again.',
    )
    .argument('<job>', 'the job');
  command.option('--detach', 'leave the sending to `jobs send`');
  addReasonOptions(addGuardOptions(command)).action(async (jobId: string, flags: ResumeFlags) => {
    const guards = readGuardFlags(flags, context);
    const who = whoIs(context, flags.by);
    const detach =
      flags.detach === true ||
      (await interruptible(context, (signal) => isLeftElsewhere(context, jobId, signal)));
    const elsewhere = (signal: AbortSignal) =>
      resumeElsewhere(context, jobId, { ...flags, detach }, guards, who, signal);
    if (await interruptible(context, elsewhere)) return;
    await withSession(context, async (session) => {
      const { ledger, collector, screen, signal } = session;
      const job = await findPlannedJob(ledger, jobId, context);
      await collector.collectWaiting(signal, MAX_COLLECT_MS);
      const end = await withLease(session, job, async (lease) => {
        if (!(await enterRest(ledger, job, { ...context, signal }))) return interrupted;
        const undone = undoneNote(await ledger.standing(job));
        if (undone !== undefined) screen.say(`${undone}.`);
        const went = await letGoOn(
          ledger,
          job,
          { given: guards, now: context.clock.wall() },
          { who, why: flags.reason },
        );
        if (!went && job.plan.state.name === 'done' && Object.keys(guards).length === 0)
          screen.say(`Job ${jobId} is done: there is nothing to send. Nothing was changed.`);
        return await followJob(session, lease, jobId);
      });
      await finishRun(session, jobId, end, { json: flags.json === true });
    });
  });
}

interface ResumeFlags extends GuardFlags, ReasonFlags {
  readonly detach?: boolean;
}

/**
 * Whether another process sends the job: this process then needs no queues. Otherwise missing queue settings are reported
 * before faults of the ledger.
 * @throws CommandError for missing queue settings if this process must send the job.
 */
async function isLeftElsewhere(
  context: CommandContext,
  jobId: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    readConfigForAws(context.env, ['queueUrl', 'stateDir'], ['outcomeQueueUrl']);
    return false;
  } catch (fault) {
    const isSent = await withLedger(context, 'read', signal, async (ledger) => {
      const job = await ledger.job(jobId);
      return job !== undefined && (await ledger.isLeased(job.key));
    }).catch((error: unknown) => {
      if (error instanceof LedgerInterrupted) throw error;
      return false;
    });
    if (isSent) return true;
    throw fault;
  }
}

/**
 * Lets a job continue that another process sends, or will send.
 * @returns whether it did; if not, this process must send the job.
 */
async function resumeElsewhere(
  context: CommandContext,
  jobId: string,
  { detach = false, reason, json = false }: ResumeFlags,
  guards: JobSettings,
  who: string,
  signal: AbortSignal,
): Promise<boolean> {
  return await withLedger(context, 'write', signal, async (ledger) => {
    const job = await findPlannedJob(ledger, jobId, context);
    requireSteerable(job);
    if (!detach && !(await ledger.isLeased(job.key))) return false;
    if (detach && !job.plan.complete)
      throw misuse(
        `The plan of job ${jobId} is not completely in the ledger: resume the job once without --detach.`,
      );
    await letGoOn(ledger, job, { given: guards, now: context.clock.wall() }, { who, why: reason });
    const present = await findPlannedJob(ledger, jobId, context);
    // The job was moved meanwhile: nothing was changed.
    requireHere(present);
    const standing = await ledger.standing(present);
    printJob(context, standing, json);
    return true;
  });
}
