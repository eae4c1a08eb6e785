/** `jobs plan FILE|-` and `jobs plan --from-tasks`: turns flags into options, and the report into an exit code. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { collect, readAssignments, renamed, toFields } from '../../cli/flags.ts';
import { addInputOptions, FILE_ARGUMENT, type InputFlags, readInputFlags } from '../../cli/input-flags.ts';
import { apiSettings, readConfig, readConfigForAws } from '../../config.ts';
import { misuse } from '../../errors.ts';
import { shortPrintable } from '../../text/printable.ts';
import { toConditions, whereFields } from '../plan/conditions.ts';
import { changeFields } from '../plan/decisions.ts';
import { readJobName } from '../plan/job-name.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { PlanFrom, PlanOptions } from '../plan/options.ts';
import { defaultJobId, runPlanning } from './planning.ts';

interface Flags extends InputFlags {
  readonly fromTasks?: boolean;
  readonly set: readonly string[];
  readonly job?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly refresh?: boolean;
  readonly look: boolean;
  readonly refused?: string;
  readonly json?: boolean;
}

export function addPlan(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('plan')
    .summary('decide what a job will change, and write it to a plan file')
    .description(
      'Decides what a bulk job will change, from a file of updates or from the live tasks, ' +
        'and writes it to a plan file for `jobs apply`. Nothing is sent.',
    )
    .argument('[file]', FILE_ARGUMENT)
    .option('--from-tasks', 'plan for the live tasks instead of a file (ListOtaTasks)')
    .option(
      '--where <field=value>',
      'only rows with this value in this column, as in State=dead-lettered in a report; with --from-tasks, only tasks ' +
        `with this value: ${whereFields.join(', ')}. Repeat a field to allow several values`,
      collect,
      [],
    )
    .option('--set <field=value>', `set ${changeFields.join(' or ')} on every row`, collect, [])
    .option('--job <id>', 'the name of the job (default: the date and six random characters)')
    .option('--out <path>', 'where to write the plan (default: <JobId>.plan.jsonl)')
    .option('--force', 'replace an existing plan')
    .option(
      '--refresh',
      'read every task first (GetOtaTask), to leave out tasks that are already as wanted and to allow `jobs undo`',
    )
    .option(
      '--no-look',
      'do not check the task configurations that the plan sets (GetOtaTaskConfiguration): an id that does not exist then goes unnoticed here',
    )
    .option(
      '--refused <path>',
      'where to write refused rows (default: FILE.refused.csv or <JobId>.refused.csv)',
    )
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 misuse, 3 some rows refused, 130 interrupted.');
  addInputOptions(command, false);
  renamed(command, '--job-id <id>', '--job').action(async (file: string | undefined, flags: Flags) => {
    const readsTasks = flags.fromTasks === true || flags.refresh === true;
    const config = (readsTasks ? readConfigForAws : readConfig)(context.env, apiSettings);
    const options = { ...readOptions(file, flags, context), ...config };
    await runPlanning(context, config, flags.json === true, (planning) => makePlan(options, planning));
  });
}

function readOptions(
  file: string | undefined,
  flags: Flags,
  context: CommandContext,
): Omit<PlanOptions, 'rateLimit' | 'maxConcurrency'> {
  const set = toFields(readAssignments('--set', flags.set, changeFields));
  const from = readFrom(file, flags);
  if ('conditions' in from && Object.keys(set).length === 0) {
    throw misuse('--from-tasks: say what to change, as in --set TaskConfigurationId=VALUE.');
  }
  const jobId = readJobName(flags.job ?? defaultJobId(context));
  return {
    from,
    set,
    jobId,
    out: flags.out ?? `${jobId}.plan.jsonl`,
    force: flags.force === true,
    refresh: flags.refresh === true,
    look: flags.look,
    refusedFile: flags.refused,
  };
}

function readFrom(file: string | undefined, flags: Flags): PlanFrom {
  if (flags.fromTasks !== true) {
    if (file === undefined) throw misuse('Give a file of updates, - for stdin, or --from-tasks.');
    return { file, ...readInputFlags(flags) };
  }
  if (file !== undefined) {
    throw misuse(
      `--from-tasks plans for the live tasks instead of a file: leave ${shortPrintable(file)} out.`,
    );
  }
  return { conditions: toConditions(readAssignments('--where', flags.where, whereFields)) };
}
