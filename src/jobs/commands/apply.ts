/** `jobs apply PLAN`: sends exactly the plan, and follows every row to its end. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { addReasonOptions, type ReasonFlags, whoIs } from '../../cli/who.ts';
import { readPlan, requirePlan } from '../plan/reader.ts';
import { idleNotes } from '../rules/idle.ts';
import { type JobSettings, withSettings } from '../rules/settings.ts';
import { enterJob, enterRows, refuseOtherPlan } from '../run/enter.ts';
import { requireFormerIn } from '../run/undo-on-abort.ts';
import { giveSettings } from '../steer/given.ts';
import { refuseEarlyUndo, releaseJob } from '../steer/release.ts';
import { requireSteerable, resumeJob } from '../steer/resume.ts';
import { confirm, requireAnswer } from './confirm.ts';
import { addGuardOptions, type GuardFlags, readGuardFlags } from './guard-flags.ts';
import { MAX_COLLECT_MS } from './open.ts';
import {
  finishRun,
  followJob,
  interrupted,
  printStanding,
  type Session,
  withLease,
  withSession,
} from './session.ts';

export function addApply(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('apply')
    .summary('send a plan and follow every row to its end')
    .description(
      'Shows what a plan changes and asks for confirmation. Then sends exactly its rows to the queue, with at most a window ' +
        'of rows in flight, and follows every row to its end by the outcomes that workers publish. Applying a plan again ' +
        'continues its job.',
    )
    .argument('<plan>', 'the plan file')
    .option('--yes', 'send without asking; required without a terminal')
    .option('--detach', 'enter the job in the ledger, and leave the sending to `jobs send`');
  addReasonOptions(addGuardOptions(command)).action(async (file: string, flags: ApplyFlags) => {
    const { yes = false, json = false, detach = false, reason } = flags;
    const who = whoIs(context, flags.by);
    const asked = {
      guards: readGuardFlags(flags, context),
      givenAt: context.clock.wall(),
      yes,
      json,
      detach,
      reason,
      who,
    };
    await interruptible(context, (signal) => requirePlan(file, { ...context, signal }));
    requireAnswer(context, asked.yes, file);
    await withSession(context, (session) => apply(session, file, asked), { use: 'create' });
  });
}

interface ApplyFlags extends GuardFlags, ReasonFlags {
  readonly yes?: boolean;
  readonly detach?: boolean;
}

interface Asked {
  readonly guards: JobSettings;
  readonly givenAt: number;
  readonly yes: boolean;
  readonly json: boolean;
  readonly detach: boolean;
  readonly reason: string | undefined;
  readonly who: string;
}

async function apply(session: Session, file: string, asked: Asked): Promise<void> {
  const { guards, givenAt, yes, json, detach, reason, who } = asked;
  const { context, ledger, collector, screen, signal, checkClock } = session;
  const deed = { who, why: reason };
  const plan = await readPlan(file, { ...context, signal });
  try {
    const before = await ledger.job(plan.header.JobId);
    refuseOtherPlan(plan, before);
    requireSteerable(before);
    const settings = withSettings(before?.plan?.settings ?? {}, guards, context.clock.wall(), givenAt);
    requireFormerIn(plan, guards);
    // A redrive may have ended rows since. Collecting also proves that the queue can be read.
    await collector.collectWaiting(signal, MAX_COLLECT_MS);
    await checkClock();
    await refuseEarlyUndo(ledger, plan, context.clock.wall());
    for (const note of idleNotes(settings, plan.footer.Counts.toChange)) screen.say(`Note: ${note}.`);
    if (!yes) await confirm(session, plan, before, settings);
    // This also fixes the job's IssuedAt: the time when the user agreed.
    const job = await enterJob(ledger, plan, resolve(context.cwd, file), deed);
    const end = await withLease(session, job, async (lease) => {
      if (!(await enterRows(ledger, job, plan, signal))) return interrupted;
      if (detach) {
        await releaseJob(ledger, job, { given: guards, givenAt, now: context.clock.wall() }, deed);
        return undefined;
      }
      await giveSettings(ledger, job, { given: guards, givenAt, now: context.clock.wall() }, deed);
      await resumeJob(ledger, job, who, reason);
      await ledger.change(job.key, { event: 'release', who, ...(reason !== undefined && { why: reason }) });
      return await followJob(session, lease, job.jobId);
    });
    if (end === undefined) await printStanding(session, job.jobId, { json });
    else await finishRun(session, job.jobId, end, { json });
  } finally {
    await plan.close();
  }
}
