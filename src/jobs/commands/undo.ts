/** `jobs undo JOB`: a plan that undoes a job. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { renamed } from '../../cli/flags.ts';
import { interruptible } from '../../cli/signals.ts';
import { addReasonOptions, deedOf, type ReasonFlags } from '../../cli/who.ts';
import { apiSettings, readConfigForAws } from '../../config.ts';
import { misuse } from '../../errors.ts';
import { isJobName, readJobName } from '../plan/job-name.ts';
import { makeUndo } from '../plan/undo.ts';
import { plannedLine } from '../steer/planned.ts';
import { requireHere } from '../steer/resume.ts';
import { findPlannedJob, withLedger } from './open.ts';
import { defaultJobId, runPlanning } from './planning.ts';

interface Flags extends ReasonFlags {
  readonly job?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly refused?: string;
  readonly json?: boolean;
}

export function addUndo(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('undo')
    .summary('make a plan that undoes a job')
    .description(
      'Makes a plan of the values that tasks had before a job changed them, for `jobs apply`. ' +
        'Every task is read first; what was changed since, or has no former value, is listed. Nothing is sent.',
    )
    .argument('<job>', 'the job to undo')
    .option('--job <id>', 'the name of the new job (default: <JOB>-undo)')
    .option('--out <path>', 'where to write the plan (default: <JobId>.plan.jsonl)')
    .option('--force', 'replace an existing plan')
    .option('--refused <path>', 'where to write rows that cannot be undone (default: <JobId>.refused.csv)')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 misuse, 3 some rows cannot be undone, 130 interrupted.',
    );
  addReasonOptions(renamed(command, '--job-id <id>', '--job')).action(
    async (undone: string, flags: Flags) => {
      const config = readConfigForAws(context.env, apiSettings);
      const named = `${undone}-undo`;
      const jobId = readJobName(flags.job ?? (isJobName(named) ? named : defaultJobId(context)));
      const options = {
        ...config,
        undone,
        jobId,
        out: flags.out ?? `${jobId}.plan.jsonl`,
        force: flags.force === true,
        refusedFile: flags.refused,
      };
      await interruptible(context, (outer) =>
        withLedger(context, 'read', outer, async (ledger) => {
          const job = await findPlannedJob(ledger, undone, context);
          // Only the other ledger knows what became of its rows.
          requireHere(job);
          const { key } = job;
          if (!(await ledger.hasFormer(key))) {
            throw misuse(
              `Job ${undone} cannot be undone: its plan did not read the values that it replaced. ` +
                'To be able to undo a job, plan it with --refresh. No task was read.',
            );
          }
          const pages = () => ledger.pages(key);
          await runPlanning(context, config, flags.json === true, async (planning) => {
            const report = await makeUndo(options, { ...planning, pages });
            if (report?.plan === undefined) return report;
            if (ledger.access === 'write')
              await ledger.addAudit(plannedLine(jobId, `the undo of ${undone}`, deedOf(context, flags)));
            else if (flags.reason !== undefined)
              planning.say('The reason is not in the log of changes: the ledger is read-only here.');
            return report;
          });
        }),
      );
    },
  );
}
