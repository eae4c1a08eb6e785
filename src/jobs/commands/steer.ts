/** `jobs pause | stop | cancel | set JOB`: control a job, whichever process sends it. */
import type { Command } from 'commander';
import { ask } from '../../cli/ask.ts';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { addReasonOptions, type ReasonFlags, whoIs } from '../../cli/who.ts';
import { readConfig } from '../../config.ts';
import { CommandError } from '../../errors.ts';
import { counted } from '../../text/numbers.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobEvent } from '../ledger/state.ts';
import { requirePossible, setJob, steerJob } from '../steer/act.ts';
import { concludeJob } from '../steer/conclude.ts';
import { dueReports } from './file-report.ts';
import {
  addGuardOptions,
  addUnsetOption,
  type GuardFlags,
  readGuardFlags,
  type UnsetFlags,
} from './guard-flags.ts';
import { notifySettings, withNotices } from './notify.ts';
import { findPlannedJob, withLedger } from './open.ts';
import { printJob } from './print-job.ts';

interface Flags extends ReasonFlags {
  readonly json?: boolean;
}

export function addPause(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('pause')
    .summary('send nothing more of a job for now')
    .description(
      'Pauses a job, whichever process is sending it, on any machine that uses this ledger: within a second nothing more is sent. ' +
        'Rows in flight are followed to their end, and `jobs resume` continues the job.',
    )
    .argument('<job>', 'the job');
  steering(command, context, async (steered) => {
    await change(steered, 'pause');
  });
}

export function addStop(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('stop')
    .summary('stop sending a job before its end')
    .description(
      'Stops a job: nothing more is sent, and the process that sends it ends when the rows in flight have ended. `jobs resume` continues the job.',
    )
    .argument('<job>', 'the job');
  steering(command, context, async (steered) => {
    await change(steered, 'stop');
    await conclude(steered);
  });
}

export function addCancel(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('cancel')
    .summary('end a job for good')
    .description(
      'Cancels a job for good: rows that were not sent end as not-sent, and rows in flight are followed to their end. Nothing is undone: ' +
        'see `jobs undo`. It cannot be resumed.',
    )
    .argument('<job>', 'the job')
    .option('--yes', 'cancel it without asking');
  steering(command, context, async (steered, flags: Flags & { readonly yes?: boolean }) => {
    const { ledger, job, signal } = steered;
    requirePossible(job, 'cancel');
    const { planned } = await ledger.count(job.key);
    const question = `Cancel job ${job.jobId} for good? ${counted(planned, 'row')} will not be sent. Type its name:`;
    if (flags.yes !== true && !(await ask(context, question, (answer) => answer === job.jobId, signal)))
      throw new CommandError('Nothing was changed. To cancel it without being asked, give --yes.');
    await change(steered, 'cancel');
    await conclude(steered);
  });
}

export function addSet(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('set')
    .summary('change how a job is sent')
    .description(
      'Changes the settings of a job, even while it is being sent: its sender follows within a second.',
    )
    .argument('<job>', 'the job');
  addUnsetOption(addGuardOptions(command));
  steering(
    command,
    context,
    async ({ context, ledger, job, who }, flags: Flags & GuardFlags & UnsetFlags) => {
      const { clock, stderr } = context;
      const now = clock.wall();
      const setting = { given: readGuardFlags(flags, context), unset: flags.unset, now };
      if (!(await setJob(ledger, job, setting, { who, why: flags.reason })))
        stderr.write(`Job ${job.jobId} already has these settings: nothing changes.\n`);
    },
  );
}

interface Steered {
  readonly context: CommandContext;
  readonly ledger: Ledger;
  readonly job: PlannedJob;
  readonly who: string;
  readonly reason: string | undefined;
  readonly signal: AbortSignal;
}

/** Adds what these commands share, and prints where the job stands afterwards. */
function steering<Given extends Flags>(
  command: Command,
  context: CommandContext,
  work: (steered: Steered, flags: Given) => Promise<void>,
): void {
  if (!command.options.some(({ long }) => long === '--json'))
    command.option('--json', 'print where the job stands as one JSON object');
  addReasonOptions(command).action(async (jobId: string, flags: Given) => {
    const { by, reason, json } = flags;
    await interruptible(context, (signal) =>
      withLedger(context, 'write', signal, async (ledger) => {
        const job = await findPlannedJob(ledger, jobId, context);
        await work({ context, ledger, job, who: whoIs(context, by), reason, signal }, flags);
        const standing = await ledger.standing(await findPlannedJob(ledger, jobId, context));
        printJob(context, standing, json === true);
      }),
    );
  });
}

async function change({ ledger, job, who, reason }: Steered, event: JobEvent): Promise<void> {
  await steerJob(ledger, job, event, { who, why: reason });
}

/** If no process sends the job, nobody else brings it to rest. */
async function conclude({ ledger, job, who, context, signal }: Steered): Promise<void> {
  const say = (sentence: string): void => void context.stderr.write(`${sentence}.\n`);
  const tell = { context, ledger, signal, say };
  await withNotices(readConfig(context.env, notifySettings), tell, async (targets) => {
    const concluded = await concludeJob(ledger, await findPlannedJob(ledger, job.jobId, context), {
      who,
      targets,
    });
    if (concluded) await dueReports(ledger, context, say).file(signal);
  });
}
